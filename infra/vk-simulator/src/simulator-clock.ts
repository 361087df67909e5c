/**
 * The simulator's wall clock: milliseconds since the epoch with fractions. It runs on the monotonic clock, so a
 * correction of the machine's time moves no window. `skewMs` sets it (and the Date header) apart from the machine's;
 * it can be put forward in mid-run, so that a day passes at once, and never back.
 */
export class SimulatorClock {
  private aheadMs = 0;

  constructor(private readonly skewMs = 0) {}

  now(): number {
    return performance.timeOrigin + performance.now() + this.skewMs + this.aheadMs;
  }

  /** By so many milliseconds. Throws when that is back. */
  advance(ms: number): void {
    if (!Number.isFinite(ms) || ms < 0)
      throw new Error('The clock goes forward only: advance takes milliseconds.');
    this.aheadMs += ms;
  }
}
