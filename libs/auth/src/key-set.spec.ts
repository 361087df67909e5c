import { aSigningKey, JwksServer } from '../test/realm';
import { jwksOver, KeySet } from './key-set';

const one = aSigningKey('one');
const two = aSigningKey('two');

/** A key set on a clock of its own; `sleep` moves that clock. */
function aKeySet(): {
  keySet: KeySet;
  realm: { keys: unknown; fails: boolean; fetches: number; at: number[]; held?: Promise<void> };
  time: { now: number };
  sleeps: number[];
} {
  const realm: ReturnType<typeof aKeySet>['realm'] = { keys: [one.jwk], fails: false, fetches: 0, at: [] };
  const time = { now: 1_000_000 };
  const sleeps: number[] = [];
  const keySet = new KeySet({
    clock: { nowMs: () => 0, monotonicMs: () => time.now },
    fetch: async () => {
      realm.fetches += 1;
      realm.at.push(time.now);
      const { keys, fails } = realm;
      await realm.held;
      if (fails) throw new Error('no answer');
      return { keys };
    },
    sleep: (ms) => {
      sleeps.push(ms);
      time.now += ms;
      return Promise.resolve();
    },
  });
  return { keySet, realm, time, sleeps };
}

describe('the keys of the realm', () => {
  it('are fetched once for many callers', async () => {
    const { keySet, realm } = aKeySet();
    const found = await Promise.all(Array.from({ length: 20 }, () => keySet.find('one')));
    expect(found.every((key) => key?.equals(one.publicKey))).toBe(true);
    expect(realm.fetches).toBe(1);
  });

  it('are used for 30 s, then fetched again, so that a withdrawn key ends', async () => {
    const { keySet, realm, time } = aKeySet();
    await keySet.find('one');
    realm.keys = [two.jwk];
    time.now += 30_000;
    expect(await keySet.find('one')).toBeDefined();
    expect(realm.fetches).toBe(1);
    time.now += 1;
    expect(await keySet.find('one')).toBeUndefined();
    expect(await keySet.find('two')).toBeDefined();
    expect(realm.fetches).toBe(2);
  });

  it('serve for 10 minutes while Keycloak is away, with an attempt every 5 s', async () => {
    const { keySet, realm, time } = aKeySet();
    await keySet.find('one');
    realm.fails = true;
    time.now += 30_001;
    expect(await keySet.find('one')).toBeDefined();
    time.now += 5_000;
    expect(await keySet.find('one')).toBeDefined();
    expect(realm.fetches).toBe(2);
    time.now += 1;
    expect(await keySet.find('one')).toBeDefined();
    expect(realm.fetches).toBe(3);
    time.now = 1_000_000 + 600_000;
    expect(await keySet.find('one')).toBeDefined();
    time.now += 1;
    await expect(keySet.find('one')).rejects.toMatchObject({
      code: 'AUTH.KEYS_UNAVAILABLE',
      kind: 'unavailable',
      retryAfterSeconds: 2,
      message: 'Tokens cannot be verified at the moment.',
    });
  });

  it('are tried for again at once after they came back', async () => {
    const { keySet, realm, time } = aKeySet();
    realm.fails = true;
    await expect(keySet.find('one')).rejects.toMatchObject({ kind: 'unavailable' });
    realm.fails = false;
    time.now += 5_001;
    expect(await keySet.find('one')).toBeDefined();
    time.now += 30_001;
    expect(await keySet.find('one')).toBeDefined();
    expect(realm.fetches).toBe(3);
  });

  it('are fetched for an unknown id by a fetch that begins after it arrived', async () => {
    const { keySet, realm, time, sleeps } = aKeySet();
    await keySet.find('one');
    time.now += 10;
    realm.keys = [one.jwk, two.jwk];
    expect(await keySet.find('two')).toBeDefined();
    expect(realm.fetches).toBe(2);
    expect(sleeps).toEqual([990]);
  });

  it('are asked for at most once a second by forged ids, which do not delay a known one', async () => {
    const { keySet, realm, time } = aKeySet();
    await keySet.find('one');
    time.now += 2_000;
    const forged = Promise.all(Array.from({ length: 50 }, (_, i) => keySet.find(`forged-${i}`)));
    expect(await keySet.find('one')).toBeDefined();
    expect(await forged).toEqual(Array.from({ length: 50 }, () => undefined));
    expect(realm.fetches).toBeLessThanOrEqual(3);
    expect(realm.at.every((at, i) => i === 0 || at - (realm.at[i - 1] ?? 0) >= 1_000)).toBe(true);
  });

  it('find a new key amid forged ids', async () => {
    const { keySet, realm, time } = aKeySet();
    await keySet.find('one');
    time.now += 2_000;
    const forged = keySet.find('forged');
    realm.keys = [one.jwk, two.jwk];
    time.now += 1;
    const real = keySet.find('two');
    expect(await real).toBeDefined();
    expect(await forged).toBeUndefined();
  });

  it('remember an absent id for 5 s and only that one', async () => {
    const { keySet, realm, time } = aKeySet();
    expect(await keySet.find('two')).toBeUndefined();
    const fetches = realm.fetches;
    realm.keys = [one.jwk, two.jwk];
    time.now += 4_999;
    expect(await keySet.find('two')).toBeUndefined();
    expect(realm.fetches).toBe(fetches);
    time.now += 1;
    expect(await keySet.find('two')).toBeDefined();
    expect(realm.fetches).toBe(fetches + 1);
  });

  it('forget the oldest of more than 1000 absent ids', async () => {
    const { keySet, realm, time } = aKeySet();
    await Promise.all(Array.from({ length: 1001 }, (_, i) => keySet.find(`absent-${i}`)));
    const fetches = realm.fetches;
    time.now += 1;
    await keySet.find('absent-1');
    await keySet.find('absent-1000');
    expect(realm.fetches).toBe(fetches);
    await keySet.find('absent-0');
    expect(realm.fetches).toBe(fetches + 1);
  });

  it('hold no unknown id while Keycloak is away, and the new one as soon as it is back', async () => {
    const { keySet, realm, time } = aKeySet();
    await keySet.find('one');
    realm.fails = true;
    time.now += 1;
    expect(await keySet.find('two')).toBeUndefined();
    realm.fails = false;
    realm.keys = [one.jwk, two.jwk];
    time.now += 1;
    expect(await keySet.find('two')).toBeDefined();
  });

  it('wait for one attempt of a Keycloak that hangs, not for the next ones', async () => {
    const { keySet, realm, time } = aKeySet();
    await keySet.find('one');
    realm.fails = true;
    time.now += 30_001;
    expect(await keySet.find('one')).toBeDefined();
    let answer: () => void = () => undefined;
    realm.held = new Promise<void>((resolve) => (answer = resolve));
    time.now += 5_001;
    expect(await keySet.find('one')).toBeDefined();
    expect(realm.fetches).toBe(3);
    answer();
  });

  it.each([
    ['an encryption key', { ...one.jwk, use: 'enc' }],
    ['a key of another algorithm', { ...one.jwk, alg: 'RS512' }],
    ['a key without id', { ...one.jwk, kid: undefined }],
    ['a key of another kind', { kty: 'oct', k: 'AAAA', kid: 'one' }],
    ['a key of 1024 bits', aSigningKey('one', 1024).jwk],
  ])('leave out %s', async (_what, jwk) => {
    const { keySet, realm } = aKeySet();
    realm.keys = [jwk, two.jwk];
    expect(await keySet.find('one')).toBeUndefined();
    expect(await keySet.find('two')).toBeDefined();
  });

  it('take a key that names neither use nor algorithm', async () => {
    const { keySet, realm } = aKeySet();
    realm.keys = [{ ...one.jwk, use: undefined, alg: undefined }];
    expect(await keySet.find('one')).toBeDefined();
  });

  it.each([
    ['no list', {}],
    ['nothing', undefined],
  ])('are unavailable when the answer holds %s', async (_what, keys) => {
    const { keySet, realm } = aKeySet();
    realm.keys = keys;
    await expect(keySet.find('one')).rejects.toMatchObject({ kind: 'unavailable' });
  });
});

describe('the key endpoint', () => {
  const server = new JwksServer();
  let url: string;
  beforeAll(async () => {
    url = await server.start();
  });
  afterAll(() => server.stop());

  it('is read as JSON', async () => {
    server.keys = [one.jwk];
    expect(await jwksOver(url)()).toEqual({ keys: [JSON.parse(JSON.stringify(one.jwk))] });
  });

  it('must answer 2xx', async () => {
    server.status = 500;
    await expect(jwksOver(url)()).rejects.toThrow('the key endpoint answered 500');
  });
});
