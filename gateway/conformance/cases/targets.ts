import type { ConformanceCase } from '../run-case';
import { passed, tried } from './expected';

const REPEATED = ['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'];
const NEVER = ['POST', 'PATCH'];
const body = (method: string) => (method === 'POST' ? { body: 'x' } : {});
const json = { accept: 'application/json' };

/** An upstream that fails, or one target of several. */
export const targets: readonly ConformanceCase[] = [
  ...['do-reset', 'do-end'].flatMap((how) =>
    [...REPEATED, ...NEVER].map((method): ConformanceCase => ({
      fact: '2.8.reset',
      name: `${method} to ${how}, retries 2`,
      ask: () => ({ method, path: `/pub/${how}`, ...body(method) }),
      // One more where the first met a connection that was kept since an earlier request.
      expect: { status: 502, attempts: NEVER.includes(method) ? 1 : /^[34]$/ },
    })),
  ),
  ...(
    [
      ['GET', 3],
      ['PUT', 3],
      ['POST', 1],
      ['PATCH', 1],
    ] as const
  ).map(([method, attempts]): ConformanceCase => ({
    fact: '2.8.timeout',
    name: `${method} that is not answered, retries 2`,
    ask: () => ({ method, path: '/quick/do-nothing', headers: json }),
    expect: { status: 504, attempts },
  })),
  ...['GET', 'PUT', 'DELETE'].map((method): ConformanceCase => ({
    fact: '2.8.stale',
    name: `${method} on a kept connection that breaks, retries 0`,
    ask: () => [{ path: '/once/do-flag' }, { method, path: '/once/do-stale' }],
    expect: { status: 200, body: 'ok', attempts: 2 },
  })),
  ...NEVER.map((method): ConformanceCase => ({
    fact: '2.8.stale',
    name: `${method} on a kept connection that breaks`,
    ask: () => [{ path: '/once/do-flag' }, { method, path: '/once/do-stale', ...body(method) }],
    expect: { status: 502, attempts: 1 },
  })),
  {
    fact: '2.8.cut',
    name: 'an answer that breaks off is not asked for again',
    ask: () => ({ path: '/pub/do-break' }),
    expect: { status: 200, body: 'hello', complete: false, attempts: 1 },
  },
  ...['GET', 'POST', 'PATCH'].map((method): ConformanceCase => ({
    fact: '2.10.refused',
    name: `${method} with one of two targets dead`,
    ask: () => Array.from({ length: 4 }, () => ({ method, path: '/two', ...body(method) })),
    expect: { ...passed, attempts: 1 },
  })),
  {
    fact: '2.10.refused',
    name: 'one of two targets dead, retries 0: every other request',
    ask: () => ({ atOnce: { path: '/either' }, times: 6 }),
    expect: { statuses: '200 x3, 502 x3' },
  },
  {
    fact: '2.10.hole',
    name: 'a target that takes no connection',
    ask: () => [{ path: '/hole' }, { path: '/hole' }],
    expect: passed,
  },
  {
    fact: '2.10.both',
    name: 'every target dead',
    ask: () => ({ method: 'POST', path: '/dead', headers: json, body: 'x' }),
    expect: { status: 502, headers: tried },
  },
];
