import { bearer, goodClaims, inSeconds, token } from './document';
import type { Ask, ConformanceCase, Expectation } from './run-case';

const MEGABYTE = 1024 * 1024;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
/** The body of Kong's templates. */
const kong = (message: string): RegExp =>
  new RegExp(`^\\{\\n  "message":"${message}",\\n  "request_id":"[0-9a-f]{32}"\\n\\}$`);
const own = { server: 'kong/3.9.3', 'x-kong-request-id': /^[0-9a-f]{32}$/, 'x-correlation-id': UUID };
/** Headers of an answer that the gateway makes itself. */
const short = { ...own, 'x-kong-response-latency': /^\d+$/, via: null };
const invalid = 'Bearer error="invalid_token"';

function refused(body: string, challenge: string): Expectation {
  return {
    status: 401,
    body,
    attempts: 0,
    headers: { ...short, 'www-authenticate': challenge, 'content-type': 'application/json; charset=utf-8' },
  };
}
const passed: Expectation = {
  status: 200,
  body: 'ok',
  attempts: 1,
  headers: {
    'x-from': 'upstream',
    via: '1.1 kong/3.9.3',
    'x-kong-upstream-latency': /^\d+$/,
    'x-kong-proxy-latency': /^\d+$/,
    'x-kong-response-latency': null,
  },
};
const me = (fact: string, name: string, ask: () => Ask, expect: Expectation): ConformanceCase => ({
  fact,
  name,
  ask: () => ({ path: '/me', ...ask() }),
  expect,
});
const authorization = (value: string) => () => ({ headers: { authorization: value } });

const tokens: ConformanceCase[] = [
  me('1 jwt', 'no token', () => ({}), refused('{"message":"Unauthorized"}', 'Bearer')),
  me('1 jwt', 'Basic', authorization('Basic YTpi'), refused('{"message":"Unauthorized"}', 'Bearer')),
  me(
    '2.1',
    'BEARER in capitals',
    authorization('BEARER x.y.z'),
    refused('{"message":"Unauthorized"}', 'Bearer'),
  ),
  me(
    '1 jwt',
    'garbage',
    authorization('Bearer abc'),
    refused('{"message":"Bad token; invalid JSON"}', invalid),
  ),
  me(
    '1 jwt',
    'alg none',
    () => ({ headers: bearer(goodClaims(), { header: { alg: 'none' } }) }),
    refused('{"message":"Bad token; invalid alg"}', invalid),
  ),
  me(
    '1 jwt',
    'alg unknown',
    () => ({ headers: bearer(goodClaims(), { header: { alg: 'RS1' } }) }),
    refused('{"message":"Bad token; invalid alg"}', invalid),
  ),
  me(
    '1 jwt',
    'alg differs: HS256 with the public key',
    () => ({ headers: bearer(goodClaims(), { hmac: true }) }),
    refused('{"message":"Invalid algorithm"}', invalid),
  ),
  me(
    '1 jwt',
    'the claim absent',
    () => ({ headers: bearer(goodClaims(), { header: { kid: undefined } }) }),
    refused(`{"message":"No mandatory 'kid' in claims"}`, invalid),
  ),
  me(
    '1 jwt',
    'the claim empty',
    () => ({ headers: bearer(goodClaims(), { header: { kid: '' } }) }),
    refused(`{"message":"Invalid 'kid' in claims"}`, invalid),
  ),
  me(
    '1 jwt',
    'unknown key',
    () => ({ headers: bearer(goodClaims(), { header: { kid: 'k9' } }) }),
    refused(`{"message":"No credentials found for given 'kid'"}`, invalid),
  ),
  me(
    '1 jwt',
    'a key id in the claims comes before the one in the header',
    () => ({ headers: bearer({ ...goodClaims(), kid: 'k9' }) }),
    refused(`{"message":"No credentials found for given 'kid'"}`, invalid),
  ),
  me(
    '1 jwt',
    'bad signature',
    () => ({ headers: bearer(goodClaims(), { forged: true }) }),
    refused('{"message":"Invalid signature"}', invalid),
  ),
  me(
    '1 jwt',
    'expired',
    () => ({ headers: bearer({ ...goodClaims(), exp: inSeconds(0) }) }),
    refused('{"exp":"token expired"}', invalid),
  ),
  me(
    '1 jwt',
    'not valid yet',
    () => ({ headers: bearer({ ...goodClaims(), nbf: inSeconds(60) }) }),
    refused('{"nbf":"token not valid yet"}', invalid),
  ),
  me(
    '1 jwt',
    'no expiry',
    () => ({ headers: bearer({ sub: 'a', nbf: inSeconds(-5) }) }),
    refused('{"exp":"must be a number"}', invalid),
  ),
  me(
    '1 jwt',
    'too long',
    () => ({ headers: bearer({ ...goodClaims(), exp: inSeconds(3700) }) }),
    refused('{"exp":"exceeds maximum allowed expiration"}', invalid),
  ),
  me(
    '1 jwt',
    'the answer is JSON whatever is accepted',
    () => ({ headers: { accept: 'text/html' } }),
    refused('{"message":"Unauthorized"}', 'Bearer'),
  ),
  me('1 jwt', 'a good token', () => ({ headers: bearer() }), passed),
  me(
    '2.0',
    'plain OPTIONS needs a token',
    () => ({ method: 'OPTIONS' }),
    refused('{"message":"Unauthorized"}', 'Bearer'),
  ),
  me(
    '2.0',
    'forged OPTIONS',
    () => ({ method: 'OPTIONS', headers: bearer(goodClaims(), { forged: true }) }),
    refused('{"message":"Invalid signature"}', invalid),
  ),
  me(
    '2.0',
    'a preflight needs none',
    () => ({
      method: 'OPTIONS',
      headers: { origin: 'https://b.example', 'access-control-request-method': 'GET' },
    }),
    { status: 200, body: '', attempts: 0, headers: { 'access-control-allow-origin': 'https://b.example' } },
  ),
  me('1 jwt', 'a token in the query is not looked at', () => ({ path: `/me?jwt=${token()}` }), {
    ...refused('{"message":"Unauthorized"}', 'Bearer'),
  }),
  me(
    '1 jwt',
    'nor one in a cookie',
    () => ({ headers: { cookie: `jwt=${token()}` } }),
    refused('{"message":"Unauthorized"}', 'Bearer'),
  ),
];

