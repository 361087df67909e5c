import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { readConfiguration } from '../embedded/configuration';
import { readSettings } from '../embedded/config';
import { createAdminServer, createStatusServer, listenOn } from '../embedded/side-ports';
import { RoundRobin } from '../embedded/targets';
import { aDocument, aRoute, bearer, GatewayBench, jwtConfig, publicPem, Upstream } from './bench';

describe('a configuration that is not understood to its last field', () => {
  const jwt = (config: object) =>
    aDocument([aRoute('a', ['/a'], { plugins: [{ name: 'jwt', config: { ...jwtConfig, ...config } }] })]);
  const route = (rest: object) => aDocument([aRoute('a', ['/a'], rest)]);

  it.each<[object | string, string]>([
    [route({ hosts: ['x'] }), 'configuration.services[0].routes[0] has the unknown field "hosts".'],
    [
      route({ strip_path: true }),
      'configuration.services[0].routes[0].strip_path is true; this gateway knows only false.',
    ],
    [
      route({ methods: ['FETCH'] }),
      'configuration.services[0].routes[0].methods[0] is "FETCH"; this gateway knows only',
    ],
    [route({ paths: [] }), 'configuration.services[0].routes[0].paths must not be empty.'],
    [
      route({ plugins: [{ name: 'acl', config: {} }] }),
      'configuration.services[0].routes[0].plugins[0] names the plugin "acl", which this gateway does not know.',
    ],
    [
      route({ plugins: [{ name: 'jwt', config: jwtConfig, enabled: false }] }),
      'has the unknown field "enabled".',
    ],
    [jwt({ run_on_preflight: false }), '.run_on_preflight is false; this gateway knows only true.'],
    [jwt({ uri_param_names: ['jwt'] }), '.uri_param_names must be an empty list.'],
    [jwt({ anonymous: 'x' }), 'has the unknown field "anonymous".'],
    [
      route({ plugins: [{ name: 'pre-function', config: { access: ['ngx.exit(200)'] } }] }),
      '.access must hold exactly the text of gateway/render/pre-function-text.ts.',
    ],
    [
      route({
        plugins: [
          {
            name: 'rate-limiting',
            config: { minute: 1, limit_by: 'header', policy: 'local', fault_tolerant: true },
          },
        ],
      }),
      '.header_name goes with limit_by: header.',
    ],
    [
      route({
        plugins: [
          {
            name: 'rate-limiting',
            config: { minute: 1, limit_by: 'ip', policy: 'redis', fault_tolerant: true },
          },
        ],
      }),
      '.redis goes with policy: redis.',
    ],
    [
      route({ plugins: [{ name: 'cors', config: { origins: ['.*'] } }] }),
      '.origins[0] must be a plain origin.',
    ],
    [aDocument([aRoute('a', ['/a']), aRoute('a', ['/b'])]), 'The route "a" is declared twice.'],
    [
      aDocument([aRoute('a', ['/a'])], {}, { host: 'elsewhere' }),
      'The service "svc" has the host "elsewhere", which is no upstream of this file.',
    ],
    [aDocument([aRoute('a', ['/a'])], { _info: {} }), 'configuration has the unknown field "_info".'],
    [
      aDocument([aRoute('a', ['/a'])], { _format_version: '2.1' }),
      '_format_version is "2.1"; this gateway knows only "3.0".',
    ],
    [
      aDocument([aRoute('a', ['/a'])], {
        consumers: [{ username: 'k', jwt_secrets: [{ key: 'k', algorithm: 'RS256', rsa_public_key: 'x' }] }],
      }),
      'rsa_public_key is not an RSA public key in PEM form.',
    ],
    [
      aDocument([aRoute('a', ['/a'])], {
        consumers: ['a', 'b'].map((username) => ({
          username,
          jwt_secrets: [{ key: 'k', algorithm: 'RS256', rsa_public_key: publicPem }],
        })),
      }),
      `The 'jwt_secrets' key "k" is declared twice.`,
    ],
    [aDocument([]), 'The configuration has no route.'],
    [{ _format_version: '3.0' }, 'The configuration has no route.'],
    ['a: [', 'The configuration is not YAML:'],
    ['', 'configuration must be an object.'],
  ])('%# is refused with one sentence', (document, sentence) => {
    const read = (): unknown =>
      readConfiguration(typeof document === 'string' ? document : stringify(document));
    expect(read).toThrow(sentence);
  });

  it('is not so with the file that is rendered', () => {
    const configuration = readConfiguration(readFileSync(join(__dirname, '../kong.yml'), 'utf8'));
    expect(configuration.routes.length).toBeGreaterThan(0);
    for (const { plugins } of configuration.routes) {
      const names = plugins.map(({ name }) => name);
      expect(names).toEqual([...names].sort((a, b) => order.indexOf(a) - order.indexOf(b)));
    }
  });
  const order = [
    'pre-function',
    'correlation-id',
    'cors',
    'jwt',
    'request-size-limiting',
    'rate-limiting',
    'opentelemetry',
    'prometheus',
  ];
});

