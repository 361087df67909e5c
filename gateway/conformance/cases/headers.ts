import { bearer, goodClaims, token } from '../document';
import type { ConformanceCase } from '../run-case';
import { UUID } from './expected';

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
  'x-forwarded-proto': 'https',
  'x-forwarded-port': '1',
  'x-forwarded-path': '/evil',
  'x-forwarded-prefix': '/evil',
  'x-real-ip': '6.6.6.6',
  'x-kong-request-id': 'evil',
  connection: 'close, x-private',
  'x-private': '1',
  te: 'trailers',
  'x-kept': '1',
};
const cleared = {
  'x-consumer-groups': null,
  'x-authenticated-groups': null,
  'x-anonymous-consumer': null,
};

const spoofing: ConformanceCase[] = [
  {
    fact: '1.headers.spoofed',
    name: 'identity headers of the client on a route with a token',
    ask: () => ({ path: '/me', headers: { ...spoofed, ...bearer(goodClaims('bob')) } }),
    expect: {
      status: 200,
      upstream: {
        headers: {
          ...cleared,
          'x-consumer-id': UUID,
          'x-consumer-username': 'keycloak',
          'x-consumer-custom-id': 'realm:test',
          'x-credential-identifier': 'k1',
          'x-rate-key': 'bob',
        },
      },
    },
  },
  {
    fact: '2.1.cleared',
    name: 'identity headers of the client on a public route',
    ask: () => ({ path: '/pub', headers: spoofed }),
    expect: {
      status: 200,
      upstream: {
        headers: {
          ...cleared,
          'x-consumer-id': null,
          'x-consumer-username': null,
          'x-consumer-custom-id': null,
          'x-credential-identifier': null,
          'x-rate-key': 'none',
        },
      },
    },
  },
  {
    fact: '2.1.underscore',
    name: 'a name with underscores is not cleared',
    ask: () => ({ path: '/pub', headers: spoofed }),
    expect: { status: 200, upstream: { headers: { x_consumer_id: 'evil' } } },
  },
  {
    fact: '1.headers.forwarded',
    name: 'who asks is told by the gateway',
    ask: () => ({ path: '/pub', headers: spoofed }),
    expect: {
      status: 200,
      upstream: {
        headers: {
          'x-kong-request-id': /^[0-9a-f]{32}$/,
          'x-forwarded-for': /^6\.6\.6\.6, [0-9a-f.:]+$/,
          'x-forwarded-proto': 'http',
          'x-forwarded-host': /^(?!evil)/,
          'x-forwarded-port': /^(?!1$)\d+$/,
          'x-forwarded-path': '/pub',
          'x-forwarded-prefix': null,
          'x-real-ip': /^(?!6\.6\.6\.6$)/,
          via: '1.1 kong/3.9.3',
        },
      },
    },
  },
  {
    fact: '1.headers.hop',
    name: 'headers of the connection end here',
    ask: () => ({ path: '/pub', headers: spoofed }),
    expect: { status: 200, upstream: { headers: { 'x-private': null, te: null, 'x-kept': '1' } } },
  },
  {
    fact: '1.headers.host',
    name: 'Host is the target, as the file names it',
    ask: () => ({ path: '/pub', headers: { host: 'evil.example' } }),
    expect: {
      status: 200,
      upstream: { headers: { host: /^(?!evil)[^:]+:\d+$/, 'x-forwarded-host': 'evil.example' } },
    },
  },
];

const rateKeys: ConformanceCase[] = (
  [
    ['2.1.rate-key', 'a good sub', `Bearer ${token({ sub: 'a:b_c.d-1' })}`, 'a:b_c.d-1'],
    ['2.1.rate-key', 'bearer in small letters', `bearer ${token({ sub: 'alice' })}`, 'alice'],
    ['2.1.none', 'no header', undefined, 'none'],
    ['2.1.none', 'BEARER', `BEARER ${token({ sub: 'alice' })}`, 'none'],
    ['2.1.none', 'Basic', 'Basic YTpi', 'none'],
    ['2.1.none', 'a quote in sub', `Bearer ${token({ sub: 'a"b' })}`, 'none'],
    ['2.1.none', 'a line break in sub', `Bearer ${token({ sub: 'a\r\nX: y' })}`, 'none'],
    ['2.1.none', 'a sub beyond ASCII', `Bearer ${token({ sub: 'имя' })}`, 'none'],
    ['2.1.none', 'a number', `Bearer ${token({ sub: 7 })}`, 'none'],
    ['2.1.none', 'an empty sub', `Bearer ${token({ sub: '' })}`, 'none'],
    ['2.1.none', 'no sub', `Bearer ${token({ iss: 'x' })}`, 'none'],
    ['2.1.none', 'bad base64', 'Bearer a.!!!.c', 'none'],
    [
      '2.1.first',
      'an earlier sub inside',
      `Bearer ${token({ act: { sub: 'inner' }, sub: 'outer' })}`,
      'inner',
    ],
  ] as const
).map(([fact, name, value, key]) => ({
  fact,
  name: `rate key of ${name}`,
  ask: () => ({
    path: '/pub',
    headers: { ...(value === undefined ? {} : { authorization: value }), 'x-rate-key': ['a', 'b'] },
  }),
  expect: { status: 200, upstream: { headers: { 'x-rate-key': key } } },
}));

const correlation: ConformanceCase[] = (
  [
    ['1.correlation', 'a good one', 'abc.DEF-1_2', 'abc.DEF-1_2'],
    ['1.correlation', 'none', undefined, UUID],
    ['2.6.long', '64 characters', 'x'.repeat(64), 'x'.repeat(64)],
    ['2.6.long', '65 characters', 'x'.repeat(65), UUID],
    ['2.6.long', '7,000 characters', 'x'.repeat(7000), UUID],
    ['2.6.long', 'a blank inside', 'a b', UUID],
    ['2.6.long', 'a slash', 'a/b', UUID],
    ['2.6.empty', 'empty', '', UUID],
    ['2.6.two', 'two headers, the first good', ['first', 'second'], 'first'],
  ] as const
).map(([fact, name, value, seen]) => ({
  fact,
  name: `correlation id: ${name}`,
  ask: () => ({
    path: '/pub',
    headers:
      value === undefined ? {} : { 'x-correlation-id': typeof value === 'string' ? value : [...value] },
  }),
  expect: {
    status: 200,
    headers: { 'x-correlation-id': seen },
    upstream: { headers: { 'x-correlation-id': seen } },
  },
}));

const PARENT = '0af7651916cd43dd8448eb211c80319c';
const traces: ConformanceCase[] = [
  {
    fact: '1.telemetry',
    name: 'a trace begins here',
    ask: () => ({ path: '/pub' }),
    expect: { status: 200, upstream: { headers: { traceparent: /^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$/ } } },
  },
  {
    fact: '1.telemetry',
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
    fact: '1.telemetry',
    name: 'a broken traceparent is replaced',
    ask: () => ({ path: '/pub', headers: { traceparent: `00-${'0'.repeat(32)}-b7ad6b7169203331-01` } }),
    expect: { status: 200, upstream: { headers: { traceparent: /^00-(?!0{32})[0-9a-f]{32}-/ } } },
  },
];

export const headers: readonly ConformanceCase[] = [...spoofing, ...rateKeys, ...correlation, ...traces];
