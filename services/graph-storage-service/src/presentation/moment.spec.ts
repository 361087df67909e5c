import 'reflect-metadata';
import { validateSync } from 'class-validator';
import { IsMoment, isMoment } from './moment';

class Question {
  @IsMoment()
  at: unknown;
}

describe('a moment', () => {
  it.each([
    ['2026-11-20', '2026-11-20T00:00:00.000Z'],
    ['2026-11-20T12:00Z', '2026-11-20T12:00:00.000Z'],
    ['2026-11-20T12:00:00Z', '2026-11-20T12:00:00.000Z'],
    ['2026-11-20T12:00:00.5+01:00', '2026-11-20T11:00:00.500Z'],
    ['2028-02-29T23:59:59-05:30', '2028-03-01T05:29:59.000Z'],
  ])('is %s, which is %s', (text, utc) => {
    expect(isMoment(text)).toBe(true);
    expect(new Date(Date.parse(text)).toISOString()).toBe(utc);
  });

  it.each([
    '2026-W05-1',
    '2026-050',
    '20261120',
    '2026-11',
    '2026-11-20T12Z',
    '2026-11-20T12:00:00',
    '2026-11-20T12:00:00+01',
    '2026-11-20T12:00:00+0100',
    '2026-11-20T12:00:00 01:00',
    '2026-11-20T12:00:00,5Z',
    '2026-11-20 12:00:00Z',
    '2026-02-30',
    '2026-13-01T00:00:00Z',
    '2026-11-20T25:00:00Z',
    '2026-11-20T12:00:00Z\n',
    'yesterday',
    '',
    1_795_000_000_000,
    ['2026-11-20', '2026-11-21'],
    undefined,
  ])('is not %j', (value) => {
    const question = new Question();
    question.at = value;
    const [fault] = validateSync(question);
    expect(fault?.property).toBe('at');
    expect(fault?.constraints).toEqual({ isMoment: expect.stringContaining('must be a moment') });
  });
});
