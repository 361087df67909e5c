import type { Fact } from '../facts';
import type { ConformanceCase } from '../run-case';
import { kong, passed, short, tried } from './expected';

const json = { accept: 'application/json' };
const NOT_FOUND = 'no Route matched with those values';
const REQUEST_ID = '[0-9a-f]{32}';
const kinds = {
  json: ['application/json; charset=utf-8', kong(NOT_FOUND)],
  plain: ['text/plain; charset=utf-8', new RegExp(`^${NOT_FOUND}\\nrequest_id: ${REQUEST_ID}\\n$`)],
  xml: [
    'application/xml; charset=utf-8',
    new RegExp(`<message>${NOT_FOUND}</message>\\s*<requestid>${REQUEST_ID}`),
  ],
  html: [
    'text/html; charset=utf-8',
    new RegExp(`<p>${NOT_FOUND}\\.</p>\\s*<p>request_id: ${REQUEST_ID}</p>`),
  ],
} as const;

const unmatched: ConformanceCase[] = (
  [
    ['2.9.kinds', undefined, 'json'],
    ['2.9.kinds', '*/*', 'json'],
    ['2.9.kinds', 'application/json', 'json'],
    ['2.9.kinds', 'application/problem+json', 'json'],
    ['2.9.kinds', 'text/event-stream', 'json'],
    ['2.9.kinds', 'image/png', 'json'],
    ['1.errors.template', 'text/plain', 'plain'],
    ['1.errors.template', 'application/xml', 'xml'],
    ['1.errors.template', 'text/html', 'html'],
    ['2.9.kinds', 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', 'html'],
  ] as const
).map(([fact, accept, kind]) => ({
  fact,
  name: `404 for Accept ${accept ?? '(none)'}`,
  ask: () => ({ path: '/none', ...(accept === undefined ? {} : { headers: { accept } }) }),
  expect: {
    status: 404,
    body: kinds[kind][1],
    attempts: 0,
    headers: { ...short, 'content-type': kinds[kind][0] },
  },
}));

const failed = (
  fact: Fact,
  path: string,
  status: number,
  message: string,
  shape: Readonly<Record<string, string | RegExp | null>>,
): ConformanceCase => ({
  fact,
  name: `${status} ${message}`,
  ask: () => ({ path, headers: json }),
  expect: { status, body: kong(message), headers: shape },
});
const INVALID = 'An invalid response was received from the upstream server';
const NO_PEER = 'failure to get a peer from the ring-balancer';

export const errors: readonly ConformanceCase[] = [
  ...unmatched,
  {
    fact: '1.headers.short',
    name: 'an answer of its own',
    ask: () => ({ path: '/none' }),
    expect: { status: 404, headers: short },
  },
  {
    fact: '1.headers.answer',
    name: 'an answer of the upstream',
    ask: () => ({ path: '/pub' }),
    expect: passed,
  },
  {
    fact: '1.headers.server',
    name: 'Server of an upstream that has one',
    ask: () => ({ path: '/pub/do-fail' }),
    expect: { status: 422, headers: { server: 'own', via: '1.1 kong/3.9.3' } },
  },
  {
    fact: '1.errors.own',
    name: "the upstream's own failure passes untouched",
    ask: () => ({ path: '/pub/do-fail' }),
    expect: {
      status: 422,
      body: '{"é":1}',
      headers: { 'content-type': 'application/problem+json', 'set-cookie': 'a=1, b=2' },
    },
  },
  failed('1.errors.502', '/dead', 502, INVALID, tried),
  failed('1.errors.504', '/quick/do-nothing', 504, 'The upstream server is timing out', tried),
  failed('1.errors.name', '/nameless', 503, 'name resolution failed', {}),
  failed('1.errors.latency', '/once/do-reset', 502, INVALID, tried),
  failed('1.errors.unavailable', '/sick', 503, 'The upstream server is currently unavailable', {}),
  {
    fact: '1.errors.no-peer',
    name: `503 ${NO_PEER}`,
    ask: () => [{ path: '/sicker' }, { path: '/sicker', headers: json }],
    expect: { status: 503, body: kong(NO_PEER), headers: { via: null } },
  },
  {
    fact: '1.errors.default',
    name: '502 without Accept',
    ask: () => ({ path: '/dead' }),
    expect: {
      status: 502,
      body: kong(INVALID),
      headers: { 'content-type': 'application/json; charset=utf-8' },
    },
  },
  {
    fact: '1.file.health',
    name: 'a target that is always dead stays a target',
    ask: () => Array.from({ length: 6 }, () => ({ path: '/dead', headers: json })),
    expect: { status: 502, body: kong(INVALID) },
  },
];
