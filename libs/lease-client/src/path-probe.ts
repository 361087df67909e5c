import { Exchange } from './exchange';
import { connectionsTo } from './slot-sender';
import type { WarmConnections } from './warm-connections';

/** A small request of the network that no limit counts; whatever is answered, it was an answer. */
export interface ProbeRequest {
  method: 'GET' | 'HEAD';
  /** From the root of the network's host. */
  path: string;
}

/** Times: `sentAt` on the pool's clock, from the write to the first byte of the answer, the `Date` header (ms). */
export interface PathSample {
  sentAt: number;
  roundTripMs: number;
  serverDate?: number;
}

export interface PathProbeOptions {
  baseUrl: string;
  request: ProbeRequest;
  poolNow: () => number;
  monotonicMs: () => number;
  onSample: (sample: PathSample) => void;
  /** Between probes (ms, 1,000). */
  everyMs?: number;
}

/** The first ones come quickly, so that something is known from the first call. */
export const FIRST_PROBES = 10;
const FIRST_EVERY_MS = 80;
const EVERY_MS = 1_000;
const TIMEOUT_MS = 2_000;
/** One under way at a time, but a slow one must not hold up the next. */
const CONNECTIONS = 3;

/**
 * Measures the path to a network by small requests over connections of its own, so that no call waits for them nor they
 * for calls. A probe that is not answered says nothing.
 */
export class PathProbe {
  readonly #options: PathProbeOptions;
  readonly #base: URL;
  readonly #connections: WarmConnections;
  #timer: NodeJS.Timeout | undefined;
  #made = 0;

  constructor(options: PathProbeOptions) {
    this.#options = options;
    this.#base = new URL(options.baseUrl);
    this.#connections = connectionsTo(this.#base, options.monotonicMs);
  }

  start(): void {
    this.#connections.warm(CONNECTIONS);
    this.#plan();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#connections.destroy();
  }

  #plan(): void {
    const waitMs = this.#made < FIRST_PROBES ? FIRST_EVERY_MS : (this.#options.everyMs ?? EVERY_MS);
    this.#timer = setTimeout(() => {
      void this.#probe();
      this.#plan();
    }, waitMs);
  }

  async #probe(): Promise<void> {
    this.#connections.warm(CONNECTIONS);
    const socket = this.#connections.take();
    if (socket === undefined) return;
    this.#made += 1;
    const { request, poolNow, monotonicMs, onSample } = this.#options;
    const headers = { host: this.#base.host };
    const exchange = new Exchange(
      this.#connections,
      { ...request, headers, body: '', timeoutMs: TIMEOUT_MS },
      monotonicMs,
    );
    const ahead = poolNow() - monotonicMs();
    exchange.attach(socket);
    const end = await exchange.write(() => true);
    if (end.kind !== 'answered') return;
    // A process that stood still reads an answer long after it came.
    if (end.firstByteAt - end.sentAt > TIMEOUT_MS) return;
    const serverDate = dateOf(end.headers.date);
    onSample({
      sentAt: end.sentAt + ahead,
      roundTripMs: end.firstByteAt - end.sentAt,
      ...(serverDate !== undefined && { serverDate }),
    });
  }
}

/** The network's own clock as an answer has it (`Date`, whole seconds): ms since the Unix epoch. */
export function dateOf(header: string | undefined): number | undefined {
  const ms = Date.parse(header ?? '');
  return Number.isNaN(ms) ? undefined : ms;
}
