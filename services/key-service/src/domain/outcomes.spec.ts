import { type CallFacts, effectsOf } from './outcomes';

const HOUR = 3_600_000;
const DAY = { baseMs: 24 * HOUR, capMs: 24 * HOUR };

function answered(details: Partial<CallFacts> = {}): CallFacts {
  return { outcome: 'answered', status: 200, ...details };
}

function error(code: number, text?: string): CallFacts {
  return answered({ error: { code, text } });
}

describe('what an answer says about its key', () => {
  it('speaks well of a key whose call was answered', () => {
    expect(effectsOf(answered())).toEqual([{ kind: 'fine', except: [] }]);
    expect(effectsOf({ outcome: 'answered' })).toEqual([{ kind: 'fine', except: [] }]);
  });

  it('says that a call failed that had no answer, or the error of a server', () => {
    expect(effectsOf({ outcome: 'broken' })).toEqual([{ kind: 'fail', what: 'broken', code: 0 }]);
    expect(effectsOf(answered({ status: 500 }))).toEqual([{ kind: 'fail', what: 'server-error', code: 500 }]);
    expect(effectsOf(answered({ status: 502 }))).toEqual([{ kind: 'fail', what: 'server-error', code: 502 }]);
    expect(effectsOf(answered({ status: 499 }))).toEqual([{ kind: 'fine', except: [] }]);
  });

  it('lets a key rest as long as a 429 says', () => {
    expect(effectsOf(answered({ status: 429, retryAfterMs: 7000 }))).toEqual([
      { kind: 'rest', baseMs: 1000, capMs: 60_000, atLeastMs: 7000, code: 429 },
    ]);
    expect(effectsOf(answered({ status: 429 }))).toEqual([
      { kind: 'rest', baseMs: 1000, capMs: 60_000, atLeastMs: 0, code: 429 },
    ]);
  });

  it('lets no 429 take a key out for longer than a day', () => {
    expect(effectsOf(answered({ status: 429, retryAfterMs: 25 * HOUR }))).toMatchObject([
      { kind: 'rest', atLeastMs: 24 * HOUR },
    ]);
  });

  it.each([14, 3300])('cools a key down that meets a captcha (%i), and tells its owner', (code) => {
    expect(effectsOf(error(code))).toEqual([
      {
        kind: 'rest',
        baseMs: 600_000,
        capMs: 6 * HOUR,
        atLeastMs: 0,
        code,
        owner: 'captcha-needed',
      },
    ]);
  });

  it.each([
    [6, 1000, 10_000],
    [9, 300_000, HOUR],
  ])('lets a key rest after error %i: %i ms, at most %i', (code, baseMs, capMs) => {
    expect(effectsOf(error(code))).toEqual([{ kind: 'rest', baseMs, capMs, atLeastMs: 0, code }]);
  });

  it('lets the methods of a lease rest for an hour after error 29, for a day at most', () => {
    expect(effectsOf(error(29))).toEqual([
      { kind: 'restMethods', methods: 'all', baseMs: HOUR, capMs: 24 * HOUR, code: 29 },
    ]);
  });

  it.each([
    [5, 'User authorization failed: invalid access_token (4).', 'token-refused'],
    [5, 'User authorization failed: access_token has expired.', 'token-refused'],
    [5, undefined, 'token-refused'],
    [1116, 'Anonymous token is invalid', 'token-refused'],
    [1114, undefined, 'token-expired'],
    [1117, undefined, 'token-expired'],
    [3609, undefined, 'token-expired'],
  ])('wants another token after error %i (%s): %s', (code, text, reason) => {
    expect(effectsOf(error(code, text))).toEqual([{ kind: 'refresh', reason, code }]);
  });

  it('wants another token after status 401', () => {
    expect(effectsOf(answered({ status: 401 }))).toEqual([
      { kind: 'refresh', reason: 'token-refused', code: 401 },
    ]);
  });

  it.each([17, 3301, 3302, 3303, 3304, 3610])('leaves a key to its owner after error %i', (code) => {
    expect(effectsOf(error(code))).toEqual([{ kind: 'invalidate', reason: 'needs-owner', code }]);
  });

  it('bars a key for the address only that it is not bound to', () => {
    const text = 'User authorization failed: access_token was given to another ip address.';
    const barred = { kind: 'barEgress', baseMs: 6 * HOUR, capMs: 24 * HOUR };
    expect(effectsOf(error(5, text))).toEqual([{ ...barred, code: 5 }]);
    for (const code of [42, 1118]) expect(effectsOf(error(code))).toEqual([{ ...barred, code }]);
  });

  it.each([7, 27, 28])('bars the methods by error %i', (code) => {
    expect(effectsOf(error(code))).toEqual([{ kind: 'barMethods', methods: 'all', ...DAY, code }]);
  });

  it('takes error 15 for one of the object, unless it is about the method', () => {
    expect(effectsOf(error(15, 'Access denied: user hid his list'))).toEqual([{ kind: 'fine', except: [] }]);
    expect(effectsOf(error(15, 'Access denied: no access to call this method'))).toEqual([
      { kind: 'barMethods', methods: 'all', ...DAY, code: 15 },
    ]);
  });

  it.each([1, 10, 13, 36, 43])('never blames the key for error %i', (code) => {
    expect(effectsOf(error(code))).toEqual([{ kind: 'count', what: 'network-error', code }]);
  });

  it.each([0, 3, 18, 30, 100, 113, 777, 12_345])(
    'speaks well of a key whose call failed by its object (error %i)',
    (code) => {
      expect(effectsOf(error(code))).toEqual([{ kind: 'fine', except: [] }]);
    },
  );

  it('reads what happened inside a packed call, each statement once, without the copy at its end', () => {
    const methodErrors = [
      { method: 'wall.get', code: 29 },
      { method: 'friends.get', code: 30 },
      { method: 'wall.get', code: 29 },
      { method: 'groups.get', code: 28 },
      { method: 'execute', code: 29 },
    ];
    expect(effectsOf(answered({ methodErrors }))).toEqual([
      { kind: 'fine', except: ['wall.get', 'groups.get'] },
      { kind: 'restMethods', methods: ['wall.get'], baseMs: HOUR, capMs: 24 * HOUR, code: 29 },
      { kind: 'barMethods', methods: ['groups.get'], ...DAY, code: 28 },
    ]);
  });
});
