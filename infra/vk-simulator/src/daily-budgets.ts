export type DayKind = 'rolling' | 'moscow';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/**
 * How often one token may call one method in a day. VK does not say when its day begins: `rolling` = the last 24
 * hours, `moscow` = since midnight there (UTC+3). A refused call takes no place.
 */
export class DailyBudgets {
  private readonly spent = new Map<string, number[]>();

  constructor(
    private readonly limits: ReadonlyMap<string, number>,
    private readonly day: DayKind,
  ) {}

  /** True when the method has no budget, or the token has a call of it left, which is then spent. */
  spend(key: string, method: string, at: number): boolean {
    const limit = this.limits.get(method);
    if (limit === undefined) return true;
    const name = `${key} ${method}`;
    const calls = this.spent.get(name) ?? [];
    const since = this.day === 'rolling' ? at - DAY_MS : midnightInMoscow(at) - 1;
    let outdated = 0;
    while (outdated < calls.length && (calls[outdated] as number) <= since) outdated += 1;
    if (outdated > 0) calls.splice(0, outdated);
    if (calls.length >= limit) return false;
    calls.push(at);
    this.spent.set(name, calls);
    return true;
  }

  reset(): void {
    this.spent.clear();
  }
}

function midnightInMoscow(at: number): number {
  return Math.floor((at + 3 * HOUR_MS) / DAY_MS) * DAY_MS - 3 * HOUR_MS;
}
