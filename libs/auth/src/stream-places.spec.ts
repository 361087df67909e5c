import { StreamPlaces } from './stream-places';

/** What is used of Redis: sorted sets, transactions that are carried out at once, and a server that can be away. */
class MemoryRedis {
  readonly sets = new Map<string, Map<string, number>>();
  readonly lives = new Map<string, number>();
  away = false;

  multi(): Record<string, unknown> {
    const steps: (() => unknown)[] = [];
    const add = (step: () => unknown): typeof change => (steps.push(step), change);
    const change = {
      zremrangebyscore: (key: string, low: string, high: number) =>
        add(() => {
          expect(low).toBe('-inf');
          for (const [id, score] of this.of(key)) if (score <= high) this.of(key).delete(id);
        }),
      zadd: (key: string, score: number, id: string) => add(() => void this.of(key).set(id, score)),
      zcard: (key: string) => add(() => this.of(key).size),
      pexpire: (key: string, ms: number) => add(() => void this.lives.set(key, ms)),
      exec: async () => {
        if (this.away) throw new Error('away');
        return steps.map((step) => [null, step()]);
      },
    };
    return change;
  }

  async zrem(key: string, id: string): Promise<number> {
    if (this.away) throw new Error('away');
    return this.of(key).delete(id) ? 1 : 0;
  }

  of(key: string): Map<string, number> {
    const found = this.sets.get(key) ?? new Map<string, number>();
    this.sets.set(key, found);
    return found;
  }
}

describe('places for streams', () => {
  const set = () => {
    const redis = new MemoryRedis();
    const now = { ms: 1_000 };
    let ids = 0;
    const process = (): StreamPlaces =>
      new StreamPlaces(
        redis as never,
        () => now.ms,
        () => `s${(ids += 1)}`,
      );
    return { redis, now, one: process(), other: process() };
  };

  it('are so many over all processes, each workspace by itself, and are free again when left', async () => {
    const { redis, one, other } = set();
    const leave = await one.take('w', 2);
    expect(await other.take('w', 2)).toBeDefined();
    expect(await one.take('w', 2)).toBeUndefined();
    expect(await one.take('v', 1)).toBeDefined();
    expect([...redis.of('identity:streams:w')]).toEqual([
      ['s1', 31_000],
      ['s2', 31_000],
    ]);
    expect(redis.lives.get('identity:streams:w')).toBe(60_000);
    leave?.();
    leave?.();
    expect(await other.take('w', 2)).toBeDefined();
    expect(await other.take('w', 2)).toBeUndefined();
  });

  it('are none where the limit is zero', async () => {
    expect(await set().one.take('w', 0)).toBeUndefined();
  });

  it('of a process that died are free after 30 s, those that are renewed are not', async () => {
    const { now, one, other } = set();
    await one.take('w', 2);
    await other.take('w', 2);
    now.ms += 10_000;
    await other.renew();
    now.ms = 30_999;
    expect(await other.take('w', 2)).toBeUndefined();
    now.ms = 31_000;
    expect(await other.take('w', 2)).toBeDefined();
    expect(await other.take('w', 2)).toBeUndefined();
  });

  it('are given to everybody while Redis is away, and count when it is back', async () => {
    const { redis, one, other } = set();
    redis.away = true;
    expect(await one.take('w', 1)).toBeDefined();
    await expect(one.renew()).rejects.toThrow('away');
    redis.away = false;
    await other.renew();
    await one.renew();
    expect(await other.take('w', 1)).toBeUndefined();
  });
});
