import { bearer, consumer, credential, goodClaims } from '../document';
import type { Fact } from '../facts';
import type { ConformanceCase, ConformanceDocument, Expectation } from '../run-case';

const refused = (body?: RegExp): Expectation => ({
  status: 400,
  body: body ?? /"name":"invalid declarative configuration"/,
});
const file = (
  fact: Fact,
  name: string,
  change: (document: ConformanceDocument) => object,
  expect: Expectation,
): ConformanceCase => ({ fact, name, ask: ({ document }) => ({ configure: change(document) }), expect });
/** Another file, then a request. */
const after = (
  fact: Fact,
  name: string,
  change: (document: ConformanceDocument) => object,
  headers: () => Record<string, string>,
  expect: Expectation,
): ConformanceCase => ({
  fact,
  name,
  ask: ({ document }) => [
    { path: '/me', headers: bearer() },
    { configure: change(document) },
    { path: '/me', headers: headers() },
  ],
  expect,
});
const keys =
  (...credentials: object[]) =>
  (document: ConformanceDocument): object => ({ ...document, consumers: [consumer(...credentials)] });
const withRoute =
  (change: object) =>
  (document: ConformanceDocument): object => {
    const [first, ...rest] = document.services;
    const [route, ...routes] = first?.routes ?? [];
    return { ...document, services: [{ ...first, routes: [{ ...route, ...change }, ...routes] }, ...rest] };
  };
const bySecond = () => bearer(goodClaims(), { forged: true, header: { kid: 'k2' } });

export const configurations: readonly ConformanceCase[] = [
  file('1.file.replace', 'a file that is right', (document) => document, { status: 201 }),
  file(
    '1.file.unknown',
    'an unknown field at the top',
    (document) => ({ ...document, _info: {} }),
    refused(/_info/),
  ),
  file('1.file.unknown', 'an unknown field of a route', withRoute({ foo: 1 }), refused(/foo/)),
  file(
    '1.file.plugin',
    'a plugin that is not there',
    withRoute({ plugins: [{ name: 'openid-connect', config: {} }] }),
    refused(/openid-connect/),
  ),
  file('1.file.vault', 'a vault instead of a key', keys(credential('k1', '{vault://env/pem}')), refused()),
  file('1.routes.begin', 'a path without its slash', withRoute({ paths: ['pub'] }), refused()),
  file('2.7.twice', 'a key that is declared twice', keys(credential('k1'), credential('k1')), refused(/k1/)),
  {
    fact: '2.7.empty',
    name: 'a file with only a version',
    ask: () => ({ configure: { _format_version: '3.0' } }),
    expect: { status: 201 },
    deviation: {
      reason: 'a file without routes would end the service: it is refused',
      expect: refused(/has no route/),
    },
  },
  {
    fact: '2.7.invalid',
    name: 'a file that is refused changes nothing',
    ask: ({ document }) => [{ configure: { ...document, _info: {} } }, { path: '/me', headers: bearer() }],
    expect: { status: 200, attempts: 1 },
  },
  after('2.7.key', 'a key that was taken away', keys(credential('k2')), () => bearer(), {
    status: 401,
    body: `{"message":"No credentials found for given 'kid'"}`,
    attempts: 0,
  }),
  after('2.7.key', 'a key that was added', keys(credential('k2')), bySecond, { status: 200, attempts: 1 }),
  after('1.rotation', 'two keys: the old one', keys(credential('k2'), credential('k1')), () => bearer(), {
    status: 200,
    attempts: 1,
  }),
  after('1.rotation', 'two keys: the new one', keys(credential('k2'), credential('k1')), bySecond, {
    status: 200,
    attempts: 1,
  }),
  after(
    '1.file.ids',
    'the consumer is the same',
    (document) => document,
    () => bearer(),
    {
      status: 200,
      upstream: { asFirst: ['x-consumer-id'] },
    },
  ),
  {
    fact: '1.prometheus',
    name: 'requests are counted',
    ask: () => [{ path: '/pub' }, { port: 'status', path: '/metrics' }],
    expect: {
      status: 200,
      body: /kong_http_requests_total\{service="svc",route="pub",code="200",source="service",workspace="default",consumer=""\} [1-9]/,
    },
  },
  {
    fact: '1.prometheus',
    name: 'latencies are counted',
    ask: () => [
      { path: '/me', headers: bearer() },
      { port: 'status', path: '/metrics' },
    ],
    expect: {
      status: 200,
      body: /kong_request_latency_ms_bucket\{service="svc",route="me",workspace="default",le="60000"\} [1-9][^]*kong_upstream_latency_ms_count\{service="svc",route="me"/,
    },
  },
  {
    fact: '1.status',
    name: 'the status port is ready',
    ask: () => ({ port: 'status', path: '/status/ready' }),
    expect: { status: 200, body: /"message":\s*"ready"/ },
  },
];
