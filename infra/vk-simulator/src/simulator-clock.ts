/**
 * The simulator's wall clock: milliseconds since the epoch with fractions. It runs on the monotonic clock, so a
 * correction of the machine's time moves no window. `skewMs` sets it (and the Date header) apart from the machine's.
 */
export class SimulatorClock {
  constructor(private readonly skewMs = 0) {}

  now(): number {
    return performance.timeOrigin + performance.now() + this.skewMs;
  }
}