const paths: ConformanceCase[] = (
  [
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
    ['/pub/%ff', 404],
    [`/pub/${'x'.repeat(6000)}`, `/pub/${'x'.repeat(6000)}`],
    [`/pub/${'x'.repeat(9000)}`, 414],
    ['/v1/items/7', '/v1/items/7'],
    ['/v1/items/a%2Fb', '/v1/items/a%2Fb'],
    ['/v1/items/7/x', 404],
    ['/v1/items/7/', 404],
    ['/v1/items', 404],
    ['/v1/items/new', '/v1/items/new'],
    ['/pu', 404],
    ['/', 404],
  ] as const
).map(([path, expected]) => ({
  fact: '2.9 paths',
  name: `GET ${path.slice(0, 60)}`,
  ask: () => ({ path }),
  expect:
    typeof expected === 'number'
      ? { status: expected, attempts: 0 }
      : { status: 200, upstream: { url: expected } },
}));

const raw: ConformanceCase[] = (
  [
    ['2.9', 'TRACE', 'TRACE /pub HTTP/1.1\r\nHost: x\r\n\r\n', 405],
    ['2.9', 'OPTIONS *', 'OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n', 400],
    ['2.9', 'a raw blank in the path', 'GET /pub/a b HTTP/1.1\r\nHost: x\r\n\r\n', 400],
    [
      '2.1',
      'two Authorization headers',
      'GET /pub HTTP/1.1\r\nHost: x\r\nAuthorization: a\r\nAuthorization: b\r\n\r\n',
      400,
    ],
    [
      '2.1',
      'a header line of 9,000 bytes',
      `GET /pub HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(9000)}\r\n\r\n`,
      400,
    ],
    [
      '2.1',
      'a header line of 7,000 bytes',
      `GET /pub HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(7000)}\r\n\r\n`,
      200,
    ],
    [
      '2.6',
      'headers of 60,000 bytes',
      `GET /pub HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(60_000)}\r\n\r\n`,
      400,
    ],
    ['2.6', 'NUL in a header', 'GET /pub HTTP/1.1\r\nHost: x\r\nX-Correlation-Id: a\0b\r\n\r\n', 400],
    ['2.6', 'a lone CR in a header', 'GET /pub HTTP/1.1\r\nHost: x\r\nX-Correlation-Id: a\rb\r\n\r\n', 400],
    ['2.9', 'nonsense', 'nonsense\r\n\r\n', 400],
  ] as const
).map(([fact, name, bytes, status]) => ({
  fact,
  name,
  ask: () => ({ raw: bytes }),
  expect: { status },
}));
raw.push({
  fact: '2.9 paths',
  name: 'a raw byte above 0x7f in the path',
  ask: () => ({ raw: 'GET /pub\xe9 HTTP/1.1\r\nHost: x\r\n\r\n' }),
  expect: { status: 404 },
  deviation: {
    reason: "Node's parser refuses bytes that HTTP does not allow before the gateway sees them",
    expect: { status: 400 },
  },
});

