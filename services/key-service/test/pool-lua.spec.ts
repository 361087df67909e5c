import { Redis } from 'ioredis';
import { POOL_LUA } from '../src/infrastructure/pool-script';
import { redisUrl, simulate, SIMULATED_LUA, TIME_LINE } from './pool-simulation';

describe('the script of the pool under a virtual clock', () => {
  let redis: Redis;

  beforeAll(() => {
    redis = new Redis(redisUrl());
  });

  afterAll(async () => {
    await redis.quit();
  });

  it('differs from the one that runs in nothing but its look at the clock', () => {
    expect(POOL_LUA.split(TIME_LINE)).toHaveLength(2);
    const differing = POOL_LUA.split('\n').filter((line, index) => line !== SIMULATED_LUA.split('\n')[index]);
    expect(differing).toEqual([TIME_LINE]);
  });

  it.each([1, 2, 3, 4, 5, 6, 7, 8])(
    'never lets more calls than the quota into a window, whatever happens to leases and keys (seed %i)',
    async (seed) => {
      const report = await simulate(redis, {
        seed,
        keys: 4,
        quota: 3,
        seconds: 12,
        workers: 9,
        unsent: 0.15,
        lost: 0.1,
        refused: 0.03,
        disturbed: true,
      });
      expect(report.oversteps).toEqual([]);
      expect(report.granted).toBeGreaterThan(60);
    },
  );

  it('uses more than 95.5 % of two keys of 3 calls a second at a margin of 40 ms', async () => {
    const report = await simulate(redis, {
      seed: 42,
      keys: 2,
      quota: 3,
      seconds: 60,
      workers: 6,
      unsent: 0,
      lost: 0,
      refused: 0,
      disturbed: false,
    });
    expect(report.oversteps).toEqual([]);
    expect(report.utilisation).toBeGreaterThan(0.955);
    expect(report.utilisation).toBeLessThanOrEqual(1000 / 1030 + 0.002);
  });

  it('uses slots again that were reported unsent before their time', async () => {
    const report = await simulate(redis, {
      seed: 7,
      keys: 2,
      quota: 20,
      seconds: 20,
      workers: 40,
      unsent: 0.2,
      lost: 0,
      refused: 0,
      disturbed: false,
    });
    expect(report.oversteps).toEqual([]);
    expect(report.utilisation).toBeGreaterThan(0.85);
  });
});