describe('the side ports', () => {
  it('replace the configuration, tell the keys, the readiness and the traffic', async () => {
    const upstream = await new Upstream().start();
    const document = aDocument([aRoute('me', ['/me'], { plugins: [{ name: 'jwt', config: jwtConfig }] })]);
    const bench = await new GatewayBench({ ...document, consumers: [{ username: 'keycloak' }] }, [
      upstream.port,
    ]).start();
    const adminServer = createAdminServer(bench.gateway);
    const statusServer = createStatusServer(bench.gateway);
    const admin = `http://127.0.0.1:${await listenOn(adminServer, 0, '127.0.0.1')}`;
    const status = `http://127.0.0.1:${await listenOn(statusServer, 0, '127.0.0.1')}`;
    const post = async (body: string, type = 'application/json'): Promise<[number, string]> => {
      const answer = await fetch(`${admin}/config`, {
        method: 'POST',
        headers: { 'content-type': type },
        body,
      });
      return [answer.status, await answer.text()];
    };
    const json = async (url: string): Promise<unknown> => (await fetch(url)).json();

    expect((await bench.ask({ path: '/me', headers: bearer() })).status).toBe(401);
    expect(await json(`${admin}/jwts`)).toEqual({ data: [], next: null });
    expect((await post(JSON.stringify(document)))[0]).toBe(201);
    expect((await bench.ask({ path: '/me', headers: bearer() })).status).toBe(200);
    expect(await json(`${admin}/jwts`)).toMatchObject({ data: [{ key: 'k1', algorithm: 'RS256' }] });

    for (const [body, type] of [
      ['{"_format_version":"3.0"}', 'application/json'],
      ['config=x', 'application/x-www-form-urlencoded'],
      ['{', 'application/json'],
    ]) {
      const [refusal, text] = await post(body as string, type);
      expect([refusal, JSON.parse(text).name]).toEqual([400, 'invalid declarative configuration']);
    }
    expect((await bench.ask({ path: '/me', headers: bearer() })).status).toBe(200);
    expect(
      (
        await post(
          new URLSearchParams({ config: stringify(document) }).toString(),
          'application/x-www-form-urlencoded',
        )
      )[0],
    ).toBe(201);
    expect((await post(JSON.stringify({ config: stringify(document) })))[0]).toBe(201);

    expect(await json(`${status}/status/ready`)).toEqual({ message: 'ready' });
    const metrics = await (await fetch(`${status}/metrics`)).text();
    expect(metrics).toContain(
      'kong_http_requests_total{service="svc",route="me",code="200",source="service",workspace="default",consumer="keycloak"} 2',
    );
    expect(metrics).toContain(
      'kong_http_requests_total{service="svc",route="me",code="401",source="kong",workspace="default",consumer=""} 1',
    );
    expect(metrics).toContain(
      'kong_request_latency_ms_count{service="svc",route="me",workspace="default"} 3',
    );
    expect((await fetch(`${admin}/services`)).status).toBe(404);
    adminServer.close();
    statusServer.close();
    await bench.stop();
    await upstream.stop();
  });
});

describe('settings', () => {
  it('map names to addresses, and take the account of Redis from its URL', () => {
    const settings = readSettings({
      GATEWAY_PROXY_PORT: '1',
      GATEWAY_HOSTS: 'key-service:3000=127.0.0.1:5|127.0.0.1:6, a:1=b:2',
      REDIS_CACHE_URL: 'redis://gate:s%40cret@127.0.0.1:7',
    });
    expect(settings.port).toBe(1);
    expect([...settings.addresses]).toEqual([
      ['key-service:3000', ['127.0.0.1:5', '127.0.0.1:6']],
      ['a:1', ['b:2']],
      ['redis-cache:6379', ['127.0.0.1:7']],
    ]);
    expect([settings.secret('GATEWAY_REDIS_USERNAME'), settings.secret('GATEWAY_REDIS_PASSWORD')]).toEqual([
      'gate',
      's@cret',
    ]);
    const peers = new RoundRobin(['key-service:3000', 'c:9'], settings.addresses);
    const next = () => Object.values(peers.next() ?? {}).join(' ');
    expect([next(), next(), next(), next()]).toEqual([
      'key-service:3000 127.0.0.1 5',
      'key-service:3000 127.0.0.1 6',
      'c:9 c 9',
      'key-service:3000 127.0.0.1 5',
    ]);
    expect(() => readSettings({ GATEWAY_HOSTS: 'x' })).toThrow('GATEWAY_HOSTS holds "x"');
    expect(() => readSettings({ GATEWAY_ADMIN_PORT: '70000' })).toThrow('GATEWAY_ADMIN_PORT must be a port.');
  });
});
