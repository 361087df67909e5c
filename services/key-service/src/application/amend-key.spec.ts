import { fakeClock } from '@sociograph/testing';
import { aKey } from '../../test/builders';
import { InMemoryApiKeys } from '../infrastructure/in-memory-api-keys';
import { KeyEditor } from './amend-key';

const actor = { kind: 'person' as const, id: 'ada' };
const command = { workspaceId: 'demo', keyId: 'k1', actor, correlationId: 'c' };

async function setUp() {
  const keys = new InMemoryApiKeys();
  const clock = fakeClock();
  let refreshes = 0;
  const editor = new KeyEditor(keys, clock, async () => {
    refreshes += 1;
    throw new Error('the pool is away');
  });
  const token = { dataKeyId: 'd', bytes: new Uint8Array() };
  await keys.add(aKey('k1', { bucket: 'demo:vk:app' }), token, 'print', { actor, action: 'key.register' });
  keys.notes.length = 0;
  return { keys, clock, editor, refreshes: () => refreshes };
}

describe('changing the settings of a key', () => {
  it('writes them, tells the pool, and says who did it', async () => {
    const { keys, clock, editor, refreshes } = await setUp();
    const key = await editor.amend({ ...command, settings: { weight: 4, limits: { perDay: 10 } } });
    expect(key.details).toMatchObject({
      weight: 4,
      limits: { perSecond: 3, perDay: 10 },
      updatedAt: clock.nowMs(),
    });
    expect((await keys.find('demo', 'k1'))?.details).toEqual(key.details);
    expect(keys.notes).toEqual([{ actor, action: 'key.amend', correlationId: 'c' }]);
    expect(refreshes()).toBe(1);
  });

  it('gives a key that leaves its bucket the one of its token', async () => {
    const { editor } = await setUp();
    const key = await editor.amend({ ...command, settings: { bucket: null } });
    expect(key.details.bucket).toBe('token:print');
  });

  it('shares it with exactly the workspaces named', async () => {
    const { keys, clock, editor, refreshes } = await setUp();
    const key = await editor.share({ ...command, workspaces: ['partner'] });
    expect(key.details).toMatchObject({ sharedWith: ['partner'], version: 2, updatedAt: clock.nowMs() });
    expect(keys.notes).toEqual([{ actor, action: 'key.share', correlationId: 'c' }]);
    expect(refreshes()).toBe(1);
  });

  it('changes only the version that the caller saw, of a key of his workspace', async () => {
    const { editor } = await setUp();
    const settings = { weight: 2 };
    await expect(editor.amend({ ...command, settings, ifVersion: 2 })).rejects.toMatchObject({
      code: 'KEY_POOL.KEY_CHANGED',
    });
    await expect(editor.amend({ ...command, settings, workspaceId: 'other' })).rejects.toMatchObject({
      code: 'KEY_POOL.KEY_UNKNOWN',
    });
    await expect(editor.share({ ...command, workspaces: [], ifVersion: 2 })).rejects.toMatchObject({
      code: 'KEY_POOL.KEY_CHANGED',
    });
  });
});
