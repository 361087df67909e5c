import { averageUtilisation, ceilingOf, percentile, stretches, utilisationOf } from './utilisation';

const always = { from: 0, to: 1_000_000 };
const every = (ms: number, count: number): number[] => Array.from({ length: count }, (_, n) => 100 + n * ms);
const key = (accepted: number[], refused: number[] = []) => ({ name: 'k', perSecond: 3, accepted, refused });

describe('utilisation of one key', () => {
  it('is 1 for calls spread evenly at the quota, however many there are', () => {
    expect(utilisationOf(every(1000 / 3, 10), 3, always)).toBeCloseTo(1, 9);
    expect(utilisationOf(every(1000 / 3, 400), 3, always)).toBeCloseTo(1, 9);
  });

  it('is 1 for bursts of the quota, one a second', () => {
    const bursts = Array.from({ length: 12 }, (_, n) => Math.floor(n / 3) * 1000);
    expect(utilisationOf(bursts, 3, always)).toBe(1);
  });

  it('is the share of the quota for fewer calls, in whatever order they stand', () => {
    expect(utilisationOf(every(500, 20).reverse(), 3, always)).toBeCloseTo(2 / 3, 9);
    expect(utilisationOf(every(340, 100), 3, always)).toBeCloseTo(1000 / 1020, 9);
  });

  it('counts from the first moment up to, not with, the last one', () => {
    const times = [0, 0, 0, 1000, 1000, 1000, 2000];
    expect(utilisationOf(times, 3, { from: 0, to: 2000 })).toBe(1);
    expect(utilisationOf(times, 3, { from: 0, to: 2001 })).toBeCloseTo(4 / 6, 9);
    expect(utilisationOf(times, 3, { from: 1, to: 2000 })).toBe(0);
  });

  it('is 0 where no rate can be told: no more calls than the quota, or all at once', () => {
    expect(utilisationOf([], 3, always)).toBe(0);
    expect(utilisationOf([1, 2, 3], 3, always)).toBe(0);
    expect(utilisationOf([5, 5, 5, 5], 3, always)).toBe(0);
  });

  it('is averaged over keys, an unused one included', () => {
    expect(averageUtilisation([key(every(1000 / 3, 10)), key([])], always)).toBeCloseTo(0.5, 9);
    expect(averageUtilisation([], always)).toBe(0);
  });
});

describe('the ceiling', () => {
  it('is W / (W + J) under a sliding window, and everything under a fixed one', () => {
    expect(ceilingOf('sliding', 1000, 0)).toBe(1);
    expect(ceilingOf('sliding', 1000, 20)).toBeCloseTo(0.98039, 5);
    expect(ceilingOf('sliding', 1000, 100)).toBeCloseTo(0.90909, 5);
    expect(ceilingOf('fixed-clock', 1000, 20)).toBe(1);
    expect(ceilingOf('fixed-first-call', 1000, 100)).toBe(1);
  });
});

describe('a run in stretches', () => {
  it('counts calls, refusals and use in each whole stretch', () => {
    const keys = [key([0, 500, 999, 1000, 2500], [1500]), key([999.9], [0, 2000])];
    expect(stretches(keys, 0, 2999, 1000)).toEqual([
      { from: 0, calls: 5, refused: 1, used: 4 / 6 },
      { from: 1, calls: 2, refused: 1, used: 1 / 6 },
    ]);
    expect(stretches(keys, 0, 3000, 1000)).toHaveLength(3);
    expect(stretches(keys, 1000, 2000, 1000)).toEqual([{ from: 0, calls: 2, refused: 1, used: 1 / 6 }]);
  });
});

describe('percentiles', () => {
  it('are values that occurred', () => {
    const values = Array.from({ length: 100 }, (_, n) => 100 - n);
    expect([0.5, 0.99, 1].map((p) => percentile(values, p))).toEqual([50, 99, 100]);
    expect(percentile([7], 0.5)).toBe(7);
    expect(percentile([], 0.5)).toBeNaN();
  });
});
