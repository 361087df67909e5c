/** Time as a port: domain and application code never reads the wall clock by itself. */
export abstract class Clock {
  /** Wall clock, milliseconds since the Unix epoch. May jump. */
  abstract nowMs(): number;
  /** Milliseconds on a clock that never jumps; only differences mean anything. */
  abstract monotonicMs(): number;
}

/** The machine's own clocks. */
export class SystemClock extends Clock {
  nowMs(): number {
    return Date.now();
  }

  monotonicMs(): number {
    return performance.now();
  }
}
