import type { PlannedRound } from './arguments';
import { figuresOf, type RoundResult } from './round';
import { chooseRows } from './rows';
import { worstOf } from './worst';

const planned = (row: string): PlannedRound => {
  const [found] = chooseRows([row]);
  if (found === undefined) throw new Error(row);
  return { row: found, system: 'ours', round: 1, seconds: 10, workers: 2 };
};
const stretch = (calls: number, refused: number) => ({ from: 0, calls, refused, used: 1 });
const result = (more: Partial<RoundResult>, row = 'jitter-100'): RoundResult => ({
  plan: planned(row),
  used: 0.9,
  served: 100,
  refused: 0,
  refusedShare: 0,
  leaseMs: { p50: 1, p99: 2 },
  leasesPerSecond: 60,
  lagMs: { mean: 0, p99: 1, max: 3 },
  stretches: [],
  margins: [],
  workers: [],
  ...more,
});

describe('the worst of several rounds', () => {
  it('is the worst of each figure, wherever it came from', () => {
    const worker = {
      leaseMs: [],
      leases: 0,
      answered: 0,
      refused: 0,
      errors: {},
      broken: { timeout: 1 },
      lost: { 'too-late': 2 },
      denied: {},
      lateMs: [],
      aheadMs: [],
      margins: [],
    };
    const line = worstOf(
      [
        result({ used: 0.8, refused: 3, refusedShare: 0.03, workers: [worker, worker] }),
        result({ leaseMs: { p50: 5, p99: 6 }, leasesPerSecond: 50, lagMs: { mean: 0, p99: 1, max: 9 } }),
      ],
      4,
      1000,
    );
    expect(line).toMatchObject({
      rounds: 2,
      used: 0.8,
      refused: 3,
      refusedShare: 0.03,
      leaseP50: 5,
      leaseP99: 6,
      leasesPerSecond: 50,
      lagMs: 9,
      repeats: 4,
      lost: { 'too-late': 4, timeout: 2 },
    });
    expect(line.ofCeiling).toBeCloseTo(0.88, 9);
  });

  it('finds the worst minute at any ten seconds; a shorter run is one minute', () => {
    const quiet = Array.from({ length: 6 }, () => stretch(100, 0));
    const worst = (stretches: RoundResult['stretches']): number =>
      worstOf([result({ stretches, refusedShare: 0.5 })], 0, 1000).refusedOfMinute;
    expect(worst([...quiet, stretch(100, 6), stretch(100, 6), ...quiet])).toBeCloseTo(12 / 600, 9);
    expect(worst(quiet)).toBe(0);
    expect(worst(quiet.slice(1))).toBe(0.5);
  });
});

describe('what a round counts', () => {
  const arrivals = [1, 2, 3].map((n) => ({
    name: `user-${n}`,
    perSecond: 1,
    accepted: [0, 1000 * n, 2000 * n],
    refused: n === 1 ? [5, 6] : [],
  }));
  const within = { from: 0, to: 1e6 };

  it('counts all keys alike', () => {
    const figures = figuresOf(planned('jitter-20'), arrivals, within);
    expect(figures).toMatchObject({ served: 9, refused: 2, refusedShare: 2 / 11 });
    expect(figures.used).toBeCloseTo((1 + 1 / 2 + 1 / 3) / 3, 9);
    expect(figures.foreignKey).toBeUndefined();
  });

  it('shows the key that a stranger uses apart from the others', () => {
    const figures = figuresOf(planned('foreign'), arrivals, within);
    expect(figures).toMatchObject({ served: 6, refused: 0, refusedShare: 0 });
    expect(figures.used).toBeCloseTo((1 / 2 + 1 / 3) / 2, 9);
    expect(figures.foreignKey).toEqual({ used: 1, served: 3, refused: 2 });
  });
});
