import type { Clock } from '@sociograph/kernel';

interface Reading {
  /** Pool clock minus monotonic clock, taken at the middle of the exchange. */
  offset: number;
  /** Half of the round trip: the error can be no larger. */
  half: number;
  /** Monotonic time of the reply. */
  at: number;
}

export interface PoolClockOptions {
  clock: Clock;
  /** A reading counts for so long (ms): clocks drift apart by up to 0.5 ms a second. */
  keepMs?: number;
  /** A reading that lies further than this outside of the mapping makes an end of it. */
  contradictionMs?: number;
}

/**
 * Maps the pool's clock (Redis) onto this process' monotonic clock, by the exchange with the shortest round trip
 * of the last 10 s. The error is at most half of that round trip. All times are milliseconds.
 */
export class PoolClock {
  readonly #clock: Clock;
  readonly #keepMs: number;
  readonly #contradictionMs: number;
  /** Oldest first, and each tighter than all after it would be: the first one is the best of the last `keepMs`. */
  #readings: Reading[] = [];
  #generation = 0;

  constructor(options: PoolClockOptions) {
    this.#clock = options.clock;
    this.#keepMs = options.keepMs ?? 10_000;
    this.#contradictionMs = options.contradictionMs ?? 20;
  }

  /**
   * Takes one exchange: monotonic times of request and reply, and what the pool's clock said in between. False
   * when it contradicts the mapping: the mapping begins anew from it and `generation` goes up.
   */
  observe(sentAt: number, receivedAt: number, poolNow: number): boolean {
    const half = (receivedAt - sentAt) / 2;
    const reading = { offset: poolNow - (sentAt + receivedAt) / 2, half, at: receivedAt };
    const best = this.#best(receivedAt);
    if (
      best !== undefined &&
      Math.abs(reading.offset - best.offset) - reading.half - best.half > this.#contradictionMs
    ) {
      this.#readings = [reading];
      this.#generation += 1;
      return false;
    }
    this.#readings = this.#readings.filter((known) => known.half < half);
    this.#readings.push(reading);
    return true;
  }

  /** Pool time now; NaN before the first exchange. */
  now(): number {
    return this.toPool(this.#clock.monotonicMs());
  }

  toPool(monotonicMs: number): number {
    return monotonicMs + this.#offset();
  }

  toMonotonic(poolMs: number): number {
    return poolMs - this.#offset();
  }

  /** How far `now()` may be off; Infinity before the first exchange. */
  get errorMs(): number {
    return this.#best(this.#clock.monotonicMs())?.half ?? Infinity;
  }

  /** Goes up whenever the mapping broke: what was planned under an older one is void. */
  get generation(): number {
    return this.#generation;
  }

  #offset(): number {
    return this.#best(this.#clock.monotonicMs())?.offset ?? NaN;
  }

  /** Readings grow old, but the newest is kept however old it is: a poor mapping beats none. */
  #best(now: number): Reading | undefined {
    while (this.#readings.length > 1 && now - (this.#readings[0] as Reading).at > this.#keepMs) {
      this.#readings.shift();
    }
    return this.#readings[0];
  }
}
