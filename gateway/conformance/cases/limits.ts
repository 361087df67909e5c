import { randomUUID } from 'node:crypto';
import { bearer, goodClaims } from '../document';
import type { Ask, ConformanceCase } from '../run-case';
import { kong, short } from './expected';

const times = (count: number, ask: (n: number) => Ask): Ask[] =>
  Array.from({ length: count }, (_, n) => ask(n));
/** The n-th request of one new user. */
const asUser =
  (path: string, count: number, more: (n: number) => Record<string, string> = () => ({})) =>
  (): Ask[] => {
    const headers = bearer(goodClaims(randomUUID()));
    return times(count, (n) => ({ path, headers: { ...headers, ...more(n) } }));
  };
const spent = {
  'ratelimit-limit': '3',
  'ratelimit-remaining': '0',
  'ratelimit-reset': /^([1-9]|[1-5]\d|60)$/,
  'x-ratelimit-limit-minute': '3',
  'x-ratelimit-remaining-minute': '0',
};
const unlimited = { 'ratelimit-limit': null, 'ratelimit-remaining': null, 'x-ratelimit-limit-minute': null };

/** Names of cases that a window's end would spoil say "a minute". */
export const limits: readonly ConformanceCase[] = [
  {
    fact: '2.3.methods',
    name: 'three a minute by address: HEAD and OPTIONS count, X-Forwarded-For does not help',
    ask: () => [
      { path: '/by-address', method: 'HEAD' },
      { path: '/by-address', method: 'OPTIONS' },
      { path: '/by-address', headers: { 'x-forwarded-for': '1.2.3.4' } },
      { path: '/by-address', headers: { 'x-real-ip': '1.2.3.5' } },
    ],
    expect: { status: 429, attempts: 0 },
  },
  {
    fact: '2.3.address',
    name: 'the fourth in a minute by address',
    ask: () => times(4, () => ({ path: '/by-address' })),
    expect: {
      status: 429,
      body: kong('API rate limit exceeded'),
      attempts: 0,
      headers: { ...short, ...spent },
    },
  },
  {
    fact: '2.3.other',
    name: 'three a minute by address: another address has its own',
    ask: () => [
      ...times(4, () => ({ path: '/by-other-address' })),
      { path: '/by-other-address', from: '127.0.0.2' },
    ],
    expect: { status: 200, headers: { 'ratelimit-remaining': '2' } },
  },
  {
    fact: '1.limits.missing',
    name: 'three a minute by a header that is not there: the address counts',
    ask: () => times(4, () => ({ path: '/by-nothing' })),
    expect: { status: 429, attempts: 0 },
  },
  {
    fact: '1.errors.429',
    name: 'the fourth in a minute by user',
    ask: asUser('/by-user', 4),
    expect: {
      status: 429,
      body: kong('API rate limit exceeded'),
      attempts: 0,
      headers: { ...short, ...spent },
    },
  },
  {
    fact: '1.limits.retry',
    name: 'a minute is over when Retry-After says so, as Reset does',
    ask: asUser('/by-user', 4),
    expect: { status: 429, headers: { 'retry-after': /^([1-9]|[1-5]\d|60)$/ } },
  },
  {
    fact: '1.limits.headers',
    name: 'three a minute by user: the third passes, with nothing left',
    ask: asUser('/by-user', 3),
    expect: { status: 200, headers: { ...spent, 'retry-after': null } },
  },
  {
    fact: '1.limits.clock',
    name: 'a minute ends with the minute of the clock',
    ask: asUser('/by-user', 1),
    expect: { status: 200, headers: { 'ratelimit-reset': /^([1-9]|[1-5]\d|60)$/ } },
  },
  {
    fact: '2.2.client',
    name: 'three a minute by user: X-Rate-Key of the client changes nothing',
    ask: asUser('/by-user', 4, (n) => ({ 'x-rate-key': `other-${n}` })),
    expect: { status: 429, attempts: 0 },
  },
  {
    fact: '2.2.own',
    name: 'three a minute in Redis: each user has its own',
    ask: () => [...asUser('/in-redis', 4)(), ...asUser('/in-redis', 1)()],
    expect: { status: 200, headers: { 'ratelimit-remaining': '2' } },
  },
  {
    fact: '2.2.own',
    name: 'three a minute in Redis: the fourth does not pass',
    ask: asUser('/in-redis', 4),
    expect: { status: 429, attempts: 0, headers: { ...short, ...spent } },
  },
  {
    fact: '2.2.forged',
    name: 'three a minute by user: forged tokens count for nobody',
    ask: () => {
      const claims = goodClaims(randomUUID());
      const forged = times(4, () => ({ path: '/by-user', headers: bearer(claims, { forged: true }) }));
      return [...forged, { path: '/by-user', headers: bearer(claims) }];
    },
    expect: { status: 200, headers: { 'ratelimit-remaining': '2' } },
  },
  {
    fact: '2.2.forged',
    name: 'a forged token gets no RateLimit headers',
    ask: () => ({ path: '/by-user', headers: bearer(goodClaims(), { forged: true }) }),
    expect: { status: 401, headers: unlimited },
  },
  {
    fact: '2.2.bursts',
    name: 'three a minute in Redis: exactly three of ten at once pass',
    ask: () => ({ atOnce: { path: '/in-redis', headers: bearer(goodClaims(randomUUID())) }, times: 10 }),
    expect: { statuses: '200 x3, 429 x7' },
  },
  {
    fact: '2.2.bursts',
    name: 'three a minute, local: some more of ten at once may pass',
    ask: () => ({ atOnce: { path: '/by-user', headers: bearer(goodClaims(randomUUID())) }, times: 10 }),
    expect: { statuses: /^200 x([3-9]|10)\b/ },
    deviation: {
      reason: 'limits with policy local are exact: nothing is gained by letting bursts through',
      expect: { statuses: '200 x3, 429 x7' },
    },
  },
  {
    fact: '1.limits.away',
    name: 'Redis away: four pass a limit of three a minute, without headers',
    ask: () => times(4, () => ({ path: '/redis-away' })),
    expect: { status: 200, attempts: 1, headers: unlimited },
  },
  {
    fact: '2.2.silent',
    name: 'Redis silent: four pass a limit of three a minute, without headers',
    ask: () => times(4, () => ({ path: '/redis-silent' })),
    expect: { status: 200, attempts: 1, headers: unlimited },
  },
  {
    fact: '1.limits.reload',
    name: 'three a minute: a new configuration starts no new count',
    ask: ({ document }) => [
      ...times(3, () => ({ path: '/reloaded' })),
      { configure: document },
      { path: '/reloaded' },
    ],
    expect: { status: 429, attempts: 0 },
  },
];
