import { apiErrors, ExecuteStopped } from './api-error';

/** How long the calls of one request take: what makes large packs of heavy methods run into error 36. */
export class CallTimes {
  /** Milliseconds so far. */
  total = 0;

  constructor(
    private readonly byMethod: ReadonlyMap<string, number>,
    private readonly timeoutMs: number,
  ) {}

  /** A call that is a request of its own: slow, but never interrupted. */
  spend(method: string): void {
    this.total += this.byMethod.get(method) ?? 0;
  }

  /** A call inside `execute`. Throws when all of them together take longer than the setting: the script ends there. */
  spendInside(method: string): void {
    this.spend(method);
    if (this.timeoutMs === 0 || this.total <= this.timeoutMs) return;
    this.total = this.timeoutMs;
    throw new ExecuteStopped(apiErrors.timedOut());
  }
}
