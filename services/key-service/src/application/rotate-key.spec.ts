import { SystemRandomness, type WorkspaceId } from '@sociograph/kernel';
import { fakeClock, sequentialIds } from '@sociograph/testing';
import { PlainKms } from '../../test/plain-kms';
import type { SealedRefresh } from '../domain/token-refresh';
import { EnvelopeVault } from '../infrastructure/envelope-vault';
import { InMemoryDataKeys } from '../infrastructure/in-memory';
import { InMemoryApiKeys } from '../infrastructure/in-memory-api-keys';
import { KeyRegistrar } from './register-key';
import { KeyRotator, type RotateKey } from './rotate-key';
import { TokenSealer } from './seal-tokens';

const actor = { kind: 'person' as const, id: 'ada' };

async function setUp() {
  const keys = new InMemoryApiKeys();
  const clock = fakeClock();
  const ids = sequentialIds();
  const vault = new EnvelopeVault({ kms: new PlainKms(), dataKeys: new InMemoryDataKeys(), clock, ids });
  const sealer = new TokenSealer(vault, clock, new SystemRandomness());
  let refreshes = 0;
  const refresh = async (): Promise<void> => {
    refreshes += 1;
    throw new Error('the pool is away');
  };
  const registrar = new KeyRegistrar(keys, sealer, clock, ids, refresh);
  const old = await registrar.register({
    workspaceId: 'demo' as WorkspaceId,
    network: 'vk',
    kind: 'user',
    token: 'vk1.a.old-token',
    weight: 7,
    consent: { givenBy: 'Ada' },
    actor,
  });
  keys.notes.length = 0;
  refreshes = 0;
  const rotator = new KeyRotator(keys, sealer, clock, ids, refresh);
  const command: RotateKey = { workspaceId: 'demo', keyId: old.id, token: 'vk1.a.new-token', actor };
  return { keys, clock, vault, old, rotator, command, registrar, refreshes: () => refreshes };
}

describe('rotating a key', () => {
  it('keeps a new key with the new token, and leases the old one no more', async () => {
    const { keys, clock, vault, old, rotator, command, refreshes } = await setUp();
    clock.advance(500);
    const key = await rotator.rotate({ ...command, correlationId: 'c' });
    expect(key.details).toMatchObject({
      state: 'active',
      weight: 7,
      bucket: old.details.bucket,
      replaces: old.id,
      consent: { givenBy: 'Ada' },
      createdAt: clock.nowMs(),
    });
    const retired = await keys.find('demo', old.id);
    expect(retired?.details).toMatchObject({ state: 'active', replacedBy: key.id, updatedAt: clock.nowMs() });
    expect(retired?.stateInPool).toBe('replaced');
    const stored = keys.since(0).keys.find((each) => each.key.id === key.id);
    const binding = { workspaceId: 'demo', keyId: key.id, tokenVersion: 1 };
    expect((await vault.open(stored!.token, binding)).reveal()).toBe('vk1.a.new-token');
    const note = { actor, action: 'key.rotate', correlationId: 'c' };
    expect(keys.notes).toEqual([note, note]);
    expect(refreshes()).toBe(1);
  });

  it('takes a refresh token of its own, sealed as such', async () => {
    const { keys, vault, rotator, command } = await setUp();
    let refresh: SealedRefresh | undefined;
    const replace = keys.replace.bind(keys);
    keys.replace = (...given) => {
      refresh = given[3].refresh;
      return replace(...given);
    };
    const given = { token: 'vk2.a.refresh-token', clientId: '77', deviceId: 'd1' };
    const key = await rotator.rotate({ ...command, refresh: given });
    expect(key.details.refreshable).toBe(true);
    expect(refresh).toMatchObject({ clientId: '77', deviceId: 'd1' });
    const binding = { workspaceId: 'demo', keyId: key.id, tokenVersion: 1, part: 'refresh' as const };
    expect((await vault.open(refresh!.token, binding)).reveal()).toBe('vk2.a.refresh-token');
  });

  it('names a refresh token that is none', async () => {
    const { rotator, command } = await setUp();
    const refresh = { token: 'short', clientId: '77' };
    await expect(rotator.rotate({ ...command, refresh })).rejects.toMatchObject({
      fields: [{ field: 'refresh.token' }],
    });
  });

  it('takes a consent of its own', async () => {
    const { rotator, command } = await setUp();
    const key = await rotator.rotate({ ...command, consent: { givenBy: 'Bob', at: 5 } });
    expect(key.details.consent).toEqual({ givenBy: 'Bob', at: 5, endedAt: null });
  });

  it('knows a token that is registered already, and takes one that is none not at all', async () => {
    const { keys, old, rotator, command } = await setUp();
    await expect(rotator.rotate({ ...command, token: 'vk1.a.old-token' })).rejects.toMatchObject({
      code: 'KEY_POOL.TOKEN_REGISTERED',
    });
    await expect(rotator.rotate({ ...command, token: 'short' })).rejects.toMatchObject({
      fields: [{ field: 'token', message: 'must be 8 to 2048 printable characters without spaces' }],
    });
    expect((await keys.find('demo', old.id))?.details.version).toBe(1);
  });

  it('happens once, to the version that the caller saw, in his workspace', async () => {
    const { rotator, command } = await setUp();
    await expect(rotator.rotate({ ...command, ifVersion: 2 })).rejects.toMatchObject({
      code: 'KEY_POOL.KEY_CHANGED',
    });
    await expect(rotator.rotate({ ...command, workspaceId: 'other' })).rejects.toMatchObject({
      code: 'KEY_POOL.KEY_UNKNOWN',
    });
    await rotator.rotate({ ...command, ifVersion: 1 });
    await expect(rotator.rotate({ ...command, token: 'vk1.a.third-token' })).rejects.toMatchObject({
      code: 'KEY_POOL.KEY_STATE',
    });
  });
});
