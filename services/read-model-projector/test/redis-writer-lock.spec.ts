import { SystemClock } from '@sociograph/kernel';
import type { Redis } from 'ioredis';
import { connectRedis } from '../src/infrastructure/redis-connection';
import { RedisWriterLock } from '../src/infrastructure/redis-writer-lock';
import { server, silent, unique } from './servers';

const TTL_MS = 1500;

describe('RedisWriterLock', () => {
  let redis: Redis;
  let scope: string;
  const lockOf = (holder: string, ttlMs = TTL_MS): RedisWriterLock =>
    new RedisWriterLock(redis, new SystemClock(), holder, ttlMs, `${scope}:`);

  beforeAll(async () => {
    redis = connectRedis(server('REDIS_POOL_URL'), 'spec', silent);
    await new Promise<unknown>((resolve) => redis.once('ready', resolve));
  });

  beforeEach(() => {
    scope = unique('spec');
  });

  afterAll(() => redis.disconnect());

  it('is held by one of twenty who ask at once', async () => {
    const fences = await Promise.all(Array.from({ length: 20 }, (_, i) => lockOf(`h${i}`).acquire(0)));
    expect(fences.filter((fence) => fence !== undefined)).toEqual([1]);
  });

  it('gives a higher fence to each holder, above the one asked for', async () => {
    const first = lockOf('first');
    expect(await first.acquire(0)).toBe(1);
    await first.release();
    expect(await lockOf('second').acquire(0)).toBe(2);
    await redis.del(`projector:${scope}:writer`);
    expect(await lockOf('third').acquire(70)).toBe(71);
  });

  it('is held for less than its time to live, and longer when renewed', async () => {
    let now = 0;
    const clock = { nowMs: () => 0, monotonicMs: () => now };
    const lock = new RedisWriterLock(redis, clock, 'holder', TTL_MS, `${scope}:`);
    expect(lock.held()).toBe(false);
    await lock.acquire(0);
    now = TTL_MS - 501;
    expect(lock.held()).toBe(true);
    now = TTL_MS - 500;
    expect(lock.held()).toBe(false);
    expect(await lock.renew()).toBe(true);
    expect(lock.held()).toBe(true);
    await lock.release();
    expect(lock.held()).toBe(false);
    expect(await redis.exists(`projector:${scope}:writer`)).toBe(0);
  });

  it('expires by itself, and is taken up again by a holder after whom nobody came', async () => {
    const first = lockOf('first');
    await first.acquire(0);
    const left = await redis.pttl(`projector:${scope}:writer`);
    expect(left).toBeGreaterThan(TTL_MS - 500);
    expect(left).toBeLessThanOrEqual(TTL_MS);
    await redis.del(`projector:${scope}:writer`); // As if it had expired.
    expect(await first.renew()).toBe(true);
    expect(await lockOf('second').acquire(0)).toBeUndefined();
  });

  it('is lost for good once another had it', async () => {
    const first = lockOf('first');
    await first.acquire(0);
    await redis.del(`projector:${scope}:writer`);
    const second = lockOf('second');
    expect(await second.acquire(0)).toBe(2);
    expect(await first.renew()).toBe(false);
    expect(first.held()).toBe(false);
    await first.release();
    expect(await second.renew()).toBe(true);
    await second.release();
    expect(await first.renew()).toBe(false);
  });

  it('says that Redis is away instead of waiting', async () => {
    const gone = connectRedis('redis://127.0.0.1:1', 'spec', silent);
    const lock = new RedisWriterLock(gone, new SystemClock(), 'holder', TTL_MS);
    await expect(lock.acquire(0)).rejects.toMatchObject({ code: 'VIEWS.LOCK_AWAY', kind: 'unavailable' });
    gone.disconnect();
  });
});
