import { reasonOf } from './dead-letters';

const base64 = (text: string): string => Buffer.from(text).toString('base64');

describe('a dead-lettered record', () => {
  it('is told by when, where, code and reason, without its key and value', () => {
    const headers: [string, string][] = [
      ['ce_type', base64('sociograph.social.user')],
      ['dlt-reason', base64('list is no array')],
      ['dlt-code', base64('MESSAGE.INVALID')],
      ['dlt-partition', base64('3')],
      ['dlt-offset', base64('17')],
      ['dlt-at', base64('2026-11-22T10:00:00.000Z')],
    ];
    expect(reasonOf({ p: 1, o: 2, t: '0', k: base64('w:vk:user:42'), v: base64('{}'), h: headers })).toBe(
      '2026-11-22T10:00:00.000Z  3/17  MESSAGE.INVALID  list is no array',
    );
  });

  it('is told by its own place and time where nobody gave a reason', () => {
    expect(reasonOf({ p: 1, o: 2, t: '1000', k: null, v: null })).toBe(
      '1970-01-01T00:00:01.000Z  1/2  no code  no reason',
    );
  });
});
