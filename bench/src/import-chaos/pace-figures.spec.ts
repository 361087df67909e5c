import { figuresOf, missesOfPace, type PaceSeen } from './pace-figures';

/** 200 calls in 100 s, every twentieth not packed; estimates that are right. */
function seen(changes: Partial<PaceSeen> = {}): PaceSeen {
  const all = Array.from({ length: 200 }, (_, index) => 1_000_000 + index * 500);
  const packed = all.filter((_, index) => index % 20 !== 0);
  const samples = Array.from({ length: 100 }, (_, second) => ({
    at: 5_000 + second * 1_000,
    callsMade: second * 2 + 2,
    etaMs: 100_000 - second * 1_000,
  }));
  const times = { startedAt: 5_000, endedAt: 105_000 };
  return { ...times, samples, packed, all, lists: packed.length * 24.6, callsPerSecond: 2.5, ...changes };
}

describe('the pace of an import', () => {
  it('is measured in the middle half of its calls', () => {
    const figures = figuresOf(seen());
    expect(figures.seconds).toBe(100);
    expect(figures.pack).toBeCloseTo(24.6, 6);
    expect(figures.quota).toBeCloseTo(0.8, 2);
    expect(figures.listsPerSecond).toBeCloseTo(2 * 0.95 * 24.6, 0);
    expect([figures.etaOfWhole, figures.etaOfLeft]).toEqual([0, 0]);
  });

  it('falls by a pause in the middle half, not by a slow start', () => {
    const { all, packed } = seen();
    const paused = (times: readonly number[]) => times.map((at) => (at < 1_040_000 ? at : at + 50_000));
    expect(figuresOf(seen({ all: paused(all), packed: paused(packed) })).quota).toBeCloseTo(0.4, 2);
    const slowStart = all.map((at, index) => (index < 20 ? at - 1_000_000 : at));
    expect(figuresOf(seen({ all: slowStart })).quota).toBeCloseTo(0.8, 2);
  });

  it('counts the worst estimate from half of the calls on, against the whole time and against what was left', () => {
    const { samples } = seen();
    const wrongAt = (second: number, etaMs: number | undefined): PaceSeen =>
      seen({ samples: samples.map((one, index) => (index === second ? { ...one, etaMs } : one)) });
    const of = (given: PaceSeen) => {
      const { etaOfWhole, etaOfLeft } = figuresOf(given);
      return [etaOfWhole, etaOfLeft];
    };
    expect(of(wrongAt(48, 900_000))).toEqual([0, 0]);
    expect(of(wrongAt(50, 60_000))).toEqual([0.1, 0.2]);
    expect(of(wrongAt(80, 25_000))).toEqual([0.05, 0.25]);
    // With five seconds left and less only the whole time tells something.
    expect(of(wrongAt(95, 8_000))).toEqual([0.03, 0]);
    expect(of(wrongAt(60, undefined))).toEqual([Infinity, Infinity]);
  });

  it('is missed in words', () => {
    const good = { seconds: 80, pack: 24.5, quota: 0.9, listsPerSecond: 140, etaOfWhole: 0.2, etaOfLeft: 1 };
    expect(missesOfPace(good, 2)).toEqual([]);
    expect(missesOfPace({ ...good, pack: 24.49, listsPerSecond: 139.9, etaOfWhole: 0.21 }, 2)).toEqual([
      'a packed call holds 24.49 of 25',
      '139.9 lists a second of 2 keys, 140 are asked for',
      'an estimate was wrong by 21 % of the whole time',
    ]);
    expect(missesOfPace({ ...good, seconds: 59, etaOfWhole: NaN }, 2)).toEqual([
      'the import took 59 s: for an estimate more people are needed',
    ]);
  });
});
