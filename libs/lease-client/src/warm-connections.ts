import { Agent, type ClientRequest } from 'node:http';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

interface Held {
  socket: Socket;
  open: boolean;
  /** When it began to be opened, or became free last. */
  idleSince: number;
}

export interface WarmConnectionsOptions {
  host: string;
  port: number;
  tls: boolean;
  /** Idle connections older than this are not used (ms, 4,000): servers close theirs after 5 s, Node's default. */
  maxIdleMs?: number;
  monotonicMs: () => number;
}

const MAX_IDLE_MS = 4_000;
const SWEEP_EVERY_MS = 500;
/** As many connections as were in use at once during the last one or two of these are kept. */
const PEAK_MS = 5_000;
/** Beyond the peak: delays vary. */
const SPARE = 2;
/** A worker that planned nothing for so long keeps nothing warm. */
const RESTING_AFTER_MS = 60_000;

/**
 * Connections opened before they are needed, Nagle off. As an Agent it opens none for a request: each is written to the
 * connection that `take` gave, so that no request waits for a handshake or is repeated. The one idle for longest is used
 * first, so that all stay young while there is work; those that grew old are replaced while they are wanted.
 */
export class WarmConnections extends Agent {
  readonly #options: WarmConnectionsOptions;
  /** In the order in which they became free. */
  readonly #idle: Held[] = [];
  readonly #all = new Set<Held>();
  #floor = 0;
  #planned = 0;
  #plannedAt = -Infinity;
  #peak = { since: 0, now: 0, before: 0 };
  #sweeping: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: WarmConnectionsOptions) {
    super({ keepAlive: true });
    this.#options = options;
  }

  /** Opens connections until `count` are there, and keeps that many while there is work. */
  warm(count: number): void {
    this.#floor = Math.max(this.#floor, count);
    this.#plannedAt = this.#options.monotonicMs();
    while (this.#all.size < this.#floor && !this.#closed) this.#open();
    this.#sweeping ??= setInterval(() => this.#sweep(), SWEEP_EVERY_MS).unref();
  }

  /** A request will want a connection soon; there is to be one for each that is expected. */
  expect(): void {
    this.#planned += 1;
    this.warm(this.#floor);
    if (this.#idle.length + this.#opening() < this.#planned) this.#open();
  }

  /** The request that was expected has come, or never will. */
  expected(): void {
    this.#planned -= 1;
  }

  /** The open connection that is idle for longest; undefined when none is. The caller writes to it or gives it back. */
  take(): Socket | undefined {
    const now = this.#options.monotonicMs();
    for (let held = this.#idle.shift(); held !== undefined; held = this.#idle.shift()) {
      if (this.#isUsable(held, now)) {
        this.#notePeak(now);
        return held.socket;
      }
      held.socket.destroy();
    }
    return undefined;
  }

  /** Called by `http.request`: the request waits until its sender gives it a connection with `onSocket`. */
  addRequest(_request: ClientRequest): void {}

  override destroy(): void {
    this.#closed = true;
    clearInterval(this.#sweeping);
    for (const held of this.#all) held.socket.destroy();
    super.destroy();
  }

  #opening(): number {
    let opening = 0;
    for (const held of this.#all) if (!held.open) opening += 1;
    return opening;
  }

  #isUsable({ socket, open, idleSince }: Held, now: number): boolean {
    return open && socket.writable && !socket.destroyed && now - idleSince <= this.#maxIdleMs();
  }

  #maxIdleMs(): number {
    return this.#options.maxIdleMs ?? MAX_IDLE_MS;
  }

  #notePeak(now: number): void {
    if (now - this.#peak.since > PEAK_MS) {
      const before = now - this.#peak.since > 2 * PEAK_MS ? 0 : this.#peak.now;
      this.#peak = { since: now, now: 0, before };
    }
    this.#peak.now = Math.max(this.#peak.now, this.#all.size - this.#idle.length - this.#opening());
  }

  /** Old ones go, also those that are more than were used lately; what is missing is opened. */
  #sweep(): void {
    const now = this.#options.monotonicMs();
    this.#notePeak(now);
    const resting = now - this.#plannedAt > RESTING_AFTER_MS;
    const used = Math.max(this.#peak.now, this.#peak.before);
    const wanted = resting ? 0 : Math.max(this.#floor, used > 0 ? used + SPARE : 0);
    for (const held of [...this.#idle]) {
      const isExtra = this.#all.size > wanted && this.#idle.length > this.#planned;
      if (!this.#isUsable(held, now) || (isExtra && now - held.idleSince > SWEEP_EVERY_MS)) this.#end(held);
    }
    // A handshake that takes so long will not end.
    for (const held of [...this.#all]) {
      if (!held.open && now - held.idleSince > this.#maxIdleMs()) this.#end(held);
    }
    while (this.#all.size < wanted) this.#open();
  }

  #open(): void {
    const { host, port, tls } = this.#options;
    const socket = tls ? connectTls({ host, port, servername: host }) : connectTcp({ host, port });
    socket.setNoDelay(true);
    const held: Held = { socket, open: false, idleSince: this.#options.monotonicMs() };
    this.#all.add(held);
    socket.once(tls ? 'secureConnect' : 'connect', () => {
      held.open = true;
      this.#release(held);
    });
    // Errors of a connection in use reach its request; those of an idle one only end it.
    socket.on('error', () => undefined);
    socket.on('close', () => this.#forget(held));
    socket.on('free', () => this.#release(held));
  }

  #release(held: Held): void {
    if (this.#closed || held.socket.destroyed) {
      held.socket.destroy();
      return;
    }
    held.idleSince = this.#options.monotonicMs();
    if (!this.#idle.includes(held)) this.#idle.push(held);
  }

  #end(held: Held): void {
    this.#forget(held);
    held.socket.destroy();
  }

  #forget(held: Held): void {
    this.#all.delete(held);
    const index = this.#idle.indexOf(held);
    if (index >= 0) this.#idle.splice(index, 1);
  }
}
