/** How many in which time: beyond it is refused, or quietly passed over. */
export interface AttemptLimit {
  readonly most: number;
  readonly withinMs: number;
}

const MOST_NAMES = 50_000;

/**
 * Counts attempts by name in a sliding window. In memory: each instance counts its own, a restart begins anew; the
 * gateway limits by address before it.
 */
export class Attempts {
  readonly #times = new Map<string, number[]>();

  constructor(private readonly limit: AttemptLimit) {}

  /** Milliseconds until the next attempt is allowed; 0 when this one is, and then it is counted. */
  take(name: string, nowMs: number): number {
    const since = nowMs - this.limit.withinMs;
    const recent = (this.#times.get(name) ?? []).filter((at) => at > since);
    const oldest = recent[0];
    if (recent.length >= this.limit.most && oldest !== undefined) return oldest + this.limit.withinMs - nowMs;
    if (this.#times.size >= MOST_NAMES) this.#times.clear();
    this.#times.delete(name);
    this.#times.set(name, [...recent, nowMs]);
    return 0;
  }
}
