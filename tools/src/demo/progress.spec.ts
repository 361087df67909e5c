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
const stats = { served: 7, refused: 0, firstCallAt: 1000, lastCallAt: 2000 };
const input = { view, stats, limitPerSecond: 60, ratePerSecond: 57.25, elapsedMs: 3000 };

describe('the line of progress', () => {
  it('shows calls, people, friendships and the rate against the limit', () => {
    expect(progressLine(input)).toBe(
      '  3.0 s  ██████████··················  7 calls  50/100 people  1234 friendships seen  57.3/60 calls/s  still growing',
    );
  });

  it('shows a percentage and the time left only once the frontier is closed', () => {
    expect(progressLine({ ...input, view: { ...view, frontierClosed: true } })).toMatch(/37 %, ETA 5 s$/);
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
    expect(quotaUsed({ served: 54, refused: 0, firstCallAt: 1000, lastCallAt: 2000 }, 60)).toBeCloseTo(0.9);
  });

  it('is unknown before two calls', () => {
    expect(quotaUsed({ served: 0, refused: 0, firstCallAt: null, lastCallAt: null }, 60)).toBeUndefined();
    expect(quotaUsed({ served: 1, refused: 0, firstCallAt: 5, lastCallAt: 5 }, 60)).toBeUndefined();
  });
});