const bodies: ConformanceCase[] = [
  me(
    '2.5',
    'exactly 1 MB',
    () => ({ method: 'POST', headers: bearer(), body: Buffer.alloc(MEGABYTE) }),
    passed,
  ),
  me(
    '2.5',
    'one byte above 1 MB',
    () => ({ method: 'POST', headers: bearer(), body: Buffer.alloc(MEGABYTE + 1) }),
    {
      status: 413,
      body: kong('Request size limit exceeded'),
      attempts: 0,
      headers: short,
    },
  ),
  me(
    '2.5',
    'chunked, exactly 1 MB',
    () => ({
      method: 'POST',
      headers: { ...bearer(), 'transfer-encoding': 'chunked' },
      body: Buffer.alloc(MEGABYTE),
    }),
    passed,
  ),
  me(
    '2.5',
    'chunked, one byte above',
    () => ({
      method: 'POST',
      headers: { ...bearer(), 'transfer-encoding': 'chunked' },
      body: Buffer.alloc(MEGABYTE + 1),
    }),
    { status: 413, body: kong('Request size limit exceeded'), attempts: 0 },
  ),
  {
    ...me(
      '2.5',
      'too large with Expect: 100-continue',
      () => ({
        method: 'POST',
        headers: { ...bearer(), expect: '100-continue' },
        body: Buffer.alloc(MEGABYTE + 1),
      }),
      { status: 417, body: kong('Request size limit exceeded'), attempts: 0 },
    ),
    deviation: {
      reason: '417 makes clients send the same body again without the header; 413 says what is wrong',
      expect: { status: 413, body: kong('Request size limit exceeded'), attempts: 0 },
    },
  },
  me(
    '1 jwt',
    'a token is asked for before the body is measured',
    () => ({ method: 'POST', body: Buffer.alloc(MEGABYTE + 1) }),
    {
      status: 401,
      attempts: 0,
    },
  ),
  {
    fact: '2.5',
    name: 'a body without request buffering',
    ask: () => ({ method: 'POST', path: '/upload', body: 'x'.repeat(100_000) }),
    expect: { status: 200, attempts: 1, upstream: { headers: { 'content-length': '100000' } } },
  },
];

const spoofed = {
  'x-consumer-id': 'evil',
  'x-consumer-username': 'evil',
  'x-consumer-custom-id': 'evil',
  'x-consumer-groups': 'admin',
  'x-authenticated-groups': 'admin',
  'x-credential-identifier': 'evil',
  'x-anonymous-consumer': 'true',
  'x-rate-key': 'evil',
  x_consumer_id: 'evil',
  'x-forwarded-for': '6.6.6.6',
  'x-forwarded-host': 'evil',
  'x-forwarded-prefix': '/evil',
  'x-real-ip': '6.6.6.6',
  'x-kong-request-id': 'evil',
  connection: 'close, x-private',
  'x-private': '1',
  'x-kept': '1',
};

