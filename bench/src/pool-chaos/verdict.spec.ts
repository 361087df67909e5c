import { afterDeath, gapsAfter, judge, longestGap, type Presence, workingStretches } from './verdict';
import type { LeaseRecord } from './worker/protocol';

const OPTIONS = { windowMs: 1000, quota: 3, jitterMs: 20, toleranceMs: 5, lagMs: 0 };

function aSend(sentAt: number, more: Partial<LeaseRecord> = {}): LeaseRecord {
  return {
    worker: 0,
    keyId: 'k',
    grantedAt: sentAt - 50,
    sentAt,
    endedAt: sentAt + 1,
    result: 'sent',
    ...more,
  };
}

const causeOf = (at: number, records: LeaseRecord[]): string | undefined =>
  judge([{ keyId: 'k', at }], records, OPTIONS)[0]?.cause;

describe('a refused call', () => {
  const three = [aSend(1000), aSend(1340), aSend(1680)];

  it.each([
    [1900, 'overstep'],
    [2014, 'overstep'],
    [2015, 'slow-path'],
    [2400, 'slow-path'],
  ])('that was sent at %s when the third one before it was sent at 1000 is: %s', (sentAt, cause) => {
    expect(causeOf(sentAt + 10, [...three, aSend(sentAt, { result: '6' })])).toBe(cause);
  });

  it('does not count refused calls among those before it', () => {
    const records = [
      aSend(900),
      ...three.slice(1),
      aSend(1800, { result: '6' }),
      aSend(1930, { result: '6' }),
    ];
    expect(causeOf(1935, records)).toBe('slow-path');
  });

  it('is laid to a send that was frozen between check and wire, its own or one within the window before', () => {
    expect(causeOf(1910, [...three, aSend(1900, { result: '6', late: true })])).toBe('frozen-send');
    const before = [aSend(1000), aSend(1340), aSend(1680, { late: true }), aSend(1900, { result: '6' })];
    expect(judge([{ keyId: 'k', at: 1910 }], before, OPTIONS)).toEqual([
      { keyId: 'k', at: 1910, cause: 'frozen-send', proof: before[2] },
    ]);
  });

  it('is not excused by a frozen send of another key, nor by one that left the window', () => {
    const own = aSend(2900, { result: '6' });
    expect(causeOf(2910, [...three, aSend(2890, { late: true, keyId: 'other' }), own])).toBe('slow-path');
    const close = [aSend(2000), aSend(2300), aSend(2600), own];
    expect(causeOf(2910, [aSend(1884, { late: true }), ...close])).toBe('overstep');
    expect(causeOf(2910, [aSend(1885, { late: true }), ...close])).toBe('frozen-send');
  });

  it('is found however late the simulator read it', () => {
    const lagging = (lagMs: number, sentAt: number) =>
      judge([{ keyId: 'k', at: sentAt + 115 }], [...three, aSend(sentAt, { result: '6' })], {
        ...OPTIONS,
        lagMs,
      })[0];
    expect(lagging(90, 2100)).toMatchObject({ cause: 'slow-path', proof: { sentAt: 2100 } });
    expect(lagging(89, 2100)).toMatchObject({ cause: 'overstep', proof: undefined });
    expect(lagging(90, 2014)).toMatchObject({ cause: 'overstep', proof: { sentAt: 2014 } });
  });

  it('that nobody wrote down is an overstep', () => {
    expect(judge([{ keyId: 'k', at: 1910 }], three, OPTIONS)).toEqual([
      { keyId: 'k', at: 1910, cause: 'overstep', proof: undefined },
    ]);
    expect(causeOf(1910, [...three, aSend(1884, { result: '6' })])).toBe('overstep');
    expect(causeOf(1910, [{ worker: 0, keyId: 'k', grantedAt: 1, result: 'too-late' }])).toBe('overstep');
  });
});

describe('time without grants', () => {
  const presence = (at: number, who: string, there: boolean): Presence => ({ at, who, there });
  const presences = [
    presence(0, 'redis', true),
    presence(10, 'key-service 0', true),
    presence(20, 'worker 0', true),
    presence(100, 'redis', false),
    presence(150, 'redis', true),
    presence(200, 'worker 0', false),
    presence(210, 'worker 1', true),
    presence(300, 'key-service 0', false),
    presence(300, 'key-service 1', true),
  ];

  it('counts where Redis, a key-service and a worker are there at once', () => {
    expect(workingStretches(presences, 1000)).toEqual([
      { from: 20, to: 100 },
      { from: 150, to: 200 },
      { from: 210, to: 300 },
      { from: 300, to: 1000 },
    ]);
    expect(workingStretches(presences.slice(0, 2), 1000)).toEqual([]);
  });

  it('is measured from a loss to the next grant, without the time in which somebody was away', () => {
    const stretches = workingStretches(presences, 1000);
    const losses = [
      { at: 100, what: 'restart' },
      { at: 400, what: 'FLUSHALL' },
    ];
    expect(gapsAfter(losses, [460, 90, 250], stretches)).toEqual([
      { what: 'restart', at: 100, ms: 90 },
      { what: 'FLUSHALL', at: 400, ms: 60 },
    ]);
    expect(gapsAfter([{ at: 400, what: 'never again' }], [90], stretches)).toEqual([
      { what: 'never again', at: 400, ms: 600 },
    ]);
  });

  it('is longest where it is, also before the first grant and after the last', () => {
    const stretches = [{ from: 100, to: 500 }];
    expect(longestGap([150, 300], stretches)).toEqual({ what: 'no grant', at: 300, ms: 200 });
    expect(longestGap([350, 400], stretches)).toEqual({ what: 'no grant', at: 100, ms: 250 });
    expect(longestGap([150, 450], stretches)).toEqual({ what: 'no grant', at: 150, ms: 300 });
    expect(longestGap([1], stretches)).toEqual({ what: 'no grant', at: 100, ms: 400 });
    expect(longestGap([1], [])).toBeUndefined();
  });
});

describe('a dead key', () => {
  it('is used at most once after its first error 5 was answered, and never after 100 ms', () => {
    const dead = (sentAt: number, answeredAt: number): LeaseRecord =>
      aSend(sentAt, { answeredAt, result: '5' });
    const records = [aSend(100), dead(400, 480), dead(470, 460), dead(461, 500), dead(560, 640), aSend(561)];
    const others = [
      aSend(600, { keyId: 'other' }),
      { worker: 0, keyId: 'k', grantedAt: 900, result: 'too-late' },
    ];
    expect(afterDeath([...records, ...others], ['k', 'unused'], 100)).toEqual([
      { keyId: 'k', refused: 4, soon: 3, afterwards: 1 },
      { keyId: 'unused', refused: 0, soon: 0, afterwards: 0 },
    ]);
  });
});
