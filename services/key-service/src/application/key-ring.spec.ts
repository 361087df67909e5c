import { Secret } from '@sociograph/kernel';
import { aKey } from '../../test/builders';
import type { ApiKey, KeyState } from '../domain/api-key';
import { KeyVault, type SealedToken, type TokenBinding } from '../domain/sealing';
import { InMemoryApiKeys, InMemoryKeyCatalogue } from '../infrastructure/in-memory-api-keys';
import { InMemoryQuotaLedger } from '../infrastructure/in-memory-quota-ledger';
import { KeyRing } from './key-ring';

const note = { actor: { kind: 'person' as const, id: 'p' }, action: 'key.register' };

class PlainVault extends KeyVault {
  readonly forgotten: string[] = [];

  async seal(token: Secret): Promise<SealedToken> {
    return { dataKeyId: 'd', bytes: Buffer.from(token.reveal()) };
  }

  async open(sealed: SealedToken, binding: TokenBinding): Promise<Secret> {
    return new Secret(
      `${Buffer.from(sealed.bytes).toString()} ${binding.workspaceId} ${binding.keyId} ${binding.tokenVersion}`,
    );
  }

  async fingerprint(): Promise<string> {
    return 'f';
  }

  forget(keyId: string): void {
    this.forgotten.push(keyId);
  }
}

class Ledger extends InMemoryQuotaLedger {
  readonly defined: string[][] = [];
  answer: { keyId: string; state: KeyState }[] = [];
  away = false;

  constructor() {
    super(() => 1000);
  }

  override async define(keys: ApiKey[]): Promise<{ keyId: string; state: KeyState }[]> {
    if (this.away) throw new Error('away');
    this.defined.push(keys.map((key) => `${key.id} ${key.state}`));
    return this.answer;
  }
}

/** A key is paused while the ledger is told of the version before, and has not answered. */
async function pausedWhileCompared() {
  const { keys, ledger, ring, add } = setUp();
  await add(aKey('k1'));
  await ring.refresh();
  let answer: (found: { keyId: string; state: KeyState }[]) => void = () => undefined;
  jest.spyOn(ledger, 'define').mockReturnValueOnce(new Promise((resolve) => (answer = resolve)));
  const comparing = ring.compareNext(1);
  await keys.update('demo', 'k1', (key) => key.pause(5), note);
  return { ledger, ring, comparing, answer: (found: { keyId: string; state: KeyState }[]) => answer(found) };
}

function setUp() {
  const keys = new InMemoryApiKeys();
  const ledger = new Ledger();
  const vault = new PlainVault();
  const ring = new KeyRing(new InMemoryKeyCatalogue(keys), ledger, vault);
  const add = (key: ApiKey) =>
    keys.add(key, { dataKeyId: 'd', bytes: Buffer.from(`token-${key.id}`) }, `f-${key.id}`, note);
  return { keys, ledger, vault, ring, add };
}

