import { stringify } from 'yaml';
import { cases } from '../conformance/cases';
import { conformanceDocument } from '../conformance/document';
import { differences, RecordingUpstream } from '../conformance/run-case';
import { readConfiguration } from '../embedded/configuration';
import { Counters } from '../embedded/counters';
import { Gateway } from '../embedded/gateway';
import { aDocument, aRoute, bearer, GatewayBench, goodClaims, jwtConfig, token, Upstream } from './bench';

describe('the gateway answers as Kong was seen to answer', () => {
  const upstream = new RecordingUpstream();
  const addresses = new Map<string, string[]>();
  const counters = new Counters(addresses, () => undefined);
  let gateway: Gateway;
  let at: { host: string; port: number };
  beforeAll(async () => {
    const port = await upstream.start();
    addresses.set('dead:1', ['127.0.0.1:1']);
    addresses.set('svc:3000', [`127.0.0.1:${port}`]);
    const configuration = readConfiguration(stringify(conformanceDocument('svc:3000', 'dead:1')));
    // In the middle of a minute, for the windows of the limits; the times of tokens fit.
    const now = Math.floor(Date.now() / 60_000) * 60_000 + 30_000;
    gateway = new Gateway(configuration, addresses, counters, () => Math.max(now, Date.now()));
    at = { host: '127.0.0.1', port: await gateway.listen(0, '127.0.0.1') };
  });
  afterAll(async () => {
    await gateway.drain(50);
    counters.close();
    await upstream.stop();
  });

  it.each(cases.map((one) => [`${one.name} (${one.fact})`, one] as const))('%s', async (_, one) => {
    expect(await differences(one, at, upstream, one.deviation?.expect)).toEqual([]);
  });

  it('differs on purpose for at most five reasons', () => {
    const reasons = new Set(
      cases.flatMap(({ deviation }) => (deviation === undefined ? [] : [deviation.reason])),
    );
    expect(reasons.size).toBeLessThanOrEqual(5);
  });

  it('tells a difference when there is one', async () => {
    const one = { fact: '', name: '', ask: () => ({ path: '/pub' }), expect: { status: 201, attempts: 2 } };
    expect(await differences(one, at, upstream)).toEqual([
      'status is "200", not "201"',
      'attempts is "1", not "2"',
    ]);
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
