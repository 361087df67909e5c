import { Utilisation } from './utilisation';

describe('utilisation of the last minute', () => {
  it('is what was sent in the 59 whole seconds before over what was allowed', () => {
    const used = new Utilisation();
    for (let second = 1_000; second < 1_059; second += 1) used.add(3, second * 1000);
    expect(used.share(0.003, 1_059_000)).toBe(1);
    expect(used.share(0.006, 1_059_999)).toBe(0.5);
    expect(used.share(0.003, 1_060_000)).toBeCloseTo(58 / 59, 12);
  });

  it('does not count the present second, nor one that is a minute old', () => {
    const used = new Utilisation();
    used.add(59, 1_000_000);
    expect(used.share(0.001, 1_000_999)).toBe(0);
    expect(used.share(0.001, 1_001_000)).toBe(1);
    expect(used.share(0.001, 1_059_999)).toBe(1);
    expect(used.share(0.001, 1_060_000)).toBe(0);
    used.add(59, 1_060_000);
    expect(used.share(0.001, 1_061_000)).toBe(1);
  });

  it('adds up within a second and is 0 where nothing is allowed or the clock is unknown', () => {
    const used = new Utilisation();
    used.add(20, 5_100);
    used.add(39, 5_900);
    expect(used.share(0.001, 6_000)).toBe(1);
    expect(used.share(0, 6_000)).toBe(0);
    used.add(5, NaN);
    expect(used.share(0.001, NaN)).toBe(0);
  });
});
