import { generateKeyPairSync, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { stringify } from 'yaml';
import { readConfiguration } from '../embedded/configuration';
import { Reconciler } from '../reconciler/reconciler';
import { aDocument, aRoute, GatewayBench, goodClaims, jwtConfig, Upstream } from './bench';

interface Key {
  kid: string;
  privateKey: KeyObject;
  jwk: object;
}

function aKey(kid: string): Key {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { kid, privateKey, jwk: { ...publicKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'RS256' } };
}

function signed(key: Key, claims: object = goodClaims(), kid = key.kid): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = `${part({ alg: 'RS256', typ: 'JWT', kid })}.${part(claims)}`;
  return `${text}.${sign('RSA-SHA256', Buffer.from(text), key.privateKey).toString('base64url')}`;
}

describe('signing keys change under load', () => {
  const [old, fresh, foreign] = [aKey('old'), aKey('fresh'), aKey('foreign')];
  let upstream: Upstream;
  let bench: GatewayBench;
  let published: object | Error;
  let reconciler: Reconciler;
  /** What Keycloak signs with. */
  let active = old;
  let running = true;
  const counted = { good: 0, goodRefused: 0, forged: 0, forgedAccepted: 0 };

  const status = async (token: string): Promise<number> =>
    (await bench.ask({ path: '/me', headers: { authorization: `Bearer ${token}` } })).status;
  /** One refresh of the reconciler, with requests before, during and after it. */
  const period = async (): Promise<void> => {
    const before = counted.good;
    await reconciler.fetchKeys();
    await reconciler.reconcile();
    while (counted.good < before + 20) await new Promise((resolve) => setImmediate(resolve));
  };
  const load = async (worker: number): Promise<void> => {
    for (let n = 0; running; n += 1) {
      counted.good += 1;
      if ((await status(signed(active))) !== 200) counted.goodRefused += 1;
      counted.forged += 1;
      const forged =
        n % 2 === 0
          ? signed(foreign, goodClaims(), `k-${worker}-${n}`)
          : signed(foreign, goodClaims(), active.kid);
      if ((await status(forged)) !== 401) counted.forgedAccepted += 1;
    }
  };

  beforeAll(async () => {
    upstream = await new Upstream().start();
    const routes = [aRoute('me', ['~/me$'], { plugins: [{ name: 'jwt', config: jwtConfig }] })];
    const template = aDocument(
      routes,
      { consumers: [{ username: 'keycloak' }] },
      { read_timeout: 20_000, connect_timeout: 20_000 },
    );
    bench = await new GatewayBench(template, [upstream.port]).start();
    reconciler = new Reconciler('http://keycloak', ['http://gateway'], {
      fetchJson: (url) => {
        if (url !== 'http://keycloak') {
          const data = [...bench.gateway.configuration.credentials.keys()].map((key) => ({ key }));
          return Promise.resolve({ data });
        }
        return published instanceof Error ? Promise.reject(published) : Promise.resolve(published);
      },
      postJson: (_, body) => {
        bench.gateway.install(readConfiguration(body));
        return Promise.resolve(201);
      },
      readTemplate: () => stringify(template),
      log: () => undefined,
    });
  });
  afterAll(async () => {
    running = false;
    await bench.stop();
    await upstream.stop();
  });

  it('refuses no valid token from the first key to the last, and no forged one gets in', async () => {
    published = { keys: [old.jwk] };
    await reconciler.fetchKeys();
    await reconciler.reconcile();
    const workers = [load(1), load(2), load(3)];
    await period();
    // Published before it is used; used two refreshes later.
    published = { keys: [fresh.jwk, old.jwk] };
    await period();
    await period();
    active = fresh;
    const issuedBefore = signed(old);
    await period();
    expect(await status(issuedBefore)).toBe(200);
    published = { keys: [fresh.jwk] };
    await period();
    expect(await status(issuedBefore)).toBe(401);
    expect(await status(signed(old))).toBe(401);
    // Keycloak is away: what is known goes on, what is unknown does not get in.
    published = new Error('refused');
    await period();
    await period();
    expect(await status(signed(old))).toBe(401);
    running = false;
    await Promise.all(workers);
    expect(counted).toMatchObject({ goodRefused: 0, forgedAccepted: 0 });
    expect(counted.forged).toBeGreaterThanOrEqual(100);
  }, 120_000);
});
