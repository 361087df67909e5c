import { missesOf, reportUpgrade, type UpgradeFigures } from './verdict';

const GOOD: UpgradeFigures = {
  from: 'abc1234',
  replaced: ['key-service-0', 'key-service-1'],
  load: { sent: 100, succeeded: 100, failed: {}, perSecond: 19, p50Ms: 8.4, p99Ms: 30.6 },
  offered: 20,
  imports: 2,
  dead: 0,
  refused: 0,
  differences: [],
};

describe('the verdict of an upgrade', () => {
  it('misses nothing where every request was answered and every figure is exact', () => {
    expect(missesOf(GOOD)).toEqual([]);
    expect(reportUpgrade({ ...GOOD, misses: [], passed: true })).toBe(
      [
        '\nfrom abc1234: 2 processes replaced, one after the other',
        '100 requests sent, 0 failed, p50 8 ms, p99 31 ms',
        '2 imports under way or begun meanwhile, 0 dead letters',
        '\nPassed.',
      ].join('\n'),
    );
  });

  it.each<[string, Partial<UpgradeFigures>]>([
    ['nothing was replaced', { replaced: [] }],
    [
      '2 requests failed: 503 GET /v1/keys',
      { load: { ...GOOD.load, succeeded: 98, failed: { '503 GET /v1/keys': 2 } } },
    ],
    ['19 requests a second were answered, 20 were meant to be', { load: { ...GOOD.load, perSecond: 18.99 } }],
    ['no import ended', { imports: 0 }],
    ['1 dead letters', { dead: 1 }],
    ['4 calls were refused by the limit', { refused: 4 }],
    ['users is 8, not 9', { differences: ['users is 8, not 9'] }],
  ])('says: %s', (sentence, change) => {
    const figures = { ...GOOD, ...change };
    expect(missesOf(figures)).toEqual([sentence]);
    const report = reportUpgrade({ ...figures, misses: [sentence], passed: false });
    expect(report.endsWith(`\n\nMissed: ${sentence}.`)).toBe(true);
  });
});
