import type { Fact } from '../facts';
import type { ConformanceCase } from '../run-case';
import { kong } from './expected';

const long = (length: number): string => `/pub/${'x'.repeat(length - 5)}`;
const rows: ReadonlyArray<readonly [Fact, string, string | number]> = [
  ['2.9.paths', '/pub/a%2Fb', '/pub/a%2Fb'],
  ['2.9.paths', '/pub/a%2fb', '/pub/a%2Fb'],
  ['2.9.paths', '/pub/..%2fme', '/pub/..%2Fme'],
  ['2.9.paths', '/pub/%2e%2e%2fme', '/pub/..%2Fme'],
  ['2.9.paths', '/pub/../me', 401],
  ['2.9.paths', '/pub/%2e%2e/me', 401],
  ['1.routes.prefix', '/pub%2fx', '/pub%2Fx'],
  ['1.routes.prefix', '/pubx', '/pubx'],
  ['1.routes.slash', '/t', 404],
  ['1.routes.slash', '/t/x', '/t/x'],
  ['1.routes.normal', '/pub//a/./b', '/pub/a/b'],
  ['1.routes.normal', '/v1//x/../items/%37', '/v1/items/7'],
  ['1.routes.query', '/pub?x=..%2f&y=//&z', '/pub?x=..%2f&y=//&z'],
  ['2.9.paths', '/pub/%41%7e%20%c3%a9', '/pub/A~%20%C3%A9'],
  ['2.9.paths', '/pub/a%252Fb', '/pub/a%252Fb'],
  ['2.9.paths', '/pub/a\\b', '/pub/a%5Cb'],
  ['2.9.malformed', '/pub/a%00b', 400],
  ['2.9.malformed', '/pub/a%', 400],
  ['2.9.malformed', '/pub/a%zz', 400],
  ['2.9.malformed', '/pub/../../x', 400],
  ['2.9.utf8', '/pub/%e9', 404],
  ['2.9.utf8', '/pub/%ff', 404],
  ['2.9.long', long(6005), long(6005)],
  ['2.9.long', long(9005), 414],
  ['1.routes.regex', '/v1/items/a%2Fb', '/v1/items/a%2Fb'],
  ['1.routes.regex', '/v1/items/7/x', 404],
  ['1.routes.regex', '/v1/items/7/', 404],
  ['1.routes.regex', '/x/v1/items/7', 404],
  ['1.routes.regex', '/open-ended/x', '/open-ended/x'],
  ['1.routes.regex', '/v1/items', 404],
  ['1.routes.order', '/v1/items/new', '/v1/items/new'],
  ['1.errors.404', '/pu', 404],
  ['1.errors.404', '/', 404],
];

const raw = (fact: Fact, name: string, bytes: string, status: number): ConformanceCase => ({
  fact,
  name,
  ask: () => ({ raw: bytes }),
  expect: { status },
});
const withHeader = (line: string): string => `GET /pub HTTP/1.1\r\nHost: x\r\n${line}\r\n\r\n`;
/** The one parser refuses what the other lets through. */
const unparsed = {
  reason: "Node's parser refuses bytes that HTTP does not allow before the gateway sees them",
  expect: { status: 400 },
};

