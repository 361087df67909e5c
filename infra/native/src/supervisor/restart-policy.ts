export interface RestartRules {
  readonly firstDelayMs: number;
  readonly longestDelayMs: number;
  /** After this long alive a process counts as healthy: its next death starts the ladder of delays anew. */
  readonly healthyAfterMs: number;
  /** So many deaths within `windowMs` and the process is given up. */
  readonly deaths: number;
  readonly windowMs: number;
}

export const USUAL_RULES: RestartRules = {
  firstDelayMs: 200,
  longestDelayMs: 5000,
  healthyAfterMs: 10_000,
  deaths: 10,
  windowMs: 60_000,
};

export type Verdict = { kind: 'restart'; delayMs: number } | { kind: 'give-up'; deaths: number };

/** When to start a process again that ended by itself: sooner at first, later each time, not at all in the end. */
export class RestartPolicy {
  private deathsAt: number[] = [];
  private inARow = 0;

  constructor(private readonly rules: RestartRules = USUAL_RULES) {}

  /** `now` in ms on any clock that does not jump; `livedMs` since the process was started. */
  died(now: number, livedMs: number): Verdict {
    this.deathsAt = [...this.deathsAt.filter((at) => now - at < this.rules.windowMs), now];
    if (this.deathsAt.length >= this.rules.deaths) return { kind: 'give-up', deaths: this.deathsAt.length };
    if (livedMs >= this.rules.healthyAfterMs) this.inARow = 0;
    const delayMs = Math.min(this.rules.firstDelayMs * 2 ** this.inARow, this.rules.longestDelayMs);
    this.inARow += 1;
    return { kind: 'restart', delayMs };
  }

  /** A person started it again by hand: what was before no longer counts. */
  forget(): void {
    this.deathsAt = [];
    this.inARow = 0;
  }
}