const headers: ConformanceCase[] = [
  me(
    '2.1',
    'identity headers of the client on a route with a token',
    () => ({ headers: { ...spoofed, ...bearer(goodClaims('bob')) } }),
    {
      status: 200,
      upstream: {
        headers: {
          'x-consumer-id': UUID,
          'x-consumer-username': 'keycloak',
          'x-consumer-custom-id': 'realm:test',
          'x-credential-identifier': 'k1',
          'x-consumer-groups': null,
          'x-authenticated-groups': null,
          'x-anonymous-consumer': null,
          'x-rate-key': 'bob',
          'x-private': null,
          'x-kept': '1',
          'x-kong-request-id': /^[0-9a-f]{32}$/,
          'x-forwarded-for': /^6\.6\.6\.6, [0-9a-f.:]+$/,
          'x-forwarded-proto': 'http',
          'x-forwarded-path': '/me',
          'x-forwarded-prefix': null,
          'x-real-ip': /^(?!6\.6\.6\.6$)/,
          via: '1.1 kong/3.9.3',
        },
      },
    },
  ),
  {
    fact: '2.1',
    name: 'identity headers of the client on a public route; a name with underscores is not cleared',
    ask: () => ({ path: '/pub', headers: spoofed }),
    expect: {
      status: 200,
      upstream: {
        headers: {
          'x-consumer-id': null,
          'x-consumer-groups': null,
          'x-credential-identifier': null,
          'x-rate-key': 'none',
          x_consumer_id: 'evil',
        },
      },
    },
  },
  {
    fact: '2.9',
    name: 'X-Forwarded-Path is the raw path without the query',
    ask: () => ({ path: '/pub//a/%2e?x=1' }),
    expect: { status: 200, upstream: { url: '/pub/a/?x=1', headers: { 'x-forwarded-path': '/pub//a/%2e' } } },
  },
  {
    fact: '1 errors',
    name: "the upstream's own failure passes untouched",
    ask: () => ({ path: '/pub/do-fail' }),
    expect: {
      status: 422,
      body: '{"é":1}',
      headers: { 'content-type': 'application/problem+json', 'set-cookie': 'a=1, b=2', server: 'own' },
    },
  },
];

const rateKeys: ConformanceCase[] = (
  [
    ['a good sub', `Bearer ${token({ sub: 'a:b_c.d-1' })}`, 'a:b_c.d-1'],
    ['bearer in small letters', `bearer ${token({ sub: 'alice' })}`, 'alice'],
    ['BEARER', `BEARER ${token({ sub: 'alice' })}`, 'none'],
    ['Basic', 'Basic YTpi', 'none'],
    ['a quote in sub', `Bearer ${token({ sub: 'a"b' })}`, 'none'],
    ['a line break in sub', `Bearer ${token({ sub: 'a\r\nX: y' })}`, 'none'],
    ['a sub beyond ASCII', `Bearer ${token({ sub: 'имя' })}`, 'none'],
    ['a number', `Bearer ${token({ sub: 7 })}`, 'none'],
    ['an empty sub', `Bearer ${token({ sub: '' })}`, 'none'],
    ['no sub', `Bearer ${token({ iss: 'x' })}`, 'none'],
    ['bad base64', 'Bearer a.!!!.c', 'none'],
    ['an earlier sub inside', `Bearer ${token({ act: { sub: 'inner' }, sub: 'outer' })}`, 'inner'],
  ] as const
).map(([name, value, key]) => ({
  fact: '2.1',
  name: `rate key of ${name}`,
  ask: () => ({ path: '/pub', headers: { authorization: value, 'x-rate-key': ['a', 'b'] } }),
  expect: { status: 200, upstream: { headers: { 'x-rate-key': key } } },
}));

const limits: ConformanceCase[] = [
  {
    fact: '2.3',
    name: 'three a minute by address: HEAD and OPTIONS count, X-Forwarded-For does not help',
    ask: () => [
      { path: '/by-address', method: 'HEAD' },
      { path: '/by-address', method: 'OPTIONS' },
      { path: '/by-address', headers: { 'x-forwarded-for': '1.2.3.4' } },
      { path: '/by-address', headers: { 'x-real-ip': '1.2.3.5' } },
    ],
    expect: {
      status: 429,
      body: kong('API rate limit exceeded'),
      attempts: 0,
      headers: {
        ...short,
        'ratelimit-limit': '3',
        'ratelimit-remaining': '0',
        'ratelimit-reset': /^\d+$/,
        'retry-after': /^\d+$/,
        'x-ratelimit-limit-minute': '3',
        'x-ratelimit-remaining-minute': '0',
      },
    },
  },
  {
    fact: '2.2',
    name: 'three a minute by user: the third passes',
    ask: () => Array.from({ length: 3 }, () => ({ path: '/by-user', headers: bearer(goodClaims('third')) })),
    expect: { status: 200, headers: { 'ratelimit-remaining': '0', 'x-ratelimit-remaining-minute': '0' } },
  },
  {
    fact: '2.2',
    name: 'three a minute by user: the fourth does not, and X-Rate-Key of the client changes nothing',
    ask: () =>
      Array.from({ length: 4 }, (_, n) => ({
        path: '/by-user',
        headers: { ...bearer(goodClaims('fourth')), 'x-rate-key': `other-${n}` },
      })),
    expect: { status: 429, attempts: 0 },
  },
  {
    fact: '2.2',
    name: 'three a minute by user: forged tokens count for nobody',
    ask: () => [
      ...Array.from({ length: 4 }, () => ({
        path: '/by-user',
        headers: bearer(goodClaims('victim'), { forged: true }),
      })),
      { path: '/by-user', headers: bearer(goodClaims('victim')) },
    ],
    expect: { status: 200, headers: { 'ratelimit-remaining': '2' } },
  },
  {
    fact: '2.2',
    name: 'a forged token gets no RateLimit headers',
    ask: () => ({ path: '/by-user', headers: bearer(goodClaims(), { forged: true }) }),
    expect: { status: 401, headers: { 'ratelimit-limit': null, 'x-ratelimit-limit-minute': null } },
  },
];

