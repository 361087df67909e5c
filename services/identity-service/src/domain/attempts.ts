/** How many in which time: beyond it is refused, or quietly passed over. */
export interface AttemptLimit {
  readonly most: number;
  readonly withinMs: number;
}

/** Counts attempts by name in a sliding window, those of all processes together. */
export abstract class Attempts {
  /** Milliseconds until the next attempt is allowed; 0 when this one is, and then it is counted. */
  abstract take(name: string, limit: AttemptLimit, nowMs: number): Promise<number>;
}
