import { ageOf, AgeOrMoment } from './refresh-age';

const DAY = 86_400_000;

describe('the age of a refresh', () => {
  it.each([
    ['P7D', 7 * DAY],
    ['P2W', 14 * DAY],
    ['P1W2DT3H4M5S', 9 * DAY + 3 * 3_600_000 + 4 * 60_000 + 5_000],
    ['PT12H', DAY / 2],
    ['PT90M', 5_400_000],
    ['PT0S', 0],
    ['P0D', 0],
  ])('is a duration: %s', (text, olderThanMs) => {
    expect(ageOf(text)).toEqual({ olderThanMs });
  });

  it('is a moment', () => {
    expect(ageOf('2026-11-01T00:00:00Z')).toEqual({ before: Date.UTC(2026, 10, 1) });
    expect(ageOf('2026-11-01T02:00:00.5+02:00')).toEqual({ before: Date.UTC(2026, 10, 1) + 500 });
  });

  it.each([
    '',
    'P',
    'PT',
    'P1M',
    'P1Y',
    'P1DT',
    '7D',
    'P-1D',
    'p7d',
    'P1.5D',
    '2026-11-01',
    '2026-02-30T00:00:00Z',
    'x',
  ])('is nothing else: %s', (text) => {
    expect(ageOf(text)).toBeUndefined();
    expect(new AgeOrMoment().validate(text)).toBe(false);
  });

  it('is text', () => {
    expect([5, null, {}, ['P7D'], 'P7D'].map((value) => new AgeOrMoment().validate(value))).toEqual([
      ...[false, false, false, false, true],
    ]);
  });
});
