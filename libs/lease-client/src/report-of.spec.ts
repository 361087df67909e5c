import { callReport } from '@sociograph/contracts';
import { reportOf } from './report-of';
import type { SendOutcome } from './slot-sender';

const answered: SendOutcome = {
  kind: 'answered',
  checkedAt: 10,
  sentAt: 11,
  late: false,
  answeredAt: 90,
  status: 200,
  headers: {},
  body: '',
};
const plain = { outcome: 'answered', slot: 2, sentAt: 11, answeredAt: 90, status: 200 };

describe('the report of a slot', () => {
  it.each<[string, SendOutcome, object]>([
    ['a lost slot', { kind: 'missed', cause: 'too-late' }, { outcome: 'unsent', slot: 2, cause: 'too-late' }],
    [
      'a broken call',
      { kind: 'broken', checkedAt: 3, sentAt: 4, late: false, cause: 'x'.repeat(99) },
      { outcome: 'broken', slot: 2, sentAt: 4, cause: 'x'.repeat(64) },
    ],
    ['an answer', answered, plain],
    ['a late send, with both stamps', { ...answered, late: true }, { ...plain, late: true, checkedAt: 10 }],
    [
      'the network`s own clock and its wish',
      { ...answered, headers: { date: 'Sat, 21 Nov 2026 15:00:01 GMT', 'retry-after': '2' } },
      { ...plain, serverDate: Date.UTC(2026, 10, 21, 15, 0, 1), retryAfterMs: 2_000 },
    ],
    ['no wish that is none', { ...answered, headers: { date: 'soon', 'retry-after': '0' } }, plain],
    ['a wish that is no number', { ...answered, headers: { 'retry-after': 'later' } }, plain],
  ])('tells %s', (_name, outcome, report) => {
    expect(reportOf(2, outcome)).toEqual(report);
    expect(callReport.parse(reportOf(2, outcome))).toEqual(report);
  });

  it('tells errors, their texts and number cut to what the contract takes', () => {
    const text = 'm'.repeat(300);
    const methodErrors = Array.from({ length: 120 }, () => ({ method: 'friends.get', code: 30, text }));
    const report = reportOf(0, answered, { error: { code: 13, text }, methodErrors });
    expect(callReport.parse(report)).toEqual(report);
    expect(report).toMatchObject({ error: { code: 13, text: 'm'.repeat(200) } });
    expect('methodErrors' in report && report.methodErrors).toHaveLength(100);
    expect(reportOf(0, answered, { error: { code: 6 }, methodErrors: [] })).toEqual({
      ...plain,
      slot: 0,
      error: { code: 6 },
    });
  });
});
