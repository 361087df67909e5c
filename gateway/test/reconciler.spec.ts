import { generateKeyPairSync } from 'node:crypto';
import { stringify } from 'yaml';
import { readConfiguration } from '../embedded/configuration';
import { readSettings } from '../reconciler/config';
import { Reconciler } from '../reconciler/reconciler';
import { signingKeys } from '../reconciler/signing-keys';
import { aDocument, aRoute } from './bench';

const publicKey = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ format: 'jwk' });
const jwk = (kid: string, rest: object = {}) => ({
  ...publicKey,
  kid,
  use: 'sig',
  alg: 'RS256',
  ...rest,
});

class World {
  jwks: unknown = { keys: [] };
  /** What each gateway holds; undefined = it is away. */
  readonly gateways = new Map<string, string[] | undefined>([
    ['http://a', []],
    ['http://b', []],
  ]);
  posts: string[] = [];
  answer = 201;
  readonly logged: string[] = [];
  readonly reconciler = new Reconciler('http://keycloak', [...this.gateways.keys()], {
    fetchJson: (url) => {
      if (url === 'http://keycloak')
        return this.jwks instanceof Error ? Promise.reject(this.jwks) : Promise.resolve(this.jwks);
      const keys = this.gateways.get(url.replace('/jwts', ''));
      return keys === undefined
        ? Promise.reject(new Error('refused'))
        : Promise.resolve({ data: keys.map((key) => ({ key })) });
    },
    postJson: (url, body) => {
      const gateway = url.replace('/config', '');
      this.posts.push(gateway);
      if (this.answer === 201) this.gateways.set(gateway, [...readConfiguration(body).credentials.keys()]);
      return Promise.resolve(this.answer);
    },
    readTemplate: () =>
      stringify({
        ...aDocument([aRoute('a', ['/a'])]),
        consumers: [{ username: 'keycloak', custom_id: 'x' }],
      }),
    log: (sentence) => void this.logged.push(sentence),
  });
}

describe('the reconciler', () => {
  it('gives every gateway the keys once, and again to one that lost them', async () => {
    const world = new World();
    world.jwks = { keys: [jwk('k1')] };
    expect(await world.reconciler.fetchKeys()).toBe(true);
    await world.reconciler.reconcile();
    await world.reconciler.reconcile();
    expect(world.posts).toEqual(['http://a', 'http://b']);
    expect(world.reconciler.complete).toBe(true);
    world.gateways.set('http://b', []);
    await world.reconciler.reconcile();
    expect(world.posts.slice(2)).toEqual(['http://b']);
    expect([...world.gateways.values()]).toEqual([['k1'], ['k1']]);
  });

  it('follows rotations: both keys while both are published, then the new one alone', async () => {
    const world = new World();
    const [k1, k2] = [jwk('k1'), jwk('k2')];
    for (const [keys, expected] of [
      [[k1], ['k1']],
      [
        [k2, k1],
        ['k1', 'k2'],
      ],
      [[k2], ['k2']],
    ] as const) {
      world.jwks = { keys };
      await world.reconciler.fetchKeys();
      await world.reconciler.reconcile();
      expect(world.gateways.get('http://a')).toEqual(expected);
    }
  });

  it('never empties a key set', async () => {
    const world = new World();
    await world.reconciler.reconcile();
    expect([await world.reconciler.fetchKeys(), world.posts, world.reconciler.hasKeys]).toEqual([
      false,
      [],
      false,
    ]);
    world.jwks = { keys: [jwk('k1')] };
    await world.reconciler.fetchKeys();
    await world.reconciler.reconcile();
    for (const broken of [{ keys: [] }, { keys: [jwk('e', { use: 'enc' })] }, {}, new Error('timeout')]) {
      world.jwks = broken;
      expect(await world.reconciler.fetchKeys()).toBe(false);
      await world.reconciler.reconcile();
    }
    expect(world.gateways.get('http://a')).toEqual(['k1']);
    expect(world.posts).toHaveLength(2);
    expect(world.reconciler.metrics).toContain('gateway_key_set_failures_total 5');
  });

  it('goes on with one gateway while the other is away or refuses', async () => {
    const world = new World();
    world.jwks = { keys: [jwk('k1')] };
    await world.reconciler.fetchKeys();
    world.gateways.set('http://b', undefined);
    await world.reconciler.reconcile();
    expect([world.gateways.get('http://a'), world.reconciler.complete]).toEqual([['k1'], false]);
    world.gateways.set('http://b', []);
    world.answer = 400;
    await world.reconciler.reconcile();
    expect(world.logged.at(-1)).toBe('A gateway refused its configuration');
    world.answer = 201;
    await world.reconciler.reconcile();
    expect(world.reconciler.complete).toBe(true);
  });

  it('takes RS256 signing keys only, ordered by their ids', () => {
    const keys = [
      jwk('b'),
      jwk('a'),
      jwk('enc', { use: 'enc' }),
      jwk('es', { alg: 'RS512' }),
      { kty: 'EC', kid: 'ec', use: 'sig', alg: 'ES256' },
    ];
    expect(signingKeys({ keys }).map(({ key }) => key)).toEqual(['a', 'b']);
    expect(signingKeys({ keys })[0]?.rsa_public_key).toMatch(/^-----BEGIN PUBLIC KEY-----\n/);
  });

  it('names every missing setting at once', () => {
    expect(() => readSettings({})).toThrow('OIDC_JWKS_URL and KONG_ADMIN_URLS must be set.');
    expect(readSettings({ OIDC_JWKS_URL: 'u', KONG_ADMIN_URLS: 'http://a/, http://b' }).adminUrls).toEqual([
      'http://a',
      'http://b',
    ]);
    expect(readSettings({ OIDC_JWKS_URL: 'u', GATEWAY_ADMIN_URL: 'http://c' }).adminUrls).toEqual([
      'http://c',
    ]);
  });
});
