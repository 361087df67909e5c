import { report } from './report';
import { type FuzzRecord, judge } from './verdict';

describe('the report of a fuzz run', () => {
  const access = { 'GET /v1/a': ['viewer'], 'PUT /v1/a': ['admin'] };
  const record: FuzzRecord = {
    operations: { 'GET /v1/a': { viewer: { 200: 3, 400: 1 }, nobody: { 401: 2 } } },
    findings: [],
    broken: [],
  };

  it('has a row for each operation: requests and successes by role, and all statuses', () => {
    const lines = report(record, access, judge(record, access, 6)).split('\n');
    expect(lines[0]?.split(/ {2,}/)).toEqual([
      ...['operation (requests/succeeded)', 'viewer', 'analyst', 'operator', 'admin', 'platform'],
      ...['no role', 'no token', 'statuses'],
    ]);
    expect(lines[1]?.split(/ {2,}/)).toEqual([
      ...['GET /v1/a', '4/3', '-', '-', '-', '-', '-', '2', '200: 3, 400: 1, 401: 2'],
    ]);
    expect(lines.slice(-3)).toEqual([
      '6 requests to 2 operations, 0.0 % of them 429; 200: 3, 400: 1, 401: 2',
      '  PUT /v1/a: no request succeeded',
      'NOT PASSED: 1 faults',
    ]);
  });

  it('says no more than sixty faults, and how many there are', () => {
    const verdict = { passed: false, requests: 1, tooMany: 0, faults: Array<string>(62).fill('x') };
    const lines = report(record, access, verdict).split('\n');
    expect(lines.filter((line) => line === '  x')).toHaveLength(60);
    expect(lines.slice(-2)).toEqual(['  and 2 more', 'NOT PASSED: 62 faults']);
    expect(report(record, access, { ...verdict, passed: true, faults: [] })).toMatch(/PASSED$/);
  });
});
