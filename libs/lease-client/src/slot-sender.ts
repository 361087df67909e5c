import { type IncomingHttpHeaders, type IncomingMessage, request as httpRequest } from 'node:http';
import { type Reserved, WarmConnections } from './warm-connections';
import type { SendSlot, VoidCause, WorkerLease } from './worker-lease';

/** What the sender must know of the pool; LeaseClient has it. */
export interface SlotGuard {
  readonly clock: { now(): number; toPool(monotonicMs: number): number; toMonotonic(poolMs: number): number };
  voidCause(lease: WorkerLease): VoidCause | undefined;
}

export interface SlotSenderOptions {
  /** E.g. https://api.vk.ru/method ; paths of calls are appended to it. */
  baseUrl: string;
  client: SlotGuard;
  /** Connections opened at once (4); more are opened as slots are planned. */
  connections?: number;
  monotonicMs?: () => number;
}

export interface SlotCall {
  path: string;
  headers?: Record<string, string>;
  body: string;
  timeoutMs: number;
  method?: 'POST' | 'GET';
}

export type MissCause = 'too-late' | 'no-connection' | VoidCause;

export type SendOutcome =
  | {
      kind: 'answered';
      /** Pool clock (ms): after the write, and when the whole answer was read. */
      sentAt: number;
      answeredAt: number;
      status: number;
      headers: IncomingHttpHeaders;
      body: string;
    }
  | { kind: 'missed'; cause: MissCause }
  | { kind: 'broken'; sentAt: number; cause: string };

/** Timers of Node fire up to a millisecond late: the last stretch is spent in turns of the event loop. */
const SPIN_MS = 1.5;

/**
 * Sends each request in its slot or not at all: the limits are checked in the tick in which the socket is written,
 * over a connection that was opened before. Nothing is ever repeated: after `missed` or `broken` a call needs a new
 * lease. A process frozen between check and write is not stopped by this; `sentAt` is taken after the write and shows it.
 */
export class SlotSender {
  readonly #base: URL;
  readonly #client: SlotGuard;
  readonly #connections: WarmConnections;
  readonly #monotonicMs: () => number;

  constructor(options: SlotSenderOptions) {
    this.#base = new URL(options.baseUrl);
    this.#client = options.client;
    this.#monotonicMs = options.monotonicMs ?? (() => performance.now());
    const tls = this.#base.protocol === 'https:';
    this.#connections = new WarmConnections({
      host: this.#base.hostname,
      port: Number(this.#base.port || (tls ? 443 : 80)),
      tls,
      monotonicMs: this.#monotonicMs,
    });
    this.#connections.warm(options.connections ?? 4);
  }

  async send(slot: SendSlot, call: SlotCall): Promise<SendOutcome> {
    const reserved = this.#connections.reserve();
    await this.#until(slot.notBefore);
    const miss = reserved.isOpen() ? this.#missOf(slot) : 'no-connection';
    if (miss !== undefined) {
      this.#connections.giveBack(reserved);
      return { kind: 'missed', cause: miss };
    }
    return this.#write(slot, call, reserved);
  }

  close(): void {
    this.#connections.destroy();
  }

  #missOf(slot: SendSlot): MissCause | undefined {
    const cause = this.#client.voidCause(slot.lease);
    if (cause !== undefined) return cause;
    // Written so that a clock that is not mapped (NaN) is a miss.
    return this.#client.clock.now() <= slot.notAfter ? undefined : 'too-late';
  }

  #write(slot: SendSlot, call: SlotCall, reserved: Reserved): Promise<SendOutcome> {
    return new Promise((resolve) => {
      let sentAt = NaN;
      let miss: MissCause | undefined;
      let answer: IncomingMessage | undefined;
      const options = {
        agent: this.#connections,
        reserved,
        method: call.method ?? 'POST',
        path: `${this.#base.pathname.replace(/\/$/, '')}/${call.path.replace(/^\//, '')}`,
        headers: {
          host: this.#base.host,
          'content-length': Buffer.byteLength(call.body),
          ...call.headers,
        },
      };
      const request = httpRequest(options);
      const timer = setTimeout(() => request.destroy(new Error('timeout')), call.timeoutMs);
      const finish = (outcome: SendOutcome): void => {
        clearTimeout(timer);
        resolve(outcome);
      };
      // Emitted in the tick in which the head and body are written, directly before that.
      request.once('socket', () => {
        miss = this.#missOf(slot);
        if (miss !== undefined) {
          request.destroy();
          return;
        }
        process.nextTick(() => {
          sentAt = this.#client.clock.now();
        });
      });
      request.once('error', (error: NodeJS.ErrnoException) => {
        if (miss !== undefined) finish({ kind: 'missed', cause: miss });
        else finish({ kind: 'broken', sentAt: this.#orNow(sentAt), cause: error.code ?? error.message });
      });
      request.once('close', () => {
        if (miss !== undefined) finish({ kind: 'missed', cause: miss });
        else if (answer?.complete !== true) {
          finish({ kind: 'broken', sentAt: this.#orNow(sentAt), cause: 'closed-early' });
        }
      });
      request.once('response', (response) => {
        answer = response;
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.once('error', () => undefined);
        response.once('end', () =>
          finish({
            kind: 'answered',
            sentAt: this.#orNow(sentAt),
            answeredAt: this.#client.clock.now(),
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks).toString('utf8'),
          }),
        );
      });
      request.end(call.body);
    });
  }

  #orNow(sentAt: number): number {
    return Number.isNaN(sentAt) ? this.#client.clock.now() : sentAt;
  }

  async #until(poolMs: number): Promise<void> {
    for (;;) {
      const left = this.#client.clock.toMonotonic(poolMs) - this.#monotonicMs();
      // Also ends when the clock is not mapped (NaN): the check that follows makes it a miss.
      if (!(left > 0)) return;
      if (left > SPIN_MS)
        await new Promise((resolve) => setTimeout(resolve, Math.max(1, Math.floor(left - 1))));
      else await new Promise((resolve) => setImmediate(resolve));
    }
  }
}