describe('the ring of keys in memory', () => {
  it('tells the ledger of every change once', async () => {
    const { keys, ledger, vault, ring, add } = setUp();
    await add(aKey('k1'));
    await add(aKey('k2'));
    expect(await ring.refresh()).toEqual([]);
    expect(await ring.refresh()).toEqual([]);
    await keys.update('demo', 'k2', (key) => key.pause(5), note);
    await ring.refresh();
    expect(ledger.defined).toEqual([['k1 active', 'k2 active'], ['k2 paused']]);
    expect(vault.forgotten).toEqual(['k1', 'k2', 'k2']);
    expect(ring.key('k2')?.state).toBe('paused');
    expect(ring.countByState()).toEqual(
      new Map([
        ['active', 1],
        ['paused', 1],
      ]),
    );
  });

  it('tells a ledger that was away when it is back', async () => {
    const { ledger, ring, add } = setUp();
    await add(aKey('k1'));
    ledger.away = true;
    await expect(ring.refresh()).rejects.toThrow('away');
    ledger.away = false;
    await ring.refresh();
    expect(ledger.defined).toEqual([['k1 active']]);
  });

  it('tells a ledger with a new memory everything', async () => {
    const { ledger, ring, add } = setUp();
    expect(await ring.defineAll()).toEqual([]);
    await add(aKey('k1'));
    await ring.refresh();
    await ring.defineAll();
    expect(ledger.defined).toEqual([['k1 active'], ['k1 active']]);
  });

  it('reads the catalogue once for those who ask at the same time', async () => {
    const { ledger, ring, add } = setUp();
    await add(aKey('k1'));
    await Promise.all([ring.refresh(), ring.refresh()]);
    expect(ledger.defined).toEqual([['k1 active']]);
  });

  it('names keys that the ledger has in another state', async () => {
    const { ledger, ring, add } = setUp();
    await add(aKey('k1'));
    ledger.answer = [
      { keyId: 'k1', state: 'invalid' },
      { keyId: 'gone', state: 'invalid' },
    ];
    const differing = await ring.refresh();
    expect(differing.map(({ key, state }) => [key.id, state])).toEqual([['k1', 'invalid']]);
  });

  it('compares all keys in turn, some at a time, but for those that are over', async () => {
    const { keys, ledger, ring, add } = setUp();
    for (const id of ['k1', 'k2', 'k3', 'k4']) await add(aKey(id));
    await keys.update('demo', 'k2', (key) => key.withdrawConsent(5), note);
    await ring.refresh();
    ledger.defined.length = 0;
    ledger.answer = [{ keyId: 'k3', state: 'invalid' }];
    expect((await ring.compareNext(2)).map(({ key, state }) => [key.id, state])).toEqual([['k3', 'invalid']]);
    ledger.answer = [];
    expect([await ring.compareNext(2), await ring.compareNext(2)]).toEqual([[], []]);
    await add(aKey('k5'));
    await ring.refresh();
    await ring.compareNext(9);
    expect(ledger.defined).toEqual([
      ['k1 active', 'k3 active'],
      ['k4 active'],
      ['k1 active', 'k3 active'],
      ['k5 active'],
      ['k4 active', 'k5 active'],
    ]);
  });

  it('says nothing of a key that another version took the place of while the ledger answered', async () => {
    const { ring, answer, comparing } = await pausedWhileCompared();
    await ring.refresh();
    answer([{ keyId: 'k1', state: 'invalid' }]);
    expect(await comparing).toEqual([]);
  });

  it('still tells the ledger of a version that came while it was told of the one before', async () => {
    const { ledger, ring, answer, comparing } = await pausedWhileCompared();
    ledger.away = true;
    await expect(ring.refresh()).rejects.toThrow('away');
    answer([]);
    await comparing;
    ledger.away = false;
    await ring.refresh();
    expect(ledger.defined).toEqual([['k1 active'], ['k1 paused']]);
  });

  it('has no token of a key that is over', async () => {
    const { keys, ring, add } = setUp();
    await add(aKey('k1'));
    await ring.refresh();
    await keys.update('demo', 'k1', (key) => key.withdrawConsent(5), note);
    await ring.refresh();
    expect(ring.key('k1')?.state).toBe('invalid');
    expect(await ring.token('k1', 1)).toBeUndefined();
  });

  it('takes over a token that was sealed anew, without a word to the ledger', async () => {
    const { keys, ledger, vault, ring, add } = setUp();
    await add(aKey('k1'));
    await ring.refresh();
    vault.forgotten.length = 0;
    keys.reseal('k1', { dataKeyId: 'e', bytes: Buffer.from('anew') });
    await ring.refresh();
    expect((await ring.token('k1', 1))?.reveal()).toBe('anew demo k1 1');
    expect(ledger.defined).toEqual([['k1 active']]);
    expect(vault.forgotten).toEqual([]);
  });

  it('names the keys that a workspace may lease', async () => {
    const { keys, ring, add } = setUp();
    const other = 'other' as ApiKey['details']['workspaceId'];
    await add(aKey('k1'));
    await add(aKey('k2', { workspaceId: other }));
    await add(aKey('k3', { workspaceId: other, sharedWith: ['demo'] }));
    await add(aKey('k4', { network: 'ok' }));
    await add(aKey('k5'));
    await keys.update('demo', 'k5', (key) => key.withdrawConsent(5), note);
    await ring.refresh();
    expect(ring.leasableBy('demo', 'vk').map(({ id }) => id)).toEqual(['k1', 'k3']);
    expect(ring.leasableBy('other', 'vk').map(({ id }) => id)).toEqual(['k2', 'k3']);
  });

  it('names keys that have a successor until they are over', async () => {
    const { keys, ring, add } = setUp();
    await add(aKey('k1'));
    await add(aKey('k2'));
    await keys.update('demo', 'k1', (key) => key.retire('k2' as typeof key.id, 5), note);
    await ring.refresh();
    expect(ring.retiring().map(({ id }) => id)).toEqual(['k1']);
    await keys.update('demo', 'k1', (key) => key.finishReplacement(6), note);
    await ring.refresh();
    expect(ring.retiring()).toEqual([]);
  });

  it('opens the token of the granted version only', async () => {
    const { ring, add } = setUp();
    await add(aKey('k1', { tokenVersion: 2 }));
    await ring.refresh();
    expect((await ring.token('k1', 2))?.reveal()).toBe('token-k1 demo k1 2');
    expect(await ring.token('k1', 1)).toBeUndefined();
    expect(await ring.token('k9', 1)).toBeUndefined();
  });
});
