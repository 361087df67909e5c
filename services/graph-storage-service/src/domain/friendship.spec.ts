import {
  changeSides,
  idOf,
  judge,
  loneSide,
  otherSide,
  type Friendship,
  type SideAssertion,
  type SideChange,
} from './friendship';

const at = (observedAt: number, fence = 1): SideAssertion => ({
  observedAt,
  fence,
  importId: 'i',
  callId: `c${observedAt}`,
});

function change(side: 'low' | 'high', assertion: SideAssertion | undefined): SideChange {
  return { key: 'demo.vk.1.2', lowId: '1', highId: '2', side, assertion };
}

function friendship(low: number | undefined, high: number | undefined, deniedAt?: number): Friendship {
  return {
    key: 'demo.vk.1.2',
    lowId: '1',
    highId: '2',
    low: low === undefined ? undefined : at(low),
    high: high === undefined ? undefined : at(high),
    since: 1,
    deniedAt: deniedAt === undefined ? undefined : { observedAt: deniedAt, fence: 1 },
  };
}

describe('friendship', () => {
  it('begins with the first side that asserts it', () => {
    expect(changeSides(undefined, [change('high', at(5))])).toEqual({
      key: 'demo.vk.1.2',
      lowId: '1',
      highId: '2',
      high: at(5),
      since: 5,
    });
  });

  it('is one edge for both sides, each with its own attribute', () => {
    const both = changeSides(undefined, [change('low', at(5)), change('high', at(3))]);
    expect(both).toMatchObject({ low: at(5), high: at(3), since: 3 });
    expect(loneSide(both as Friendship)).toBeUndefined();
  });

  it('stays as it is when a side asserts it again', () => {
    const stored = friendship(1, undefined);
    expect(changeSides(stored, [change('low', at(9))])).toBe(stored);
  });

  it('exists while a side asserts it', () => {
    const one = changeSides(friendship(1, 2), [change('low', undefined)]);
    expect(one?.low).toBeUndefined();
    expect(one?.high).toEqual(at(2));
    expect(changeSides(one, [change('high', undefined)])).toBeUndefined();
  });

  it('is not touched by a side that never asserted it', () => {
    const stored = friendship(undefined, 2);
    expect(changeSides(stored, [change('low', undefined)])).toBe(stored);
    expect(changeSides(undefined, [change('low', undefined)])).toBeUndefined();
  });

  it('is no longer disputed once both sides assert it, or the denying side changed', () => {
    expect(changeSides(friendship(1, undefined, 2), [change('high', at(3))])?.deniedAt).toBeUndefined();
    expect(changeSides(friendship(1, 1, 2), [change('high', undefined)])?.deniedAt).toBeUndefined();
  });

  it('names its sides', () => {
    expect([otherSide('low'), otherSide('high')]).toEqual(['high', 'low']);
    expect([loneSide(friendship(1, undefined)), loneSide(friendship(undefined, 1))]).toEqual(['low', 'high']);
    expect([idOf(friendship(1, 1), 'low'), idOf(friendship(1, 1), 'high')]).toEqual(['1', '2']);
  });
});

describe('dispute', () => {
  const denied = (observedAt: number, fence = 1) => ({ observedAt, fence });

  it.each([
    ['newer', 3, 3],
    ['of the same moment', 2, undefined],
    ['older', 1, undefined],
  ])('the other side lacks it in a list that is %s', (_, list, expected) => {
    expect(judge(friendship(2, undefined), { denied: denied(list) }).deniedAt?.observedAt).toBe(expected);
  });

  it('leaves a friendship alone that both assert', () => {
    const stored = friendship(1, 1);
    expect(judge(stored, { denied: denied(9) })).toBe(stored);
  });

  it('leaves a friendship alone about which nothing new is known', () => {
    const calm = friendship(2, undefined);
    expect(judge(calm, {})).toBe(calm);
    const disputed = friendship(2, undefined, 3);
    expect(judge(disputed, {})).toBe(disputed);
    expect(judge(disputed, { denied: denied(4) })).toBe(disputed);
  });

  it('ends when the asserting side is seen again after the denial', () => {
    const settled = judge(friendship(undefined, 2, 3), { confirmed: denied(4, 7) });
    expect(settled.deniedAt).toBeUndefined();
    expect(settled.high).toEqual({ ...at(2), observedAt: 4, fence: 7 });
  });

  it('goes on when the asserting side was seen again before the denial', () => {
    const stored = friendship(2, undefined, 5);
    expect(judge(stored, { confirmed: denied(4) })).toBe(stored);
  });

  it('ends when the other side is known to deny nothing any more', () => {
    expect(judge(friendship(2, undefined, 3), { denied: null }).deniedAt).toBeUndefined();
    const calm = friendship(2, undefined);
    expect(judge(calm, { denied: null })).toBe(calm);
  });

  it('weighs the newest evidence of both', () => {
    expect(judge(friendship(2, undefined), { denied: denied(5), confirmed: denied(4) }).deniedAt).toEqual(
      denied(5),
    );
    expect(
      judge(friendship(2, undefined), { denied: denied(4), confirmed: denied(5) }).deniedAt,
    ).toBeUndefined();
    expect(
      judge(friendship(2, undefined, 6), { denied: denied(3), confirmed: denied(5) }).deniedAt,
    ).toBeUndefined();
  });
});
