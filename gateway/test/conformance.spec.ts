import {
  aDocument,
  aRoute,
  bearer,
  GatewayBench,
  goodClaims,
  inSeconds,
  jwtConfig,
  publicPem,
  token,
  Upstream,
} from './bench';
import type { Ask } from './bench';

const size = { name: 'request-size-limiting', config: { allowed_payload_size: 1, size_unit: 'megabytes' } };
const MEGABYTE = 1024 * 1024;
const claims = goodClaims();

describe('the gateway answers as Kong was seen to answer', () => {
  let upstream: Upstream;
  let bench: GatewayBench;
  beforeAll(async () => {
    upstream = await new Upstream().start();
    const routes = [
      aRoute('pub', ['/pub']),
      aRoute('me', ['~/me$'], { plugins: [{ name: 'jwt', config: jwtConfig }, size] }),
      aRoute('item', ['~/v1/items/[^/]+$'], { methods: ['GET', 'OPTIONS'], regex_priority: 1 }),
      aRoute('items-new', ['~/v1/items/new$'], { methods: ['GET'], regex_priority: 2 }),
    ];
    bench = await new GatewayBench(aDocument(routes), [upstream.port]).start();
  });
  afterAll(async () => {
    await bench.stop();
    await upstream.stop();
  });
  beforeEach(() => {
    upstream.seen.length = 0;
    upstream.behave = undefined;
  });

  const kong = (message: string) =>
    new RegExp(`^\\{\\n  "message":"${message}",\\n  "request_id":"[0-9a-f]{32}"\\n\\}$`);

  it.each<[string, Ask, number, string | RegExp, string | undefined]>([
    ['no token', {}, 401, '{"message":"Unauthorized"}', 'Bearer'],
    ['Basic', { headers: { authorization: 'Basic YTpi' } }, 401, '{"message":"Unauthorized"}', 'Bearer'],
    [
      'BEARER in capitals',
      { headers: { authorization: 'BEARER x.y.z' } },
      401,
      '{"message":"Unauthorized"}',
      'Bearer',
    ],
    [
      'garbage',
      { headers: { authorization: 'Bearer abc' } },
      401,
      '{"message":"Bad token; invalid JSON"}',
      'Bearer error="invalid_token"',
    ],
    [
      'alg none',
      { headers: bearer(claims, { header: { alg: 'none' } }) },
      401,
      '{"message":"Bad token; invalid alg"}',
      'Bearer error="invalid_token"',
    ],
    [
      'typ',
      { headers: bearer(claims, { header: { typ: 'at+jwt' } }) },
      401,
      '{"message":"Bad token; invalid typ"}',
      'Bearer error="invalid_token"',
    ],
    [
      'HS256 with the public key',
      { headers: bearer(claims, { algorithm: 'HS256' }) },
      401,
      '{"message":"Invalid algorithm"}',
      'Bearer error="invalid_token"',
    ],
    [
      'no kid',
      { headers: bearer(claims, { header: { kid: undefined } }) },
      401,
      `{"message":"No mandatory 'kid' in claims"}`,
      'Bearer error="invalid_token"',
    ],
    [
      'empty kid',
      { headers: bearer(claims, { header: { kid: '' } }) },
      401,
      `{"message":"Invalid 'kid' in claims"}`,
      'Bearer error="invalid_token"',
    ],
    [
      'unknown kid',
      { headers: bearer(claims, { header: { kid: 'k9' } }) },
      401,
      `{"message":"No credentials found for given 'kid'"}`,
      'Bearer error="invalid_token"',
    ],
    [
      'forged',
      { headers: bearer(claims, { forged: true }) },
      401,
      '{"message":"Invalid signature"}',
      'Bearer error="invalid_token"',
    ],
    [
      'expired',
      { headers: bearer({ ...claims, exp: inSeconds(0) }) },
      401,
      '{"exp":"token expired"}',
      'Bearer error="invalid_token"',
    ],
    [
      'several faults',
      { headers: bearer({ exp: 'x', nbf: inSeconds(60) }) },
      401,
      '{"exp":"must be a number","nbf":"token not valid yet"}',
      'Bearer error="invalid_token"',
    ],
    [
      'too long',
      { headers: bearer({ ...claims, exp: inSeconds(3700) }) },
      401,
      '{"exp":"exceeds maximum allowed expiration"}',
      'Bearer error="invalid_token"',
    ],
    ['plain OPTIONS', { method: 'OPTIONS' }, 401, '{"message":"Unauthorized"}', 'Bearer'],
    [
      'forged OPTIONS',
      { method: 'OPTIONS', headers: bearer(claims, { forged: true }) },
      401,
      '{"message":"Invalid signature"}',
      'Bearer error="invalid_token"',
    ],
    ['a good token', { headers: bearer() }, 200, 'ok', undefined],
    [
      'a method of no route',
      { method: 'DELETE' },
      404,
      kong('no Route matched with those values'),
      undefined,
    ],
    [
      'a body above 1 MB',
      { method: 'POST', headers: bearer(), body: Buffer.alloc(MEGABYTE + 1) },
      413,
      kong('Request size limit exceeded'),
      undefined,
    ],
    [
      'a body of 1 MB',
      { method: 'POST', headers: bearer(), body: Buffer.alloc(MEGABYTE) },
      200,
      'ok',
      undefined,
    ],
    [
      'a chunked body above 1 MB',
      {
        method: 'POST',
        headers: { ...bearer(), 'transfer-encoding': 'chunked' },
        body: Buffer.alloc(MEGABYTE + 1),
      },
      413,
      kong('Request size limit exceeded'),
      undefined,
    ],
    [
      'a chunked body of 1 MB',
      {
        method: 'POST',
        headers: { ...bearer(), 'transfer-encoding': 'chunked' },
        body: Buffer.alloc(MEGABYTE),
      },
      200,
      'ok',
      undefined,
    ],
    [
      'a large body that expects 100',
      { method: 'POST', headers: { ...bearer(), expect: '100-continue' }, body: Buffer.alloc(MEGABYTE + 1) },
      413,
      kong('Request size limit exceeded'),
      undefined,
    ],
    [
      'a large body without a token',
      { method: 'POST', body: Buffer.alloc(MEGABYTE + 1) },
      401,
      '{"message":"Unauthorized"}',
      'Bearer',
    ],
  ])('/me with %s', async (_, ask, status, body, challenge) => {
    const reply = await bench.ask({ path: '/me', ...ask });
    expect(reply.status).toBe(status);
    if (typeof body === 'string') expect(reply.body).toBe(body);
    else expect(reply.body).toMatch(body);
    expect(reply.headers['www-authenticate']).toBe(challenge);
    expect(upstream.seen).toHaveLength(status === 200 ? 1 : 0);
    expect(reply.headers['server']).toBe('kong/3.9.3');
    expect(reply.headers['x-kong-request-id']).toMatch(/^[0-9a-f]{32}$/);
    expect(reply.headers['x-correlation-id']).toMatch(/^[0-9a-f-]{36}$/);
    expect('x-kong-response-latency' in reply.headers).toBe(status !== 200);
    expect('via' in reply.headers).toBe(status === 200);
  });

  it('a token with the claims of another key is judged by the header when the claims have no kid', async () => {
    expect((await bench.ask({ path: '/me', headers: bearer({ ...claims, kid: 'k9' }) })).status).toBe(401);
    expect(
      (await bench.ask({ path: '/me', headers: bearer({ ...claims, kid: 'k1' }, { header: { kid: 'k9' } }) }))
        .status,
    ).toBe(200);
  });

  it.each<[string, string | number]>([
    ['/pub/a%2Fb', '/pub/a%2Fb'],
    ['/pub/a%2fb', '/pub/a%2Fb'],
    ['/pub/..%2fme', '/pub/..%2Fme'],
    ['/pub/%2e%2e%2fme', '/pub/..%2Fme'],
    ['/pub/../me', 401],
    ['/pub/%2e%2e/me', 401],
    ['/pub%2fx', '/pub%2Fx'],
    ['/pubx', '/pubx'],
    ['/pub//a/./b?x=..%2f', '/pub/a/b?x=..%2f'],
    ['/pub/%41%7e%20%c3%a9', '/pub/A~%20%C3%A9'],
    ['/pub/a%252Fb', '/pub/a%252Fb'],
    ['/pub/a\\b', '/pub/a%5Cb'],
    ['/pub/a%00b', 400],
    ['/pub/a%', 400],
    ['/pub/a%zz', 400],
    ['/pub/../../x', 400],
    ['/pub/%e9', 404],
    [`/pub/${'x'.repeat(6000)}`, `/pub/${'x'.repeat(6000)}`],
    [`/pub/${'x'.repeat(9000)}`, 414],
    ['/v1/items/7', '/v1/items/7'],
    ['/v1/items/a%2Fb', '/v1/items/a%2Fb'],
    ['/v1/items/7/x', 404],
    ['/v1/items', 404],
    ['/v1/items/new', '/v1/items/new'],
  ])('GET %s', async (path, expected) => {
    const reply = await bench.ask({ path });
    if (typeof expected === 'number') expect(reply.status).toBe(expected);
    else expect(upstream.seen.map(({ url }) => url)).toEqual([expected]);
  });

  it('prefers the higher regex_priority, then finds the other route for other methods', async () => {
    expect(bench.gateway.configuration.routes.map(({ name }) => name)).toContain('items-new');
    // OPTIONS is only on the route with the parameter.
    expect((await bench.ask({ method: 'OPTIONS', path: '/v1/items/new' })).status).toBe(200);
  });

  it.each([
    ['TRACE /pub HTTP/1.1\r\nHost: x\r\n\r\n', 405],
    ['OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n', 400],
    ['GET /pub HTTP/1.1\r\nHost: x\r\nAuthorization: a\r\nAuthorization: b\r\n\r\n', 400],
    [`GET /pub HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(9000)}\r\n\r\n`, 400],
    [`GET /pub HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(7000)}\r\n\r\n`, 200],
    [`GET /pub HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(60000)}\r\n\r\n`, 400],
    // Kong: 404. Node's parser refuses raw bytes above 0x7f before the gateway sees them.
    ['GET /pub\xe9 HTTP/1.1\r\nHost: x\r\n\r\n', 400],
    ['nonsense\r\n\r\n', 400],
  ])('%# raw bytes', async (bytes, status) => {
    expect(await bench.raw(bytes)).toBe(status);
  });

  it('tells the upstream who asks, and takes no identity from the client', async () => {
    const spoofed = {
      'x-consumer-id': 'evil',
      'x-consumer-groups': 'admin',
      'x-credential-identifier': 'evil',
      'x-anonymous-consumer': 'true',
      'x-rate-key': 'evil',
      'x-forwarded-for': '6.6.6.6',
      'x-real-ip': '6.6.6.6',
      'x-kong-request-id': 'evil',
      'x-correlation-id': 'abc.DEF-1_2',
      connection: 'close, x-private',
      'x-private': '1',
      'x-kept': '1',
    };
    const reply = await bench.ask({ path: '/me', headers: { ...bearer(goodClaims('bob')), ...spoofed } });
    const { headers } = upstream.seen[0] as { headers: Record<string, string> };
    expect(headers).toMatchObject({
      host: 'svc:3000',
      'x-consumer-username': 'keycloak',
      'x-consumer-custom-id': 'realm:test',
      'x-credential-identifier': 'k1',
      'x-rate-key': 'bob',
      'x-forwarded-for': '6.6.6.6, 127.0.0.1',
      'x-forwarded-proto': 'http',
      'x-forwarded-path': '/me',
      'x-real-ip': '127.0.0.1',
      'x-correlation-id': 'abc.DEF-1_2',
      'x-kept': '1',
      via: '1.1 kong/3.9.3',
    });
    expect(headers['x-consumer-id']).toMatch(/^[0-9a-f-]{36}$/);
    for (const name of ['x-consumer-groups', 'x-anonymous-consumer', 'x-private'])
      expect(headers[name]).toBeUndefined();
    expect(headers['x-kong-request-id']).toBe(reply.headers['x-kong-request-id']);
    expect(reply.headers).toMatchObject({
      'x-correlation-id': 'abc.DEF-1_2',
      'x-from': 'upstream',
      via: '1.1 kong/3.9.3',
    });
    await bench.ask({ path: '/pub', headers: spoofed });
    const open = (upstream.seen[1] as { headers: Record<string, string> }).headers;
    expect([open['x-consumer-id'], open['x-consumer-groups'], open['x-rate-key']]).toEqual([
      undefined,
      undefined,
      'none',
    ]);
  });

  it.each([
    ['x'.repeat(64), true],
    ['x'.repeat(65), false],
    ['a b', false],
    ['a/b', false],
    ['', false],
  ])('keeps the correlation id %j: %s', async (id, kept) => {
    const reply = await bench.ask({ path: '/pub', headers: { 'x-correlation-id': id } });
    const passed = upstream.seen[0]?.headers['x-correlation-id'];
    expect(reply.headers['x-correlation-id']).toBe(passed);
    expect(passed === id).toBe(kept);
    if (!kept) expect(passed).toMatch(/^[0-9a-f-]{36}$/);
  });

  it.each([
    ['alice', 'alice'],
    ['a:b_c.d-1', 'a:b_c.d-1'],
    ['a"b', 'none'],
    ['имя', 'none'],
    [7, 'none'],
  ])('derives the rate key of sub %j', async (sub, key) => {
    await bench.ask({ path: '/pub', headers: { authorization: `Bearer ${token({ sub })}` } });
    expect(upstream.seen[0]?.headers['x-rate-key']).toBe(key);
  });

  it('answers preflights itself, without a token, and adds CORS headers to everything else', async () => {
    const preflight = {
      origin: 'https://b.example',
      'access-control-request-method': 'GET',
      'access-control-request-headers': 'authorization',
    };
    const reply = await bench.ask({ method: 'OPTIONS', path: '/me', headers: preflight });
    expect([reply.status, reply.body, upstream.seen.length]).toEqual([200, '', 0]);
    expect(reply.headers).toMatchObject({
      'access-control-allow-origin': 'https://b.example',
      'access-control-allow-headers': 'authorization',
      'access-control-max-age': '600',
      'access-control-allow-methods': 'GET,HEAD,PUT,PATCH,POST,DELETE,OPTIONS,TRACE,CONNECT',
      vary: 'Origin',
    });
    const refused = await bench.ask({ path: '/me', headers: { origin: 'https://a.example' } });
    expect([refused.status, refused.headers['access-control-allow-origin']]).toEqual([
      401,
      'https://a.example',
    ]);
    const missing = await bench.ask({ path: '/none', headers: { origin: 'https://a.example' } });
    expect([missing.status, missing.headers['access-control-allow-origin']]).toEqual([
      404,
      'https://a.example',
    ]);
    const stranger = await bench.ask({ path: '/pub', headers: { origin: 'https://c.example' } });
    expect([stranger.status, stranger.headers['access-control-allow-origin']]).toEqual([200, undefined]);
  });

  it.each([
    [undefined, 'application/json; charset=utf-8'],
    ['*/*', 'application/json; charset=utf-8'],
    ['application/problem+json', 'application/json; charset=utf-8'],
    ['text/plain', 'text/plain; charset=utf-8'],
    ['application/xml', 'application/xml; charset=utf-8'],
    ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', 'text/html; charset=utf-8'],
  ])('words its 404 for Accept %j', async (accept, type) => {
    const reply = await bench.ask({ path: '/none', headers: accept === undefined ? {} : { accept } });
    expect([reply.status, reply.headers['content-type']]).toEqual([404, type]);
    expect(reply.body).toContain('no Route matched with those values');
  });

  it('replaces its configuration between two requests, or keeps the old one', async () => {
    const before = bench.gateway.configuration.hash;
    const second = await new GatewayBench(aDocument([aRoute('only', ['/only'])]), [upstream.port]).start();
    bench.gateway.install(second.gateway.configuration);
    expect((await bench.ask({ path: '/only' })).status).toBe(200);
    expect((await bench.ask({ path: '/pub' })).status).toBe(404);
    expect(bench.gateway.configuration.hash).not.toBe(before);
    await second.stop();
    expect(publicPem).toContain('PUBLIC KEY');
  });
});
