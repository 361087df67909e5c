import { POOL_LUA } from '../src/infrastructure/pool-script';
import { planted, PLANTS } from '../src/simulation/plants';
import { type RedisPair, startRedisPair } from '../src/simulation/redis-pair';
import { simulate } from '../src/simulation/simulate';
import { SIMULATED_LUA, TIME_LINE } from '../src/simulation/simulated-lua';

describe('the script of the pool under a virtual clock', () => {
  let redis: RedisPair;

  beforeAll(async () => {
    redis = await startRedisPair();
  });

  afterAll(() => {
    redis.stop();
  });

  async function firstBroken(name: string, seeds: number): Promise<string | undefined> {
    const plant = PLANTS.find((known) => known.name === name);
    if (plant === undefined) throw new Error(`no plant ${name}`);
    for (let seed = 1; seed <= seeds; seed += 1) {
      const { violations } = await simulate(redis, { seed, lua: planted(SIMULATED_LUA, plant) });
      if (violations[0] !== undefined) return violations[0].invariant;
    }
    return undefined;
  }

  it('differs from the one that runs in nothing but its look at the clock', () => {
    expect(POOL_LUA.split(TIME_LINE)).toHaveLength(2);
    expect(POOL_LUA.split("'TIME'")).toHaveLength(2);
    const simulated = SIMULATED_LUA.split('\n');
    const differing = POOL_LUA.split('\n').filter((line, index) => line !== simulated[index]);
    expect(differing).toEqual([TIME_LINE]);
    expect(simulated).toHaveLength(POOL_LUA.split('\n').length);
  });

  it('breaks no invariant in twenty seeds of at least 200 grants and five faults', async () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const report = await simulate(redis, { seed, lua: SIMULATED_LUA });
      expect({ seed, violations: report.violations }).toEqual({ seed, violations: [] });
      expect(report.grants).toBeGreaterThanOrEqual(200);
      expect(report.faults.length).toBeGreaterThanOrEqual(5);
    }
  }, 180_000);

  it('runs the same way again for the same seed', async () => {
    const one = await simulate(redis, { seed: 7, lua: SIMULATED_LUA });
    const again = await simulate(redis, { seed: 7, lua: SIMULATED_LUA });
    expect([...again.counts].sort()).toEqual([...one.counts].sort());
    expect(again.seconds).toBe(one.seconds);
  }, 60_000);

  it('finds planted faults', async () => {
    expect(await firstBroken('hole-kept', 10)).toBe('overstep');
    expect(await firstBroken('same-fence', 10)).toBe('fence-given-twice');
    expect(await firstBroken('any-fence', 10)).toBe('settled-by-a-wrong-fence');
  }, 180_000);
});
