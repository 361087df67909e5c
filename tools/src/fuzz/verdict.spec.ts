import { type FuzzRecord, judge, mergeRecords, statusesOf, unrecorded } from './verdict';

const access = { 'GET /v1/a': ['viewer'], 'POST /v1/a': 'public' as const };
const good: FuzzRecord = {
  operations: {
    'GET /v1/a': { viewer: { 200: 50, 400: 5 }, nobody: { 401: 25 } },
    'POST /v1/a': { nobody: { 202: 15, 429: 5 } },
  },
  findings: [],
  broken: [],
};
const changed = (role: string, statuses: Record<string, number>): FuzzRecord =>
  mergeRecords([good, { operations: { 'GET /v1/a': { [role]: statuses } }, findings: [], broken: [] }]);
const finding = { operation: 'GET /v1/a', check: 'response_schema', what: 'no name', count: 1, example: 'x' };

describe('the verdict on a fuzz run', () => {
  it('is good with every operation reached, at most 5 % refused for their number, and nothing found', () => {
    expect(judge(good, access, 100)).toEqual({ passed: true, requests: 100, tooMany: 0.05, faults: [] });
    expect(judge(changed('viewer', { 503: 3 }), access, 100).passed).toBe(true);
  });

  it.each(['500', '502', '504'])('is bad with a single %s', (status) => {
    expect(judge(changed('viewer', { [status]: 1 }), access, 100)).toMatchObject({
      passed: false,
      faults: [`GET /v1/a: 1 times ${status}`],
    });
  });

  it('is bad with too few requests, too many 429, or an operation that never succeeded', () => {
    expect(judge(good, access, 101).faults).toEqual(['only 100 requests of 101']);
    expect(judge(changed('viewer', { 429: 1 }), access, 100).faults).toEqual([
      '5.9 % of the requests were 429',
    ]);
    expect(judge(good, { ...access, 'PUT /v1/a': ['admin'] }, 100).faults).toEqual([
      'PUT /v1/a: no request succeeded',
    ]);
    expect(judge({ operations: {}, findings: [], broken: [] }, {}, 0).passed).toBe(true);
  });

  it('is bad with anything that a check found, and with a request that got no answer', () => {
    const found = {
      ...good,
      findings: [finding],
      broken: [{ ...finding, check: 'no answer', what: 'reset' }],
    };
    expect(judge(mergeRecords([found, found]), access, 100).faults).toEqual([
      'GET /v1/a: response_schema: no name (2 times)',
      'GET /v1/a: no answer: reset (2 times)',
    ]);
  });

  it('is bad with a write that succeeded and that the trail does not have', () => {
    const writes = [
      { method: 'POST', path: '/v1/a', action: 'a.create' },
      { method: 'PUT', path: '/v1/a', action: 'a.change' },
    ];
    expect(unrecorded(good, writes, new Set(['a.create']))).toEqual([]);
    const faults = unrecorded(good, writes, new Set(['a.change']));
    expect(faults).toEqual(['POST /v1/a: it succeeded, and no record names a.create']);
    expect(judge(good, access, 100, faults)).toMatchObject({ passed: false, faults });
    const refused = { ...good, operations: { 'POST /v1/a': { viewer: { 403: 2 } } } };
    expect(unrecorded(refused, writes, new Set())).toEqual([]);
  });

  it('adds up runs and roles', () => {
    const sum = mergeRecords([good, good]);
    expect(statusesOf(sum, 'GET /v1/a')).toEqual({ 200: 100, 400: 10, 401: 50 });
    expect(statusesOf(sum, 'PUT /v1/a')).toEqual({});
    expect(good.operations['GET /v1/a']?.['viewer']).toEqual({ 200: 50, 400: 5 });
  });
});
