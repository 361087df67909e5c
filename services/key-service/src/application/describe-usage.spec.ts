import { aKey } from '../../test/builders';
import { InMemoryApiKeys } from '../infrastructure/in-memory-api-keys';
import { UsageDesk } from './describe-usage';

const WALL = { method: 'wall.get', callsInLastDay: 7, callsInLastHour: 2, lastUsedAt: 4000 };
const FRIENDS = { method: 'friends.get', callsInLastDay: 9, callsInLastHour: 0, lastUsedAt: 3000 };

async function setUp(usage: () => Promise<never> | Promise<{ limit: string }[]>) {
  const keys = new InMemoryApiKeys();
  const note = { actor: { kind: 'person' as const, id: 'ada' }, action: 'key.register' };
  await keys.add(aKey('k1'), { dataKeyId: 'd', bytes: new Uint8Array(1) }, 'f', note);
  const of = async (...asked: unknown[]) => (asked.join(' ') === 'demo k1 5000' ? [FRIENDS, WALL] : []);
  return new UsageDesk(keys, { usage: usage as never }, { of }, () => 5000);
}

describe('the usage of a key', () => {
  it('forecasts each of its limits from now on', async () => {
    const limit = { limit: 'day', calls: 10, windowMs: 86_400_000, spent: 10, callsInLastHour: 3 };
    const desk = await setUp(async () => [limit]);
    const { key, limits } = await desk.describe('demo', 'k1');
    expect(key.id).toBe('k1');
    expect(limits).toEqual([{ ...limit, left: 0, spentAt: 5000 }]);
  });

  it('names every method that was called, with its limit of a day where it has one', async () => {
    const about = { calls: 10, windowMs: 86_400_000, spent: 7, callsInLastHour: 2 };
    const desk = await setUp(async () => [
      { limit: 'day', ...about },
      { limit: 'day:wall.get', ...about },
    ]);
    const { methods } = await desk.describe('demo', 'k1');
    const limit = { limit: 'day:wall.get', ...about, left: 3, spentAt: 5000 + 5_400_000 };
    expect(methods).toEqual([
      { ...FRIENDS, limit: undefined },
      { ...WALL, limit },
    ]);
  });

  it('is told of keys of the workspace only, and while the pool can be asked', async () => {
    const desk = await setUp(() => Promise.reject(new Error('away')));
    await expect(desk.describe('other', 'k1')).rejects.toMatchObject({ code: 'KEY_POOL.KEY_UNKNOWN' });
    await expect(desk.describe('demo', 'k1')).rejects.toMatchObject({ code: 'KEY_POOL.POOL_UNAVAILABLE' });
  });
});
