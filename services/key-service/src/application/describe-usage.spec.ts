import { aKey } from '../../test/builders';
import { InMemoryApiKeys } from '../infrastructure/in-memory';
import { UsageDesk } from './describe-usage';

async function setUp(usage: () => Promise<never> | Promise<{ limit: string }[]>) {
  const keys = new InMemoryApiKeys();
  const note = { actor: { kind: 'person' as const, id: 'ada' }, action: 'key.register' };
  await keys.add(aKey('k1'), { dataKeyId: 'd', bytes: new Uint8Array(1) }, 'f', note);
  return new UsageDesk(keys, { usage: usage as never }, () => 5000);
}

describe('the usage of a key', () => {
  it('forecasts each of its limits from now on', async () => {
    const limit = { limit: 'day', calls: 10, windowMs: 86_400_000, spent: 10, callsInLastHour: 3 };
    const desk = await setUp(async () => [limit]);
    const { key, limits } = await desk.describe('demo', 'k1');
    expect(key.id).toBe('k1');
    expect(limits).toEqual([{ ...limit, left: 0, spentAt: 5000 }]);
  });

  it('is told of keys of the workspace only, and while the pool can be asked', async () => {
    const desk = await setUp(() => Promise.reject(new Error('away')));
    await expect(desk.describe('other', 'k1')).rejects.toMatchObject({ code: 'KEY_POOL.KEY_UNKNOWN' });
    await expect(desk.describe('demo', 'k1')).rejects.toMatchObject({ code: 'KEY_POOL.POOL_UNAVAILABLE' });
  });
});
