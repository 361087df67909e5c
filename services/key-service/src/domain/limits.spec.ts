import { blockSize, longLimitsOf, methodOf, spanOf } from './limits';

describe('limits longer than a window', () => {
  it('are those of the key over those that its network declares', () => {
    const own = {
      perSecond: 3,
      perMinute: 100,
      perHour: 2000,
      perDay: 9000,
      methodsPerDay: { 'wall.get': 70 },
    };
    expect(longLimitsOf(own, { 'wall.get': 5000, 'wall.search': 1000 })).toEqual([
      { name: 'minute', calls: 100 },
      { name: 'hour', calls: 2000 },
      { name: 'day', calls: 9000 },
      { name: 'day:wall.get', calls: 70 },
      { name: 'day:wall.search', calls: 1000 },
    ]);
    expect(longLimitsOf({ perSecond: 3 })).toEqual([]);
    expect(longLimitsOf({ perSecond: 3, perDay: 1 }, {})).toEqual([{ name: 'day', calls: 1 }]);
  });

  it('have a rolling span', () => {
    expect(spanOf('minute')).toBe(60_000);
    expect(spanOf('hour')).toBe(3_600_000);
    expect(spanOf('day')).toBe(86_400_000);
    expect(spanOf('day:wall.get')).toBe(86_400_000);
    expect(() => spanOf('week')).toThrow('There is no limit named week.');
  });

  it('may be about one method', () => {
    expect(methodOf('day:wall.get')).toBe('wall.get');
    expect(methodOf('day')).toBeUndefined();
  });

  it.each([
    [5000, 0, 100],
    [5001, 0, 101],
    [1250, 0, 25],
    [1251, 0, 26],
    [100, 0, 25],
    [20, 0, 20],
    [1, 0, 1],
    [5000, 250, 250],
    [200, 250, 200],
    [5000, -30, 100],
  ])('of %i calls, %i missing for a request, are booked %i at a time', (calls, missing, size) => {
    expect(blockSize(calls, missing)).toBe(size);
  });
});
