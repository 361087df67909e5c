import { progressLine, quotaUsed } from './progress';
import type { ImportView } from '@sociograph/api-client';

const view: ImportView = {
  id: 'i',
  state: 'running',
  counters: {
    people: { known: 100, done: 50 },
    lists: { known: 100, done: 25 },
    calls: { made: 7 },
    friendshipObservations: 1234,
  },
  frontierClosed: false,
};
const stats = (served: number, seconds: number) => ({
  totals: { served, refused: 0, overBudget: 0, seconds },
});
const input = { view, limitPerSecond: 60, ratePerSecond: 57.25, elapsedMs: 3000 };

describe('the line of progress', () => {
  it('shows calls, people, friendships and the rate against the limit', () => {
    expect(progressLine(input)).toBe(
      '  3.0 s  ██████████··················  7 calls  50/100 people  1234 friendships seen  57.3/60 calls/s  still growing',
    );
  });

  it('shows a percentage and the time left only once the frontier is closed', () => {
    expect(progressLine({ ...input, view: { ...view, frontierClosed: true } })).toMatch(/37 %, ETA 5 s$/);
  });

  it('says when only the views are behind', () => {
    expect(progressLine({ ...input, view: { ...view, state: 'settling', frontierClosed: true } })).toMatch(
      /all fetched, the views catch up$/,
    );
  });

  it('does not divide by nothing', () => {
    const empty = {
      ...view,
      counters: { ...view.counters, people: { known: 0, done: 0 }, lists: { known: 0, done: 0 } },
    };
    expect(progressLine({ ...input, view: { ...empty, frontierClosed: true } })).toMatch(/0 %, ETA \? s$/);
  });
});

describe('the share of the quota', () => {
  it('is calls served over what the keys allow from the first to the last call', () => {
    expect(quotaUsed(stats(54, 1), 60)).toBeCloseTo(0.9);
  });

  it('is unknown before two calls', () => {
    expect(quotaUsed(stats(0, 0), 60)).toBeUndefined();
    expect(quotaUsed(stats(1, 0), 60)).toBeUndefined();
  });
});
