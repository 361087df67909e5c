import { Clock } from '@sociograph/kernel';
import type { VirtualTime } from './virtual-time';

/** The clocks of one machine: its wall clock is wrong, its monotonic one runs a little fast or slow. */
export class SkewedClock extends Clock {
  readonly #time: VirtualTime;
  readonly #bootedAt: number;
  readonly #rate: number;
  #wallAheadMs: number;
  #sleptMicros = 0;

  /** `drift`: ms that the monotonic clock gains in a second. */
  constructor(time: VirtualTime, options: { wallAheadMs: number; drift: number; upForMs: number }) {
    super();
    this.#time = time;
    this.#wallAheadMs = options.wallAheadMs;
    this.#rate = 1 + options.drift / 1000;
    this.#bootedAt = time.micros - options.upForMs * 1000;
  }

  nowMs(): number {
    return this.#time.micros / 1000 + this.#wallAheadMs;
  }

  monotonicMs(): number {
    return ((this.#time.micros - this.#bootedAt - this.#sleptMicros) * this.#rate) / 1000;
  }

  /** True time (us) at which the monotonic clock shows this. */
  whenShows(monotonicMs: number): number {
    return (monotonicMs * 1000) / this.#rate + this.#bootedAt + this.#sleptMicros;
  }

  /** The machine was suspended: its monotonic clock stood still. */
  slept(micros: number): void {
    this.#sleptMicros += micros;
  }

  stepWall(ms: number): void {
    this.#wallAheadMs += ms;
  }
}
