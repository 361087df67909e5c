import { Secret } from '@sociograph/kernel';
import { fakeClock, sequentialIds } from '@sociograph/testing';
import { PlainKms } from '../../test/plain-kms';
import { EnvelopeVault } from './envelope-vault';
import { InMemoryDataKeys } from './in-memory';

const TOKEN = new Secret('vk1.a.secret-token');
const BINDING = { workspaceId: 'demo', keyId: 'k1', tokenVersion: 1 };
const AGE = 300_000;

function setUp(options: { maxEncryptions?: number; rotateAfterMs?: number } = {}) {
  const kms = new PlainKms();
  const dataKeys = new InMemoryDataKeys();
  const clock = fakeClock();
  const make = () => new EnvelopeVault({ kms, dataKeys, clock, ids: sequentialIds(), ...options });
  return { kms, dataKeys, clock, vault: make(), make };
}

describe('the vault', () => {
  it('opens what it sealed, also in another process', async () => {
    const { vault, make } = setUp();
    const sealed = await vault.seal(TOKEN, BINDING);
    expect(Buffer.from(sealed.bytes).toString('latin1')).not.toContain('secret');
    expect(sealed.bytes).toHaveLength(12 + 16 + 18);
    expect((await vault.open(sealed, BINDING)).reveal()).toBe('vk1.a.secret-token');
    expect((await make().open(sealed, BINDING)).reveal()).toBe('vk1.a.secret-token');
  });

  it.each([{ workspaceId: 'other' }, { keyId: 'k2' }, { tokenVersion: 2 }])(
    'does not open a row that was moved: %j',
    async (moved) => {
      const { vault } = setUp();
      const sealed = await vault.seal(TOKEN, BINDING);
      await expect(vault.open(sealed, { ...BINDING, ...moved })).rejects.toMatchObject({
        code: 'KEY_POOL.SEAL_BROKEN',
      });
    },
  );

  it('does not open what was changed, nor what was sealed under a key that is gone', async () => {
    const { vault } = setUp();
    const sealed = await vault.seal(TOKEN, BINDING);
    const bytes = Uint8Array.from(sealed.bytes);
    bytes[30] = (bytes[30] as number) ^ 1;
    const broken = { code: 'KEY_POOL.SEAL_BROKEN' };
    await expect(vault.open({ ...sealed, bytes }, BINDING)).rejects.toMatchObject(broken);
    await expect(vault.open({ ...sealed, dataKeyId: 'gone' }, BINDING)).rejects.toMatchObject(broken);
  });

  it('takes a fresh iv each time and one data key for a workspace', async () => {
    const { kms, vault } = setUp();
    const first = await vault.seal(TOKEN, BINDING);
    const second = await vault.seal(TOKEN, BINDING);
    expect(Buffer.from(first.bytes)).not.toEqual(Buffer.from(second.bytes));
    expect(second.dataKeyId).toBe(first.dataKeyId);
    const other = await vault.seal(TOKEN, { ...BINDING, workspaceId: 'other' });
    expect(other.dataKeyId).not.toBe(first.dataKeyId);
    expect(kms.made).toBe(2);
  });

  it('makes a new data key after so many encryptions; opening costs none', async () => {
    const { vault } = setUp({ maxEncryptions: 2 });
    const first = await vault.seal(TOKEN, BINDING);
    for (let i = 0; i < 5; i += 1) await vault.open(first, BINDING);
    expect((await vault.seal(TOKEN, BINDING)).dataKeyId).toBe(first.dataKeyId);
    expect((await vault.seal(TOKEN, BINDING)).dataKeyId).not.toBe(first.dataKeyId);
  });

  it('makes a new data key when the old one has its age', async () => {
    const { vault, clock } = setUp({ rotateAfterMs: 1000 });
    const first = await vault.seal(TOKEN, BINDING);
    clock.advance(999);
    expect((await vault.seal(TOKEN, BINDING)).dataKeyId).toBe(first.dataKeyId);
    clock.advance(1);
    expect((await vault.seal(TOKEN, BINDING)).dataKeyId).not.toBe(first.dataKeyId);
  });

  it('serves from memory while KMS is away, until the age of what it holds', async () => {
    const { vault, clock, kms } = setUp();
    const sealed = await vault.seal(TOKEN, BINDING);
    await vault.open(sealed, BINDING);
    kms.away = true;
    clock.advance(AGE - 1);
    expect((await vault.open(sealed, BINDING)).reveal()).toBe('vk1.a.secret-token');
    clock.advance(1);
    const away = { code: 'KEY_POOL.VAULT_UNAVAILABLE', kind: 'unavailable' };
    await expect(vault.open(sealed, BINDING)).rejects.toMatchObject(away);
    await expect(vault.seal(TOKEN, BINDING)).rejects.toMatchObject(away);
    kms.away = false;
    expect((await vault.open(sealed, BINDING)).reveal()).toBe('vk1.a.secret-token');
    expect(kms.unwrapped).toBe(1);
  });

  it('seals again once KMS is back', async () => {
    const { vault, kms } = setUp();
    kms.away = true;
    await expect(vault.seal(TOKEN, BINDING)).rejects.toMatchObject({ kind: 'unavailable' });
    kms.away = false;
    await expect(vault.seal(TOKEN, BINDING)).resolves.toBeDefined();
  });

  it('forgets a key when told', async () => {
    const { vault, clock, kms } = setUp();
    const sealed = await vault.seal(TOKEN, BINDING);
    clock.advance(AGE - 10);
    await vault.open(sealed, BINDING);
    clock.advance(20);
    kms.away = true;
    await expect(vault.open(sealed, BINDING)).resolves.toBeDefined();
    vault.forget('k1');
    await expect(vault.open(sealed, BINDING)).rejects.toMatchObject({ kind: 'unavailable' });
  });

  it('keeps nothing open beyond its age', async () => {
    const { vault, clock, kms } = setUp();
    const sealed = await vault.seal(TOKEN, BINDING);
    await vault.open(sealed, BINDING);
    vault.sweep();
    kms.away = true;
    await expect(vault.open(sealed, BINDING)).resolves.toBeDefined();
    clock.advance(AGE);
    vault.sweep();
    kms.away = false;
    await vault.open(sealed, BINDING);
    expect(kms.unwrapped).toBe(1);
  });

  it('recognises a token without reading it, alike in every process, per network', async () => {
    const { vault, make } = setUp();
    const print = await vault.fingerprint('vk', TOKEN);
    expect(print).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(await make().fingerprint('vk', TOKEN)).toBe(print);
    expect(await vault.fingerprint('ok', TOKEN)).not.toBe(print);
    expect(await vault.fingerprint('vk', new Secret('other-token'))).not.toBe(print);
    expect(await vault.fleetKey('sessions')).not.toEqual(await vault.fleetKey('fingerprint'));
  });
});