const correlation: ConformanceCase[] = (
  [
    ['a good one', 'abc.DEF-1_2', true],
    ['64 characters', 'x'.repeat(64), true],
    ['65 characters', 'x'.repeat(65), false],
    ['a blank inside', 'a b', false],
    ['a slash', 'a/b', false],
    ['empty', '', false],
    ['two headers, the first good', ['first', 'second'], true],
  ] as const
).map(([name, value, kept]) => {
  const seen = kept ? (typeof value === 'string' ? value : 'first') : UUID;
  return {
    fact: '2.6',
    name: `correlation id: ${name}`,
    ask: () => ({
      path: '/pub',
      headers: { 'x-correlation-id': typeof value === 'string' ? value : [...value] },
    }),
    expect: {
      status: 200,
      headers: { 'x-correlation-id': seen },
      upstream: { headers: { 'x-correlation-id': seen } },
    },
  };
});
correlation.push({
  fact: '1 plugins',
  name: 'correlation id on a 404',
  ask: () => ({ path: '/none' }),
  expect: { status: 404, headers: { 'x-correlation-id': UUID } },
} as never);

const cors: ConformanceCase[] = [
  {
    fact: '1 cors',
    name: 'a preflight',
    ask: () => ({
      method: 'OPTIONS',
      path: '/me',
      headers: {
        origin: 'https://b.example',
        'access-control-request-method': 'GET',
        'access-control-request-headers': 'authorization',
      },
    }),
    expect: {
      status: 200,
      body: '',
      attempts: 0,
      headers: {
        'access-control-allow-origin': 'https://b.example',
        'access-control-allow-headers': 'authorization',
        'access-control-max-age': '600',
        'access-control-allow-methods': 'GET,HEAD,PUT,PATCH,POST,DELETE,OPTIONS,TRACE,CONNECT',
        vary: 'Origin',
      },
    },
  },
  {
    fact: '1 cors',
    name: 'a preflight of an unlisted origin is 200 without Allow-Origin',
    ask: () => ({
      method: 'OPTIONS',
      path: '/me',
      headers: { origin: 'https://c.example', 'access-control-request-method': 'GET' },
    }),
    expect: { status: 200, headers: { 'access-control-allow-origin': null } },
  },
  {
    fact: '1 cors',
    name: 'a 401 has its headers',
    ask: () => ({ path: '/me', headers: { origin: 'https://a.example' } }),
    expect: { status: 401, headers: { 'access-control-allow-origin': 'https://a.example' } },
  },
  {
    fact: '1 cors',
    name: 'so has a 404',
    ask: () => ({ path: '/none', headers: { origin: 'https://a.example' } }),
    expect: { status: 404, headers: { 'access-control-allow-origin': 'https://a.example' } },
  },
  {
    fact: '1 cors',
    name: 'an unlisted origin passes without them',
    ask: () => ({ path: '/pub', headers: { origin: 'https://c.example' } }),
    expect: { status: 200, attempts: 1, headers: { 'access-control-allow-origin': null } },
  },
];

