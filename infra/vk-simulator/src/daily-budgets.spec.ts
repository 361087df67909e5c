import { DailyBudgets } from './daily-budgets';
import type { BudgetOptions, Refusal } from './daily-budgets';

const DAY = 86_400_000;

const budgetsOf = (limits: Record<string, number>, more: Partial<BudgetOptions> = {}): DailyBudgets =>
  new DailyBudgets({
    limits: new Map(Object.entries(limits)),
    hidden: new Map(),
    stages: [2, 3],
    day: 'rolling',
    ...more,
  });

describe('DailyBudgets', () => {
  it('gives a call back 24 hours after it was made', () => {
    const budgets = budgetsOf({ 'wall.get': 2 });
    const spend = (at: number): Refusal | undefined => budgets.refusal('k', 'wall.get', at);
    expect([0, 10, 11, DAY - 1, DAY, DAY + 9, DAY + 10].map(spend)).toEqual([
      undefined,
      undefined,
      'limit',
      'limit',
      undefined,
      'limit',
      undefined,
    ]);
  });

  it('starts again at midnight in Moscow when told so', () => {
    const budgets = budgetsOf({ 'wall.get': 1 }, { day: 'moscow' });
    const midnight = Date.parse('2026-11-21T21:00:00Z');
    const spend = (at: number): Refusal | undefined => budgets.refusal('k', 'wall.get', at);
    expect([midnight - 2, midnight - 1, midnight, midnight + 1].map(spend)).toEqual([
      undefined,
      'limit',
      undefined,
      'limit',
    ]);
  });

  it('counts per key and method, and leaves methods without a budget alone', () => {
    const budgets = budgetsOf({ 'wall.get': 1, 'friends.get': 1 });
    expect(budgets.refusal('a', 'wall.get', 0)).toBeUndefined();
    expect(budgets.refusal('b', 'wall.get', 0)).toBeUndefined();
    expect(budgets.refusal('a', 'friends.get', 0)).toBeUndefined();
    expect(budgets.refusal('a', 'wall.get', 0)).toBe('limit');
    for (let n = 0; n < 5; n += 1) expect(budgets.refusal('a', 'users.get', 0)).toBeUndefined();
    budgets.reset();
    expect(budgets.refusal('a', 'wall.get', 0)).toBeUndefined();
  });

  it('asks for captchas, then refuses, then is silent over an undisclosed budget, from the first stage each time', () => {
    const budgets = budgetsOf({}, { hidden: new Map([['groups.get', 1]]) });
    const spend = (at: number): Refusal | undefined => budgets.refusal('k', 'groups.get', at);
    const over = ['captcha', 'captcha', 'limit', 'limit', 'limit', 'silence', 'silence'];
    expect(Array.from({ length: 8 }, (_, at) => spend(at))).toEqual([undefined, ...over]);
    expect([spend(DAY), spend(DAY + 1)]).toEqual([undefined, 'captcha']);
    budgets.forgive('k', 'groups.get');
    expect(Array.from({ length: 7 }, (_, at) => spend(DAY + 2 + at))).toEqual(over);
  });
});
