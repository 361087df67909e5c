import {
  type ClientRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request as httpRequest,
} from 'node:http';
import type { Socket } from 'node:net';
import type { WarmConnections } from './warm-connections';

export interface ExchangeRequest {
  method: string;
  path: string;
  headers: Record<string, string | number>;
  body: string;
  /** From the write to the end of the answer. */
  timeoutMs: number;
}

/** Times on the clock that `now` is; `checkedAt` was taken in the tick before the write, `sentAt` after it. */
export type ExchangeEnd =
  | {
      kind: 'answered';
      checkedAt: number;
      sentAt: number;
      firstByteAt: number;
      answeredAt: number;
      status: number;
      headers: IncomingHttpHeaders;
      bytes: Uint8Array<ArrayBuffer>;
    }
  /** Nothing was written: it was not to be, or the connection ended before. */
  | { kind: 'unwritten' }
  | { kind: 'broken'; checkedAt: number; sentAt: number; cause: string };

/**
 * One HTTP/1.1 request, made ready on a connection that is open and written later. Nothing is repeated. All that is
 * left to do between the check and the wire is to put head and body together and write them: one call, no event.
 */
export class Exchange {
  readonly #now: () => number;
  readonly #body: string;
  readonly #timeoutMs: number;
  readonly #request: ClientRequest;
  readonly #end: Promise<ExchangeEnd>;
  #finish!: (end: ExchangeEnd) => void;
  #isAttached = false;
  #timer: NodeJS.Timeout | undefined;
  #checkedAt = NaN;
  #sentAt = NaN;

  constructor(connections: WarmConnections, request: ExchangeRequest, now: () => number) {
    const { method, path, headers, body, timeoutMs } = request;
    this.#now = now;
    this.#body = body;
    this.#timeoutMs = timeoutMs;
    this.#request = httpRequest({ agent: connections, method, path, headers });
    this.#end = new Promise((resolve) => {
      this.#finish = (end) => {
        clearTimeout(this.#timer);
        resolve(end);
      };
    });
    this.#listen();
  }

  /** Binds the request to an open connection; nothing is written yet. */
  attach(socket: Socket): void {
    this.#request.once('socket', () => (this.#isAttached = true));
    this.#request.onSocket(socket);
  }

  /** `mayWrite` is asked in the tick of the write, directly before it; false ends the connection unused. */
  write(mayWrite: () => boolean): Promise<ExchangeEnd> {
    if (this.#isAttached) this.#write(mayWrite);
    else this.#request.once('socket', () => this.#write(mayWrite));
    return this.#end;
  }

  /** Ends a request that will not be written. */
  drop(): void {
    this.#request.destroy();
    this.#finish({ kind: 'unwritten' });
  }

  #write(mayWrite: () => boolean): void {
    if (!mayWrite() || this.#request.destroyed) return this.drop();
    this.#checkedAt = this.#now();
    this.#request.end(this.#body);
    this.#sentAt = this.#now();
    this.#timer = setTimeout(() => this.#request.destroy(new Error('timeout')), this.#timeoutMs);
  }

  #listen(): void {
    let answer: IncomingMessage | undefined;
    this.#request.once('error', (error: NodeJS.ErrnoException) => this.#broken(error.code ?? error.message));
    this.#request.once('close', () => {
      if (answer?.complete !== true) this.#broken('closed-early');
    });
    this.#request.once('response', (response) => {
      answer = response;
      const firstByteAt = this.#now();
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('error', () => undefined);
      response.once('end', () => {
        const { statusCode: status = 0, headers } = response;
        const times = { checkedAt: this.#checkedAt, sentAt: this.#sentAt, firstByteAt };
        const answeredAt = this.#now();
        this.#finish({ kind: 'answered', ...times, answeredAt, status, headers, bytes: joined(chunks) });
      });
    });
  }

  #broken(cause: string): void {
    const [checkedAt, sentAt] = [this.#checkedAt, this.#sentAt];
    this.#finish(Number.isNaN(sentAt) ? { kind: 'unwritten' } : { kind: 'broken', checkedAt, sentAt, cause });
  }
}

/** In a buffer of its own, which may be handed to another thread. */
function joined(chunks: readonly Buffer[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(chunks.reduce((size, chunk) => size + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}
