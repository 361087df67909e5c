import { DailyBudgets } from './daily-budgets';

const DAY = 86_400_000;

describe('DailyBudgets', () => {
  it('gives a call back 24 hours after it was made', () => {
    const budgets = new DailyBudgets(new Map([['wall.get', 2]]), 'rolling');
    const spend = (at: number): boolean => budgets.spend('k', 'wall.get', at);
    expect([
      spend(0),
      spend(10),
      spend(11),
      spend(DAY - 1),
      spend(DAY),
      spend(DAY + 9),
      spend(DAY + 10),
    ]).toEqual([true, true, false, false, true, false, true]);
  });

  it('starts again at midnight in Moscow when told so', () => {
    const budgets = new DailyBudgets(new Map([['wall.get', 1]]), 'moscow');
    const midnight = Date.parse('2026-11-21T21:00:00Z');
    const spend = (at: number): boolean => budgets.spend('k', 'wall.get', at);
    expect([spend(midnight - 2), spend(midnight - 1), spend(midnight), spend(midnight + 1)]).toEqual([
      true,
      false,
      true,
      false,
    ]);
  });

  it('counts per key and method, and leaves methods without a budget alone', () => {
    const budgets = new DailyBudgets(
      new Map([
        ['wall.get', 1],
        ['friends.get', 1],
      ]),
      'rolling',
    );
    expect(budgets.spend('a', 'wall.get', 0)).toBe(true);
    expect(budgets.spend('b', 'wall.get', 0)).toBe(true);
    expect(budgets.spend('a', 'friends.get', 0)).toBe(true);
    expect(budgets.spend('a', 'wall.get', 0)).toBe(false);
    expect(budgets.spend('a', 'users.get', 0)).toBe(true);
    budgets.reset();
    expect(budgets.spend('a', 'wall.get', 0)).toBe(true);
  });
});
