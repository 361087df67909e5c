import { TimeOrderedIds } from '@sociograph/kernel';
import { eventually, fakeClock } from '@sociograph/testing';
import type { Redis } from 'ioredis';
import { connectRedis } from '../src/infrastructure/redis-connection';
import { RedisViewCache } from '../src/infrastructure/redis-view-cache';
import { server, silent, unique } from './servers';

describe('RedisViewCache', () => {
  const connections: Redis[] = [];
  let prefix: string;

  const connect = async (): Promise<Redis> => {
    const redis = connectRedis(server('REDIS_CACHE_URL'), 'spec', silent);
    connections.push(redis);
    await new Promise<unknown>((resolve) => redis.once('ready', resolve));
    return redis;
  };

  /** One instance; resolves when its subscription stands. */
  const instance = async (): Promise<RedisViewCache> => {
    const redis = await connect();
    const cache = new RedisViewCache(redis, await connect(), new TimeOrderedIds(), prefix);
    await eventually(async () => (cache as unknown as { listening: boolean }).listening);
    return cache;
  };

  beforeEach(() => {
    prefix = `${unique('spec')}:`;
  });

  afterEach(() => {
    for (const redis of connections.splice(0)) redis.disconnect();
  });

  it('loads once, then answers from the process', async () => {
    const cache = await instance();
    const load = jest.fn(async () => ({ users: 1 }));
    expect(await cache.read('demo.vk', 'summary', load)).toEqual({ users: 1 });
    expect(await cache.read('demo.vk', 'summary', load)).toEqual({ users: 1 });
    expect(await cache.read('other.vk', 'summary', load)).toEqual({ users: 1 });
    expect(load).toHaveBeenCalledTimes(2);
  });

  it('answers another instance from Redis once the graph has a generation', async () => {
    const [one, other] = [await instance(), await instance()];
    await one.forget(['demo.vk']);
    await one.read('demo.vk', 'summary', async () => 'row');
    await eventually(async () => (await other.read('demo.vk', 'summary', async () => undefined)) === 'row');
  });

  it('forgets a graph in every instance, and only that graph', async () => {
    const [one, other] = [await instance(), await instance()];
    await one.forget(['demo.vk', 'demo.ok']);
    for (const graph of ['demo.vk', 'demo.ok']) {
      await one.read(graph, 'summary', async () => 'old');
      await eventually(async () => (await other.read(graph, 'summary', async () => undefined)) === 'old');
    }
    await one.forget(['demo.vk']);
    expect(await one.read('demo.vk', 'summary', async () => 'new')).toBe('new');
    await eventually(async () => (await other.read('demo.vk', 'summary', async () => 'new')) === 'new');
    expect(await other.read('demo.ok', 'summary', async () => 'new')).toBe('old');
  });

  it('does not keep what was read before the graph was forgotten', async () => {
    const [reader, writer] = [await instance(), await instance()];
    await writer.forget(['demo.vk']);
    const slow = async (): Promise<string> => {
      await writer.forget(['demo.vk']);
      return 'old';
    };
    await reader.read('demo.vk', 'summary', slow);
    await eventually(async () => (await reader.read('demo.vk', 'summary', async () => 'new')) === 'new');
    expect(await (await instance()).read('demo.vk', 'summary', async () => 'new')).toBe('new');
  });

  it('loads once for all who ask at the same time, and anew for whoever asks after the graph was forgotten', async () => {
    const cache = await instance();
    await cache.forget(['demo.vk']);
    const answers: ((row: string) => void)[] = [];
    const load = (): Promise<string> => new Promise((resolve) => answers.push(resolve));
    const many = Array.from({ length: 20 }, () => cache.read('demo.vk', 'summary', load));
    await eventually(async () => answers.length === 1);
    await cache.forget(['demo.vk']);
    const late = cache.read('demo.vk', 'summary', load);
    await eventually(async () => answers.length === 2);
    answers[0]!('old');
    answers[1]!('new');
    expect(new Set(await Promise.all(many))).toEqual(new Set(['old']));
    expect([await late, await cache.read('demo.vk', 'summary', async () => 'newer')]).toEqual(['new', 'new']);
  });

  it('shares no failure with whoever asks later', async () => {
    const cache = await instance();
    await expect(cache.read('demo.vk', 'summary', () => Promise.reject(new Error('away')))).rejects.toThrow(
      'away',
    );
    expect(await cache.read('demo.vk', 'summary', async () => 'row')).toBe('row');
  });

  it('keeps nothing in the process for more than two seconds, should the notice not come', async () => {
    const clock = fakeClock();
    const [redis, subscriber] = [await connect(), await connect()];
    const cache = new RedisViewCache(redis, subscriber, new TimeOrderedIds(), prefix, clock);
    await eventually(async () => (cache as unknown as { listening: boolean }).listening);
    await cache.read('demo.vk', 'summary', async () => 'old');
    clock.advance(1999);
    expect(await cache.read('demo.vk', 'summary', async () => 'new')).toBe('old');
    clock.advance(1);
    // The other instance's forgetting, without its notice.
    await redis.set(`${prefix}views:generation:demo.vk`, 'another');
    expect(await cache.read('demo.vk', 'summary', async () => 'new')).toBe('new');
  });

  it('does not remember that there was nothing', async () => {
    const cache = await instance();
    expect(await cache.read('demo.vk', 'profile:1', async () => undefined)).toBeUndefined();
    expect(await cache.read('demo.vk', 'profile:1', async () => 'row')).toBe('row');
  });

  it('reads the store every time while Redis is away, and says so when it must forget', async () => {
    const gone = connectRedis('redis://127.0.0.1:1', 'spec', silent);
    connections.push(gone);
    const cache = new RedisViewCache(gone, gone, new TimeOrderedIds(), prefix);
    const load = jest.fn(async () => 'row');
    await cache.read('demo.vk', 'summary', load);
    expect(await cache.read('demo.vk', 'summary', load)).toBe('row');
    expect(load).toHaveBeenCalledTimes(2);
    await expect(cache.forget(['demo.vk'])).rejects.toMatchObject({
      code: 'VIEWS.CACHE_AWAY',
      kind: 'unavailable',
    });
  });
});