export const paths: readonly ConformanceCase[] = [
  ...rows.map(([fact, path, expected]): ConformanceCase => ({
    fact,
    name: `GET ${path.slice(0, 40)} (${path.length})`,
    ask: () => ({ path }),
    expect:
      typeof expected === 'number'
        ? { status: expected, attempts: 0 }
        : { status: 200, upstream: { url: expected } },
  })),
  {
    fact: '2.9.forwarded',
    name: 'X-Forwarded-Path is the raw path without the query',
    ask: () => ({ path: '/pub//a/%2e?x=1' }),
    expect: { status: 200, upstream: { url: '/pub/a/?x=1', headers: { 'x-forwarded-path': '/pub//a/%2e' } } },
  },
  {
    fact: '1.routes.method',
    name: 'a method of no route is 404, never 405',
    ask: () => ({ method: 'DELETE', path: '/v1/items/7' }),
    expect: { status: 404, body: kong('no Route matched with those values') },
  },
  {
    fact: '1.routes.order',
    name: 'a route of higher priority without the method leaves the request to the other',
    ask: () => ({ method: 'OPTIONS', path: '/v1/items/new' }),
    expect: { status: 200, attempts: 1 },
  },
  {
    fact: '2.9.head',
    name: 'HEAD reaches the upstream as HEAD',
    ask: () => ({ method: 'HEAD', path: '/pub' }),
    expect: { status: 200, body: '', upstream: { method: 'HEAD' } },
  },
  {
    fact: '2.9.head',
    name: 'HEAD of a route with GET alone is 404',
    ask: () => ({ method: 'HEAD', path: '/v1/items/7' }),
    expect: { status: 404, body: '' },
  },
  {
    fact: '2.9.head',
    name: 'a preflight of a path whose routes have no OPTIONS is 404',
    ask: ({ document }) => [
      {
        configure: {
          ...document,
          services: document.services.map((one) => ({
            ...one,
            routes: one.routes.map((route) =>
              route['name'] === 'item' ? { ...route, methods: ['GET'] } : route,
            ),
          })),
        },
      },
      {
        method: 'OPTIONS',
        path: '/v1/items/7',
        headers: { origin: 'https://a.example', 'access-control-request-method': 'GET' },
      },
    ],
    expect: { status: 404, attempts: 0 },
  },
  {
    fact: '1.routes.methods',
    name: 'a route with methods comes before the same path without',
    ask: ({ document }) => {
      const [first, ...rest] = document.services;
      const without = {
        name: 'all-items',
        paths: ['~/v1/items/[^/]+$'],
        strip_path: false,
        regex_priority: 9,
      };
      const limits = { minute: 1000, limit_by: 'ip', policy: 'local', fault_tolerant: true };
      const plugins = [{ name: 'rate-limiting', config: limits }];
      return [
        {
          configure: {
            ...document,
            services: [{ ...first, routes: [...(first?.routes ?? []), { ...without, plugins }] }, ...rest],
          },
        },
        { path: '/v1/items/7' },
      ];
    },
    expect: { status: 200, headers: { 'ratelimit-limit': null } },
  },
  raw('2.9.methods', 'TRACE', 'TRACE /pub HTTP/1.1\r\nHost: x\r\n\r\n', 405),
  raw('2.9.methods', 'CONNECT', 'CONNECT x:80 HTTP/1.1\r\nHost: x:80\r\n\r\n', 405),
  raw('2.9.methods', 'OPTIONS *', 'OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n', 400),
  raw('2.9.malformed', 'a raw blank in the path', 'GET /pub/a b HTTP/1.1\r\nHost: x\r\n\r\n', 400),
  raw('2.9.malformed', 'nonsense', 'nonsense\r\n\r\n', 400),
  raw('2.1.two', 'two Authorization headers', withHeader('Authorization: a\r\nAuthorization: b'), 400),
  raw('2.1.line', 'a header line of 9,000 bytes', withHeader(`X-Long: ${'x'.repeat(9000)}`), 400),
  raw('2.1.line', 'a header line of 7,000 bytes', withHeader(`X-Long: ${'x'.repeat(7000)}`), 200),
  raw('2.1.line', 'headers of 60,000 bytes', withHeader(`X-Long: ${'x'.repeat(60_000)}`), 400),
  raw('2.6.nul', 'NUL in a header', withHeader('X-Correlation-Id: a\0b'), 400),
  raw('2.6.nul', 'a lone CR in a header', withHeader('X-Correlation-Id: a\rb'), 400),
  {
    ...raw('2.6.control', 'a control character in a header', withHeader('X-Correlation-Id: a\x01b'), 200),
    deviation: unparsed,
  },
  {
    ...raw('2.9.utf8', 'a raw byte above 0x7f in the path', 'GET /pub\xe9 HTTP/1.1\r\nHost: x\r\n\r\n', 404),
    deviation: unparsed,
  },
];
