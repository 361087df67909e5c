export type DayKind = 'rolling' | 'moscow';
/** `limit`: error 29; `captcha`: error 14; `silence`: no answer. */
export type Refusal = 'limit' | 'captcha' | 'silence';

export interface BudgetOptions {
  /** Documented limits by method: over them 29. */
  limits: ReadonlyMap<string, number>;
  /** Undisclosed ones: over them first 14, then 29, then no answer. */
  hidden: ReadonlyMap<string, number>;
  /** How many refusals the first two stages of an undisclosed budget last. */
  stages: readonly [captchas: number, limits: number];
  day: DayKind;
}

interface Spent {
  calls: number[];
  /** Refusals since the last call that was let through. */
  refused: number;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/**
 * How often one token may call one method in a day. VK does not say when its day begins: `rolling` = the last 24
 * hours, `moscow` = since midnight there (UTC+3). A refused call takes no place.
 */
export class DailyBudgets {
  private readonly spent = new Map<string, Spent>();

  constructor(private readonly options: BudgetOptions) {}

  /** Undefined when the method has no budget, or the token has a call of it left, which is then spent. */
  refusal(key: string, method: string, at: number): Refusal | undefined {
    const documented = this.options.limits.get(method);
    const hidden = this.options.hidden.get(method);
    if (documented === undefined && hidden === undefined) return undefined;
    const spent = this.of(key, method);
    this.forget(spent.calls, at);
    const { length } = spent.calls;
    if (hidden !== undefined && length >= hidden) return this.staged(spent);
    if (documented !== undefined && length >= documented) return 'limit';
    spent.calls.push(at);
    spent.refused = 0;
    return undefined;
  }

  /** The stages of an undisclosed budget begin again: somebody passed its captcha. */
  forgive(key: string, method: string): void {
    this.of(key, method).refused = 0;
  }

  reset(): void {
    this.spent.clear();
  }

  private staged(spent: Spent): Refusal {
    const [captchas, limits] = this.options.stages;
    spent.refused += 1;
    if (spent.refused <= captchas) return 'captcha';
    return spent.refused <= captchas + limits ? 'limit' : 'silence';
  }

  private of(key: string, method: string): Spent {
    const name = `${key} ${method}`;
    let spent = this.spent.get(name);
    if (spent === undefined) this.spent.set(name, (spent = { calls: [], refused: 0 }));
    return spent;
  }

  private forget(calls: number[], at: number): void {
    const since = this.options.day === 'rolling' ? at - DAY_MS : midnightInMoscow(at) - 1;
    let outdated = 0;
    while (outdated < calls.length && (calls[outdated] as number) <= since) outdated += 1;
    if (outdated > 0) calls.splice(0, outdated);
  }
}

function midnightInMoscow(at: number): number {
  return Math.floor((at + 3 * HOUR_MS) / DAY_MS) * DAY_MS - 3 * HOUR_MS;
}
