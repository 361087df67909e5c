import type { Server } from 'node:http';
import { stringify } from 'yaml';
import { cases } from '../conformance/cases';
import { conformanceDocument } from '../conformance/document';
import { facts } from '../conformance/facts';
import { RecordingUpstream } from '../conformance/recording-upstream';
import { differences } from '../conformance/run-case';
import type { ConformanceCase, World } from '../conformance/run-case';
import { readConfiguration } from '../embedded/configuration';
import { Counters } from '../embedded/counters';
import { Gateway } from '../embedded/gateway';
import { createAdminServer, createStatusServer, listenOn } from '../embedded/side-ports';
import { aDocument, aRoute, bearer, GatewayBench, goodClaims, jwtConfig, token, Upstream } from './bench';

describe('the gateway answers as Kong was seen to answer', () => {
  const upstream = new RecordingUpstream();
  const addresses = new Map<string, string[]>();
  const counters = new Counters(addresses, () => undefined);
  const servers: Server[] = [];
  const redis = new URL(process.env['REDIS_CACHE_URL'] ?? process.env['ADMIN_REDIS_CACHE_URL'] ?? '');
  let gateway: Gateway;
  let world: World;
  /** Of the gateway's clock: a window of a limit that ends between two requests would look like a difference. */
  let aheadMs = 0;
  beforeAll(async () => {
    const port = await upstream.start();
    addresses.set('dead:1', ['127.0.0.1:1']);
    addresses.set('svc:3000', [`127.0.0.1:${port}`]);
    const document = conformanceDocument({
      upstream: 'svc:3000',
      dead: 'dead:1',
      redis: {
        host: redis.hostname,
        port: Number(redis.port),
        ...(redis.username === '' ? {} : { username: decodeURIComponent(redis.username) }),
        ...(redis.password === '' ? {} : { password: decodeURIComponent(redis.password) }),
      },
      silentRedis: { host: '127.0.0.1', port: upstream.silentPort },
    });
    const configuration = readConfiguration(stringify(document));
    gateway = new Gateway(configuration, addresses, counters, () => Date.now() + aheadMs);
    servers.push(createAdminServer(gateway), createStatusServer(gateway));
    const [admin, status] = await Promise.all(
      servers.map(async (server) => `http://127.0.0.1:${await listenOn(server, 0, '127.0.0.1')}`),
    );
    world = {
      ...{ host: '127.0.0.1', port: await gateway.listen(0, '127.0.0.1') },
      ...{ admin: admin as string, status: status as string, document, upstream },
    };
  });
  afterAll(async () => {
    await gateway.drain(50);
    for (const server of servers) server.close();
    counters.close();
    await upstream.stop();
  });

  it.each(cases.map((one) => [`${one.name} (${one.fact})`, one] as const))(
    '%s',
    async (_, one) => {
      aheadMs = one.name.includes('a minute') ? (90_000 - (Date.now() % 60_000)) % 60_000 : 0;
      expect(await differences(one, world, one.deviation?.expect)).toEqual([]);
    },
    60_000,
  );

  it('in every respect that was recorded', () => {
    const shown = new Set<string>(cases.map(({ fact }) => fact));
    expect(Object.keys(facts).filter((fact) => !shown.has(fact))).toEqual([]);
    expect([...shown].filter((fact) => !Object.hasOwn(facts, fact))).toEqual([]);
  });

  it('differs on purpose for at most five reasons', () => {
    const reasons = new Set(
      cases.flatMap(({ deviation }) => (deviation === undefined ? [] : [deviation.reason])),
    );
    expect(reasons.size).toBeLessThanOrEqual(5);
  });

  it('tells a difference when there is one', async () => {
    const one: ConformanceCase = {
      fact: '1.status',
      name: '',
      ask: () => ({ path: '/pub' }),
      expect: { status: 201, attempts: 2 },
    };
    expect(await differences(one, world)).toEqual(['status is "200", not "201"', 'attempts is "1", not "2"']);
  });
});

describe('a token that was seen before', () => {
  const routes = [aRoute('me', ['~/me$'], { plugins: [{ name: 'jwt', config: jwtConfig }] })];
  let upstream: Upstream;
  beforeAll(async () => {
    upstream = await new Upstream().start();
  });
  afterAll(() => upstream.stop());

  it('is refused once it has expired, and when its signature is another', async () => {
    let now = Date.now();
    const bench = await new GatewayBench(aDocument(routes), [upstream.port], undefined, () => now).start();
    const seen = token(goodClaims());
    const ask = async (given: string): Promise<number> =>
      (await bench.ask({ path: '/me', headers: { authorization: `Bearer ${given}` } })).status;
    expect([await ask(seen), await ask(seen)]).toEqual([200, 200]);
    const [header, claims] = seen.split('.');
    const other = token(goodClaims('mallory')).split('.')[2];
    expect(await ask(`${header}.${claims}.${other}`)).toBe(401);
    now += 301_000;
    expect(await ask(seen)).toBe(401);
    await bench.stop();
  });

  it('is refused as soon as its key is gone', async () => {
    const bench = await new GatewayBench(aDocument(routes), [upstream.port]).start();
    const headers = bearer();
    expect((await bench.ask({ path: '/me', headers })).status).toBe(200);
    bench.gateway.install(
      readConfiguration(stringify(aDocument(routes, { consumers: [{ username: 'keycloak' }] }))),
    );
    expect((await bench.ask({ path: '/me', headers })).status).toBe(401);
    bench.gateway.install(readConfiguration(stringify(aDocument(routes))));
    expect((await bench.ask({ path: '/me', headers })).status).toBe(200);
    await bench.stop();
  });
});
