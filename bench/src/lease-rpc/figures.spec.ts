import { misses, percentile, timesOf } from './figures';

describe('figures of the lease bench', () => {
  it('takes percentiles by nearest rank', () => {
    const hundred = Array.from({ length: 100 }, (_, i) => i + 1);
    expect(percentile(hundred, 0.5)).toBe(50);
    expect(percentile(hundred, 0.99)).toBe(99);
    expect(percentile(hundred, 0.999)).toBe(100);
    expect(percentile([7], 0)).toBe(7);
    expect(percentile([], 0.5)).toBeNaN();
  });

  it('sorts by number, not by text', () => {
    expect(timesOf([10, 9, 100, 1])).toEqual({ count: 4, p50: 9, p99: 100, p999: 100, max: 100 });
    expect(timesOf([])).toEqual({ count: 0, p50: NaN, p99: NaN, p999: NaN, max: NaN });
  });

  it('says which bar is missed, and nothing when each is met exactly', () => {
    const bars = { perSecond: 2500, p99Ms: 5 };
    expect(misses({ sustained: 2500, openP99: 5, roundTripsPerGrant: 1 }, bars)).toEqual([]);
    expect(misses({ sustained: 2499.4, openP99: 5.01, roundTripsPerGrant: 2 }, bars)).toEqual([
      '2499 grants/s are fewer than 2500',
      'p99 of 5.01 ms is above 5 ms',
      '2 round trips to Redis per grant instead of one',
    ]);
    expect(misses({ sustained: NaN, openP99: NaN, roundTripsPerGrant: 1 }, bars)).toHaveLength(2);
  });
});