const errors: ConformanceCase[] = [
  ...(
    [
      [undefined, 'application/json; charset=utf-8'],
      ['*/*', 'application/json; charset=utf-8'],
      ['application/json', 'application/json; charset=utf-8'],
      ['application/problem+json', 'application/json; charset=utf-8'],
      ['text/event-stream', 'application/json; charset=utf-8'],
      ['image/png', 'application/json; charset=utf-8'],
      ['text/plain', 'text/plain; charset=utf-8'],
      ['application/xml', 'application/xml; charset=utf-8'],
      ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', 'text/html; charset=utf-8'],
    ] as const
  ).map(([accept, type]): ConformanceCase => ({
    fact: '2.9',
    name: `404 for Accept ${accept ?? '(none)'}`,
    ask: () => ({ path: '/none', ...(accept === undefined ? {} : { headers: { accept } }) }),
    expect: {
      status: 404,
      body: /no Route matched with those values/,
      headers: { ...short, 'content-type': type },
    },
  })),
  {
    fact: '1 routes',
    name: 'a method of no route is 404, never 405',
    ask: () => ({ method: 'DELETE', path: '/v1/items/7' }),
    expect: { status: 404, body: kong('no Route matched with those values') },
  },
  {
    fact: '2.9',
    name: 'HEAD of a route with GET alone is 404',
    ask: () => ({ method: 'HEAD', path: '/v1/items/7' }),
    expect: { status: 404, body: '' },
  },
  {
    fact: '1 routes',
    name: 'a route of higher priority without the method leaves the request to the other',
    ask: () => ({ method: 'OPTIONS', path: '/v1/items/new' }),
    expect: { status: 200, attempts: 1 },
  },
  {
    fact: '1 errors',
    name: 'a refused connection',
    ask: () => ({ path: '/dead', headers: { accept: 'application/json' } }),
    expect: {
      status: 502,
      body: kong('An invalid response was received from the upstream server'),
      headers: { via: '1.1 kong/3.9.3', 'x-kong-upstream-latency': /^\d+$/ },
    },
  },
];

const retries: ConformanceCase[] = [
  ...(
    [
      ['GET', 3],
      ['HEAD', 3],
      ['OPTIONS', 3],
      ['PUT', 3],
      ['DELETE', 3],
      ['POST', 1],
      ['PATCH', 1],
    ] as const
  ).map(([method, attempts]): ConformanceCase => ({
    fact: '2.8',
    name: `${method} whose connection is reset, retries 2`,
    ask: () => ({ method, path: '/pub/do-reset', ...(method === 'POST' ? { body: 'x' } : {}) }),
    // One more where the first met a connection that was kept since an earlier request.
    expect: { status: 502, attempts: attempts === 1 ? 1 : /^[34]$/ },
  })),
  ...(
    [
      ['GET', 3],
      ['POST', 1],
    ] as const
  ).map(([method, attempts]): ConformanceCase => ({
    fact: '2.8',
    name: `${method} that is not answered, retries 2`,
    ask: () => ({ method, path: '/pub/do-nothing', headers: { accept: 'application/json' } }),
    expect: { status: 504, body: kong('The upstream server is timing out'), attempts },
  })),
  {
    fact: '2.8',
    name: 'an answer that breaks off is not asked for again',
    ask: () => ({ path: '/pub/do-break' }),
    expect: { status: 200, body: 'hello', complete: false, attempts: 1 },
  },
  {
    fact: '2.4',
    name: 'a stream that is silent beyond read_timeout is cut, status 200',
    ask: () => ({ path: '/stream/do-pause' }),
    expect: { status: 200, body: 'data: 1\n\n', complete: false },
  },
];

const PARENT = '0af7651916cd43dd8448eb211c80319c';
const traces: ConformanceCase[] = [
  {
    fact: '1 plugins',
    name: 'a trace begins here',
    ask: () => ({ path: '/pub' }),
    expect: { status: 200, upstream: { headers: { traceparent: /^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$/ } } },
  },
  {
    fact: '1 plugins',
    name: 'a trace goes on; an unsampled parent stays so',
    ask: () => ({ path: '/pub', headers: { traceparent: `00-${PARENT}-b7ad6b7169203331-00` } }),
    expect: {
      status: 200,
      upstream: {
        headers: { traceparent: new RegExp(`^00-${PARENT}-(?!b7ad6b7169203331)[0-9a-f]{16}-00$`) },
      },
    },
  },
  {
    fact: '1 plugins',
    name: 'a broken traceparent is replaced',
    ask: () => ({ path: '/pub', headers: { traceparent: `00-${'0'.repeat(32)}-b7ad6b7169203331-01` } }),
    expect: { status: 200, upstream: { headers: { traceparent: /^00-(?!0{32})[0-9a-f]{32}-/ } } },
  },
];

/**
 * What Kong 3.9.3 was seen to do, as far as our plugins are concerned. `1` and `2` in a fact are the two records that
 * were made of a real server.
 */
export const cases: readonly ConformanceCase[] = [
  ...tokens,
  ...paths,
  ...raw,
  ...bodies,
  ...headers,
  ...rateKeys,
  ...limits,
  ...correlation,
  ...cors,
  ...errors,
  ...retries,
  ...traces,
];
