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
  | { kind: 'stopped' }
  | { kind: 'broken'; checkedAt: number; sentAt: number; cause: string };

/**
 * One HTTP/1.1 request, made ready first and written later to a connection that is open. Nothing is repeated. What is
 * left to do at the write is one flush.
 */
export class Exchange {
  readonly #now: () => number;
  readonly #timeoutMs: number;
  readonly #request: ClientRequest;

  constructor(connections: WarmConnections, request: ExchangeRequest, now: () => number) {
    const { method, path, headers, body, timeoutMs } = request;
    this.#now = now;
    this.#timeoutMs = timeoutMs;
    this.#request = httpRequest({ agent: connections, method, path, headers });
    this.#request.end(body);
  }

  /** `mayWrite` is asked in the tick of the write, directly before it; false ends the connection unused. */
  write(socket: Socket, mayWrite: () => boolean): Promise<ExchangeEnd> {
    return new Promise((resolve) => {
      const request = this.#request;
      let stopped = false;
      let checkedAt = NaN;
      let sentAt = NaN;
      let answer: IncomingMessage | undefined;
      const timer = setTimeout(() => request.destroy(new Error('timeout')), this.#timeoutMs);
      const finish = (end: ExchangeEnd): void => {
        clearTimeout(timer);
        resolve(end);
      };
      const finishBroken = (cause: string): void => {
        if (stopped) return finish({ kind: 'stopped' });
        const at = Number.isNaN(sentAt) ? this.#now() : sentAt;
        finish({ kind: 'broken', checkedAt: Number.isNaN(checkedAt) ? at : checkedAt, sentAt: at, cause });
      };
      // Emitted in the tick in which the head and body are written, directly before that.
      request.once('socket', () => {
        if (!mayWrite()) {
          stopped = true;
          request.destroy();
          return;
        }
        checkedAt = this.#now();
        process.nextTick(() => (sentAt = this.#now()));
      });
      request.once('error', (error: NodeJS.ErrnoException) => finishBroken(error.code ?? error.message));
      request.once('close', () => {
        if (answer?.complete !== true) finishBroken('closed-early');
      });
      request.once('response', (response) => {
        answer = response;
        const firstByteAt = this.#now();
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.once('error', () => undefined);
        response.once('end', () => {
          const answeredAt = this.#now();
          const { statusCode: status = 0, headers } = response;
          const times = { checkedAt, sentAt, firstByteAt, answeredAt };
          finish({ kind: 'answered', ...times, status, headers, bytes: joined(chunks) });
        });
      });
      request.onSocket(socket);
    });
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
