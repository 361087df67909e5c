import { seeded } from '@sociograph/testing';
import { countFaults, type Fault, planFaults, SHORTEST_FREEZE_MS } from './fault-plan';

const OPTIONS = { durationMs: 600_000, freezes: 220, longestFreezeMs: 60_000, workers: 4, keyServices: 2 };

describe('a plan of faults', () => {
  it('is the same for the same seed and another for another', () => {
    expect(planFaults(seeded(7), OPTIONS)).toEqual(planFaults(seeded(7), OPTIONS));
    expect(planFaults(seeded(7), OPTIONS)).not.toEqual(planFaults(seeded(8), OPTIONS));
  });

  it('has every kind of fault, in order of time, within its duration', () => {
    const { durationMs, faults } = planFaults(seeded(1), { ...OPTIONS, freezes: 100 });
    expect(durationMs).toBe(600_000);
    expect(countFaults(faults)).toEqual({
      freeze: 100,
      kill: 14,
      flush: 6,
      'script-flush': 3,
      'redis-restart': 5,
      'clock-step': 8,
      'rabbit-cut': 10,
    });
    const times = faults.map((fault) => fault.atMs);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(Math.min(...times)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...times)).toBeLessThanOrEqual(durationMs);
  });

  it.each([1, 2, 3, 4, 5])(
    'freezes for 50 ms to 60 s, never one process twice at a time (seed %s)',
    (seed) => {
      const { durationMs, faults } = planFaults(seeded(seed), OPTIONS);
      const until = new Map<string, number>();
      for (const fault of faults) {
        if (fault.kind !== 'freeze') continue;
        const { role, index } = fault.target;
        expect(fault.forMs).toBeGreaterThanOrEqual(SHORTEST_FREEZE_MS);
        expect(fault.forMs).toBeLessThanOrEqual(60_000);
        expect(fault.atMs).toBeGreaterThanOrEqual(until.get(`${role} ${index}`) ?? 0);
        until.set(`${role} ${index}`, fault.atMs + fault.forMs - 1e-6);
        expect(fault.atMs + fault.forMs).toBeLessThanOrEqual(durationMs);
      }
      expect(until.size).toBe(6);
    },
  );

  it('lasts longer when its freezes do not fit in', () => {
    const { durationMs, faults } = planFaults(seeded(1), { ...OPTIONS, durationMs: 1_000 });
    const frozen = new Map<string, number>();
    for (const fault of faults) {
      if (fault.kind !== 'freeze') continue;
      const key = `${fault.target.role} ${fault.target.index}`;
      frozen.set(key, (frozen.get(key) ?? 0) + fault.forMs);
    }
    expect(durationMs).toBe(Math.ceil(Math.max(...frozen.values()) / 0.6));
  });

  it('steps the clock by two seconds, forwards and backwards in turn', () => {
    const { faults } = planFaults(seeded(3), { ...OPTIONS, freezes: 100 });
    const steps = faults.flatMap((fault: Fault) => (fault.kind === 'clock-step' ? [fault.byMs] : []));
    expect(steps.map(Math.abs)).toEqual(Array.from({ length: 8 }, () => 2_000));
    expect(steps.slice(1).every((by, n) => by === -(steps[n] as number))).toBe(true);
  });

  it('has at least one of each in a short run', () => {
    const { faults } = planFaults(seeded(1), {
      ...OPTIONS,
      durationMs: 10_000,
      freezes: 4,
      longestFreezeMs: 500,
    });
    expect(countFaults(faults)).toEqual({
      freeze: 4,
      kill: 2,
      flush: 1,
      'script-flush': 1,
      'redis-restart': 1,
      'clock-step': 2,
      'rabbit-cut': 1,
    });
  });
});
