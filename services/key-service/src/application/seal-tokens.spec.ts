import { Randomness, Secret } from '@sociograph/kernel';
import { fakeClock, sequentialIds } from '@sociograph/testing';
import { PlainKms } from '../../test/plain-kms';
import { EnvelopeVault } from '../infrastructure/envelope-vault';
import { InMemoryDataKeys } from '../infrastructure/in-memory';
import { TokenSealer } from './seal-tokens';

class Half extends Randomness {
  next(): number {
    return 0.5;
  }
}

const of = { workspaceId: 'demo', keyId: 'k1' };
const TOKEN = 'vk1.a.token';
const REFRESH = 'vk2.a.refresh';

function setUp() {
  const clock = fakeClock();
  const ids = sequentialIds();
  const vault = new EnvelopeVault({ kms: new PlainKms(), dataKeys: new InMemoryDataKeys(), clock, ids });
  return { clock, vault, sealer: new TokenSealer(vault, clock, new Half()) };
}

describe('sealing the tokens of a new key', () => {
  it('binds both to the key and its first version, the refresh token to being one', async () => {
    const { vault, sealer } = setUp();
    const refresh = { token: REFRESH, clientId: 'app', deviceId: 'device' };
    const sealed = await sealer.seal('vk', { token: TOKEN, refresh }, of);
    const binding = { ...of, tokenVersion: 1 };
    const kept = sealed.refresh;
    if (kept === undefined) throw new Error('the refresh token is gone');
    // First: what was opened once is remembered by what it is bound to.
    await expect(vault.open(kept.token, binding)).rejects.toMatchObject({ code: 'KEY_POOL.SEAL_BROKEN' });
    expect((await vault.open(sealed.token, binding)).reveal()).toBe(TOKEN);
    expect((await vault.open(kept.token, { ...binding, part: 'refresh' })).reveal()).toBe(REFRESH);
    expect(kept).toMatchObject({
      clientId: 'app',
      deviceId: 'device',
      expiresAt: undefined,
      dueAt: undefined,
    });
    expect(sealed.fingerprint).toBe(await vault.fingerprint('vk', new Secret(TOKEN)));
  });

  it('recognises the same token with and without a refresh token', async () => {
    const { sealer } = setUp();
    const alone = await sealer.seal('vk', { token: TOKEN }, of);
    expect(alone.refresh).toBeUndefined();
    const both = await sealer.seal('vk', { token: TOKEN, refresh: { token: REFRESH, clientId: 'a' } }, of);
    expect(both.fingerprint).toBe(alone.fingerprint);
  });

  it('plans the refresh of a token that says when it ends', async () => {
    const { clock, sealer } = setUp();
    const expiresAt = clock.nowMs() + 3_600_000;
    const refresh = { token: REFRESH, clientId: 'app', expiresAt };
    const sealed = await sealer.seal('vk', { token: TOKEN, refresh }, of);
    expect(sealed.refresh).toMatchObject({ expiresAt, dueAt: expiresAt - 540_000 });
  });

  it.each([
    ['token', { token: 'a b c d e f g' }],
    ['token', { token: 'short' }],
    ['token', { token: 'x'.repeat(2049) }],
    ['token', { token: 'vk1.\u00e4.token' }],
    ['refresh.token', { token: TOKEN, refresh: { token: 'vk2 refresh', clientId: 'a' } }],
  ])('refuses a %s that cannot be one, and seals nothing', async (field, tokens) => {
    const { vault, sealer } = setUp();
    const seal = jest.spyOn(vault, 'seal');
    await expect(sealer.seal('vk', tokens, of)).rejects.toMatchObject({
      code: 'KEY_POOL.KEY_INVALID',
      fields: [{ field, message: 'must be 8 to 2048 printable characters without spaces' }],
    });
    expect(seal).not.toHaveBeenCalled();
  });

  it.each(['x'.repeat(8), 'x'.repeat(2048), '!~!~!~!~'])('takes %s', async (token) => {
    await expect(setUp().sealer.seal('vk', { token }, of)).resolves.toBeDefined();
  });
});
