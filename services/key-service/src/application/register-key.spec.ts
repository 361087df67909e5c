import { Secret, SystemRandomness, type WorkspaceId } from '@sociograph/kernel';
import { fakeClock, sequentialIds } from '@sociograph/testing';
import { EnvelopeVault } from '../infrastructure/envelope-vault';
import { InMemoryDataKeys } from '../infrastructure/in-memory';
import { InMemoryApiKeys } from '../infrastructure/in-memory-api-keys';
import { PlainKms } from '../../test/plain-kms';
import { KeyRegistrar, type RegisterKey } from './register-key';
import { TokenSealer } from './seal-tokens';

function setUp() {
  const keys = new InMemoryApiKeys();
  const clock = fakeClock();
  const vault = new EnvelopeVault({
    kms: new PlainKms(),
    dataKeys: new InMemoryDataKeys(),
    clock,
    ids: sequentialIds(),
  });
  let refreshes = 0;
  const registrar = new KeyRegistrar(
    keys,
    new TokenSealer(vault, clock, new SystemRandomness()),
    clock,
    sequentialIds(),
    async () => {
      refreshes += 1;
      throw new Error('the pool is away');
    },
  );
  const command = (details: Partial<RegisterKey> = {}): RegisterKey => ({
    workspaceId: 'demo' as WorkspaceId,
    network: 'vk',
    kind: 'user',
    token: 'vk1.a.secret-token',
    consent: { givenBy: 'Ada' },
    actor: { kind: 'person', id: 'ada' },
    ...details,
  });
  return { keys, clock, vault, registrar, command, refreshes: () => refreshes };
}

describe('registering a key', () => {
  it('keeps the key with its token sealed and bound to it, and says who did it', async () => {
    const { keys, vault, registrar, command, clock, refreshes } = setUp();
    const key = await registrar.register(command({ correlationId: 'c1', label: 'main' }));
    expect(key.details).toMatchObject({ workspaceId: 'demo', label: 'main', createdAt: clock.nowMs() });
    expect(JSON.stringify(key)).not.toContain('secret-token');
    const [stored] = keys.since(0).keys;
    expect(Buffer.from(stored!.token.bytes).toString('latin1')).not.toContain('secret-token');
    const binding = { workspaceId: 'demo', keyId: key.id, tokenVersion: 1 };
    expect((await vault.open(stored!.token, binding)).reveal()).toBe('vk1.a.secret-token');
    expect(keys.notes).toEqual([
      { actor: { kind: 'person', id: 'ada' }, action: 'key.register', correlationId: 'c1' },
    ]);
    expect(refreshes()).toBe(1);
  });

  it('knows a token that is registered already, in whichever workspace, until its key is over', async () => {
    const { keys, clock, registrar, command } = setUp();
    const known = { code: 'KEY_POOL.TOKEN_REGISTERED', fields: [{ field: 'token' }] };
    const key = await registrar.register(command());
    await expect(registrar.register(command())).rejects.toMatchObject(known);
    const other = command({ workspaceId: 'other' as WorkspaceId });
    await expect(registrar.register(other)).rejects.toMatchObject(known);
    await keys.update('demo', key.id, (each) => each.delete(clock.nowMs()), {
      actor: command().actor,
      action: 'key.delete',
    });
    await expect(registrar.register(other)).resolves.toMatchObject({ state: 'active' });
  });

  it('counts a token in the same bucket however often it is registered', async () => {
    const { keys, vault, registrar, command } = setUp();
    const first = await registrar.register(command());
    const print = await vault.fingerprint('vk', new Secret('vk1.a.secret-token'));
    expect(first.details.bucket).toBe(`token:${print}`);
    await keys.update('demo', first.id, (each) => each.delete(5), { actor: command().actor, action: 'x' });
    expect((await registrar.register(command())).details.bucket).toBe(first.details.bucket);
    const named = await registrar.register(command({ token: 'vk1.a.other-token', bucket: 'app' }));
    expect(named.details.bucket).toBe('demo:vk:app');
  });

  it('names the rule that is broken before it looks at the token', async () => {
    const { registrar, command } = setUp();
    await expect(registrar.register(command({ network: 'orkut', token: '' }))).rejects.toMatchObject({
      fields: [{ field: 'network' }],
    });
  });

  it.each(['1234567', 'with a space', 'ünicode-token', 'x'.repeat(2049), ''])(
    'refuses the token %j and names the field',
    async (token) => {
      const { keys, registrar, command } = setUp();
      await expect(registrar.register(command({ token }))).rejects.toMatchObject({
        code: 'KEY_POOL.KEY_INVALID',
        fields: [{ field: 'token' }],
      });
      expect(keys.since(0).keys).toEqual([]);
    },
  );

  it.each(['12345678', 'x'.repeat(2048)])('takes tokens of every length that is allowed', async (token) => {
    const { registrar, command } = setUp();
    await expect(registrar.register(command({ token }))).resolves.toBeDefined();
  });

  it('prints no secret', () => {
    expect(`${String(new Secret('x-token'))}`).toBe('[redacted]');
  });
});
