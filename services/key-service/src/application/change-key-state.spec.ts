import { fakeClock } from '@sociograph/testing';
import { aKey } from '../../test/builders';
import { RecordingBroadcast } from '../infrastructure/in-memory';
import { InMemoryApiKeys } from '../infrastructure/in-memory-api-keys';
import { KeyKeeper } from './change-key-state';

const actor = { kind: 'person' as const, id: 'ada' };
const note = { actor, action: 'key.register' };

async function setUp() {
  const keys = new InMemoryApiKeys();
  const broadcast = new RecordingBroadcast();
  const clock = fakeClock();
  let refreshes = 0;
  const keeper = new KeyKeeper(keys, broadcast, clock, async () => {
    refreshes += 1;
    throw new Error('the pool is away');
  });
  await keys.add(aKey('k1'), { dataKeyId: 'd', bytes: new Uint8Array() }, 'f', note);
  keys.notes.length = 0;
  return { keys, broadcast, clock, keeper, refreshes: () => refreshes };
}

describe('changing the state of a key', () => {
  it.each([
    ['pause', 'paused', 'key.pause'],
    ['delete', 'deleted', 'key.delete'],
    ['withdrawConsent', 'invalid', 'key.withdraw-consent'],
  ] as const)(
    '%ss it, tells the pool and the workers, and says who did it',
    async (change, state, action) => {
      const { keys, broadcast, clock, keeper, refreshes } = await setUp();
      const key = await keeper.change({
        workspaceId: 'demo',
        keyId: 'k1',
        change,
        actor,
        correlationId: 'c',
      });
      expect(key.details).toMatchObject({ state, updatedAt: clock.nowMs() });
      expect(broadcast.announced).toEqual([{ id: 'k1', state, at: clock.nowMs() }]);
      expect(keys.notes).toEqual([{ actor, action, correlationId: 'c' }]);
      expect(refreshes()).toBe(1);
    },
  );

  it('resumes a paused key', async () => {
    const { keeper } = await setUp();
    await keeper.change({ workspaceId: 'demo', keyId: 'k1', change: 'pause', actor });
    const key = await keeper.change({ workspaceId: 'demo', keyId: 'k1', change: 'resume', actor });
    expect(key.state).toBe('active');
  });

  it('finds no key of another workspace and none that was deleted', async () => {
    const { keeper } = await setUp();
    const unknown = { code: 'KEY_POOL.KEY_UNKNOWN' };
    await expect(
      keeper.change({ workspaceId: 'other', keyId: 'k1', change: 'pause', actor }),
    ).rejects.toMatchObject(unknown);
    await keeper.change({ workspaceId: 'demo', keyId: 'k1', change: 'delete', actor });
    await expect(
      keeper.change({ workspaceId: 'demo', keyId: 'k1', change: 'pause', actor }),
    ).rejects.toMatchObject(unknown);
  });

  it('changes only the version that the caller saw', async () => {
    const { keeper } = await setUp();
    await expect(
      keeper.change({ workspaceId: 'demo', keyId: 'k1', change: 'pause', actor, ifVersion: 2 }),
    ).rejects.toMatchObject({ code: 'KEY_POOL.KEY_CHANGED' });
    await expect(
      keeper.change({ workspaceId: 'demo', keyId: 'k1', change: 'pause', actor, ifVersion: 1 }),
    ).resolves.toMatchObject({ state: 'paused' });
  });

  it('destroys the token of a key that is over', async () => {
    const { keys, keeper } = await setUp();
    await keys.add(aKey('k2'), { dataKeyId: 'd', bytes: Buffer.from('sealed') }, 'g', note);
    const bytes = () => keys.since(0).keys.find(({ key }) => key.id === 'k2')?.token.bytes.length;
    await keeper.change({ workspaceId: 'demo', keyId: 'k2', change: 'pause', actor });
    expect(bytes()).toBe(6);
    await keeper.change({ workspaceId: 'demo', keyId: 'k2', change: 'withdrawConsent', actor });
    expect(bytes()).toBe(0);
  });

  it('ends a key whose successor is leased instead', async () => {
    const { keys, broadcast, clock, keeper } = await setUp();
    await keys.update('demo', 'k1', (key) => key.retire('k2' as typeof key.id, 3), note);
    const key = await keeper.finishReplacement('demo', 'k1');
    expect(key.details).toMatchObject({ state: 'replaced', updatedAt: clock.nowMs() });
    expect(keys.notes.at(-1)).toEqual({
      actor: { kind: 'service', id: 'key-service' },
      action: 'key.replaced',
    });
    expect(broadcast.announced).toMatchObject([{ id: 'k1', state: 'replaced' }]);
  });

  it('makes a key invalid in the name of the service that found out', async () => {
    const { keys, broadcast, keeper, refreshes } = await setUp();
    const key = await keeper.invalidate('demo', 'k1', 'token-refused', 'parser-service');
    expect(key.details).toMatchObject({ state: 'invalid', reason: 'token-refused' });
    expect(keys.notes).toEqual([
      { actor: { kind: 'service', id: 'parser-service' }, action: 'key.invalidate' },
    ]);
    expect(broadcast.announced).toMatchObject([{ id: 'k1', state: 'invalid' }]);
    expect(refreshes()).toBe(1);
  });
});
