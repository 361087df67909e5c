import {
  grown,
  limitReached,
  PACK_KINDS,
  type PackKind,
  partsOf,
  type PendingWork,
  mostAhead,
  planPacks,
  shrunk,
  sizeNow,
  worthARound,
} from './packing';

const SIZES: Record<PackKind, number> = {
  names: 25,
  profiles: 1_000,
  lists: 25,
  'long-list': 1,
  members: 25,
  groups: 25,
  'long-groups': 1,
  subscriptions: 25,
  'group-profiles': 500,
  walls: 5,
};

interface Wanted extends Partial<PendingWork> {
  lists?: number;
  /** Whether a list is in a call. */
  listsMayGrow?: boolean;
  longLists?: number;
  profiles?: number;
  /** Whether a list is open. */
  profilesMayGrow?: boolean;
}

function work(wanted: Wanted = {}): PendingWork {
  const { lists = 0, longLists = 0, profiles = 0, listsMayGrow = true, profilesMayGrow = true } = wanted;
  const { importId = 'a', bounded = false, callsLeft = null, inFlight = 0 } = wanted;
  return {
    importId,
    ready: { lists, 'long-list': longLists, profiles, ...wanted.ready },
    open: wanted.open ?? (profilesMayGrow ? ['friends'] : []),
    called: wanted.called ?? (listsMayGrow ? ['friends'] : []),
    bounded,
    callsLeft,
    inFlight,
  };
}
const short = (packs: ReturnType<typeof planPacks>): string[] =>
  packs.map(({ importId, kind, size }) => `${importId} ${kind} ${size}`);
/** 20 keys of 3/s: 120 calls may be dispatched, below 9 in flight keys would idle. */
const busy = { outstanding: 20, unanswered: 20, callsPerSecond: 60 };

describe('rounds of dispatch', () => {
  it('wait until a quarter of what may be ahead is missing', () => {
    expect([1, 3, 4, 5, 6, 120].map(worthARound)).toEqual([1, 1, 1, 2, 2, 30]);
  });
});

describe('packing', () => {
  it('has two seconds of work ahead alone, one beside other workspaces', () => {
    const planned = (others: number, outstanding = 0): number =>
      planPacks(
        [work({ lists: 5_000 })],
        { outstanding, unanswered: outstanding, callsPerSecond: 60, others },
        SIZES,
      ).length;
    expect([planned(0), planned(1), planned(7), planned(1, 59), planned(1, 60)]).toEqual([120, 60, 60, 1, 0]);
  });

  it('dispatches nothing while there is no key', () => {
    expect(
      planPacks([work({ lists: 100 })], { outstanding: 0, unanswered: 0, callsPerSecond: 0 }, SIZES),
    ).toEqual([]);
  });

  it('makes full packs and leaves the rest to fill up while keys are busy', () => {
    expect(short(planPacks([work({ lists: 74 })], busy, SIZES))).toEqual(['a lists 25', 'a lists 25']);
  });

  it('takes exactly full packs', () => {
    expect(short(planPacks([work({ lists: 25 })], busy, SIZES))).toEqual(['a lists 25']);
    expect(planPacks([work({ lists: 24 })], busy, SIZES)).toEqual([]);
  });

  it('dispatches a partial pack at once when nothing can fill it', () => {
    expect(short(planPacks([work({ lists: 30, listsMayGrow: false })], busy, SIZES))).toEqual([
      'a lists 25',
      'a lists 5',
    ]);
  });

  it.each([
    [8, ['a lists 3']],
    [9, []],
  ])('with %s of 9 calls unanswered that keep 20 keys busy sends a partial pack: %j', (unanswered, packs) => {
    const window = { outstanding: 30, unanswered, callsPerSecond: 60 };
    expect(short(planPacks([work({ lists: 3 })], window, SIZES))).toEqual(packs);
  });

  it('starts with the one seed of an import, its profile waits for company', () => {
    const start = work({ lists: 1, listsMayGrow: false, profiles: 1 });
    expect(short(planPacks([start], { outstanding: 0, unanswered: 0, callsPerSecond: 6 }, SIZES))).toEqual([
      'a lists 1',
    ]);
  });

  it('counts the packs that it plans as in flight', () => {
    const packs = planPacks(
      [work({ lists: 30 })],
      { outstanding: 8, unanswered: 8, callsPerSecond: 60 },
      SIZES,
    );
    expect(short(packs)).toEqual(['a lists 25']);
  });

  it('sends long lists alone', () => {
    expect(short(planPacks([work({ longLists: 2 })], busy, SIZES))).toEqual([
      'a long-list 1',
      'a long-list 1',
    ]);
  });

  it('sends full packs of profiles before the lists', () => {
    const packs = planPacks([work({ lists: 25, profiles: 2_500 })], busy, SIZES);
    expect(short(packs)).toEqual(['a profiles 1000', 'a profiles 1000', 'a lists 25']);
  });

  it('sends the last profiles once no list can add to them', () => {
    expect(planPacks([work({ profiles: 999 })], busy, SIZES)).toEqual([]);
    const closed = work({ profiles: 1_001, profilesMayGrow: false });
    expect(short(planPacks([closed], busy, SIZES))).toEqual(['a profiles 1000', 'a profiles 1']);
  });

  it('sends few profiles while lists are open only when nothing else is out', () => {
    const waiting = [work({ profiles: 10 })];
    expect(short(planPacks(waiting, { outstanding: 0, unanswered: 0, callsPerSecond: 60 }, SIZES))).toEqual([
      'a profiles 10',
    ]);
    expect(planPacks(waiting, { outstanding: 1, unanswered: 1, callsPerSecond: 60 }, SIZES)).toEqual([]);
  });

  it('dispatches two seconds of work at most', () => {
    expect(
      planPacks([work({ lists: 5_000 })], { outstanding: 0, unanswered: 0, callsPerSecond: 3 }, SIZES),
    ).toHaveLength(6);
    expect(
      planPacks([work({ lists: 5_000 })], { outstanding: 4, unanswered: 4, callsPerSecond: 3 }, SIZES),
    ).toHaveLength(2);
    expect(
      planPacks([work({ lists: 5_000 })], { outstanding: 6, unanswered: 6, callsPerSecond: 3 }, SIZES),
    ).toEqual([]);
    expect(
      planPacks([work({ lists: 5_000 })], { outstanding: 0, unanswered: 0, callsPerSecond: 2.1 }, SIZES),
    ).toHaveLength(5);
  });

  it('lets even the slowest key have one call', () => {
    expect(
      planPacks([work({ lists: 100 })], { outstanding: 0, unanswered: 0, callsPerSecond: 0.01 }, SIZES),
    ).toHaveLength(1);
  });

  it('goes round the imports, first come first', () => {
    const packs = planPacks(
      [work({ lists: 75 }), work({ importId: 'b', lists: 25 }), work({ importId: 'c' })],
      busy,
      SIZES,
    );
    expect(short(packs)).toEqual(['a lists 25', 'b lists 25', 'a lists 25', 'a lists 25']);
  });

  it('gives the last place to whose turn it is', () => {
    const packs = planPacks(
      [work({ importId: 'b', lists: 50 }), work({ lists: 50 })],
      { outstanding: 5, unanswered: 5, callsPerSecond: 3 },
      SIZES,
    );
    expect(short(packs)).toEqual(['b lists 25']);
  });

  it('stops at the import`s own limit of calls', () => {
    const limited = work({ lists: 100, longLists: 1, profiles: 900, callsLeft: 2 });
    expect(short(planPacks([limited], busy, SIZES))).toEqual(['a lists 25', 'a lists 25']);
    expect(planPacks([work({ lists: 100, callsLeft: 0 })], busy, SIZES)).toEqual([]);
  });

  it('takes each item once', () => {
    const mixed = work({
      lists: 26,
      listsMayGrow: false,
      longLists: 1,
      profiles: 1_002,
      profilesMayGrow: false,
    });
    expect(short(planPacks([mixed], busy, SIZES))).toEqual([
      'a profiles 1000',
      'a lists 25',
      'a long-list 1',
      'a lists 1',
      'a profiles 2',
    ]);
  });
});

describe('the limit of calls', () => {
  it.each([
    [null, 0, false],
    [1, 0, false],
    [0, 1, false],
    [0, 0, true],
  ])('with %s left and %s in flight is reached: %s', (callsLeft, inFlight, reached) => {
    expect(limitReached(work({ callsLeft, inFlight }))).toBe(reached);
  });
});

describe('packs of every kind', () => {
  const idle = { outstanding: 0, unanswered: 0, callsPerSecond: 60 };
  const one = (kind: PackKind): number => (kind === 'profiles' ? 1_000 : SIZES[kind]);

  it('go in the order in which they lead further, names before anything else', () => {
    const ready = Object.fromEntries([...PACK_KINDS].reverse().map((kind) => [kind, one(kind)]));
    expect(short(planPacks([work({ ready })], idle, SIZES))).toEqual([
      'a names 25',
      'a profiles 1000',
      'a lists 25',
      'a long-list 1',
      'a members 25',
      'a groups 25',
      'a long-groups 1',
      'a subscriptions 25',
      'a group-profiles 500',
      'a walls 5',
    ]);
  });

  it.each<[PackKind, PendingWork['open'], number]>([
    ['names', ['name'], 1],
    ['names', ['name', 'friends'], 1],
    ['members', ['members'], 1],
    ['members', ['members', 'name'], 0],
    ['groups', ['groups'], 1],
    ['groups', ['groups', 'friends'], 0],
    ['groups', ['groups', 'members'], 0],
    ['groups', ['groups', 'name'], 0],
    ['subscriptions', ['subscriptions', 'friends'], 0],
    ['walls', ['wall', 'groups'], 1],
    ['walls', ['wall', 'friends'], 0],
    ['group-profiles', ['group', 'wall'], 1],
    ['group-profiles', ['group', 'groups'], 0],
    ['group-profiles', ['group', 'subscriptions'], 0],
    ['group-profiles', ['group', 'friends'], 0],
    ['profiles', ['profile', 'groups'], 1],
    ['profiles', ['profile', 'members'], 0],
  ])('a partial one of %s while %j are open goes at once: %s', (kind, open, packs) => {
    const waiting = work({ ready: { [kind]: 2 }, open, called: [] });
    expect(short(planPacks([waiting], busy, SIZES))).toEqual(packs === 1 ? [`a ${kind} 2`] : []);
  });

  it('of what leads to nobody go partly filled only when all else is out', () => {
    const waiting = [work({ ready: { groups: 3 }, open: ['groups', 'friends'] })];
    expect(short(planPacks(waiting, idle, SIZES))).toEqual(['a groups 3']);
    expect(planPacks(waiting, { ...idle, unanswered: 1 }, SIZES)).toEqual([]);
    const members = [work({ ready: { members: 3 }, open: ['members', 'name'] })];
    expect(short(planPacks(members, { ...idle, unanswered: 8 }, SIZES))).toEqual(['a members 3']);
    expect(planPacks(members, { ...idle, unanswered: 9 }, SIZES)).toEqual([]);
  });

  it('wait for lists in a call only where the depth is not bounded', () => {
    const lists = { lists: 3, called: ['members' as const] };
    expect(planPacks([work(lists)], busy, SIZES)).toEqual([]);
    expect(short(planPacks([work({ ...lists, bounded: true })], busy, SIZES))).toEqual(['a lists 3']);
    expect(short(planPacks([work({ ...lists, called: ['wall'] })], busy, SIZES))).toEqual(['a lists 3']);
  });
});

describe('the size of packs', () => {
  const walls = { most: 25, first: 5 };

  it('is the network`s own until something is learned, and never beyond it', () => {
    expect([sizeNow({ most: 25 }, undefined), sizeNow(walls, undefined), sizeNow(walls, 12)]).toEqual([
      25, 5, 12,
    ]);
    expect([sizeNow(walls, 26), sizeNow(walls, 0)]).toEqual([25, 1]);
  });

  it('is half of what was too much, unless it is less already', () => {
    expect([25, 24, 3, 2, 1].map((items) => shrunk({ most: 25 }, undefined, items))).toEqual([
      12, 12, 1, 1, 1,
    ]);
    expect([shrunk(walls, 8, 25), shrunk(walls, 20, 25), shrunk(walls, undefined, 25)]).toEqual([8, 12, 5]);
  });

  it('grows by one with a full call that was not', () => {
    expect([4, 5, 6].map((items) => grown(walls, undefined, items))).toEqual([5, 6, 6]);
    expect([grown(walls, 12, 11), grown(walls, 12, 12), grown(walls, 25, 25)]).toEqual([12, 13, 25]);
  });

  it('splits into halves first and into single items then, so that nothing is called more than twice again', () => {
    expect([partsOf('too-much', 0, 25), partsOf('too-much', 1, 13), partsOf('too-much', 1, 26)]).toEqual([
      2, 13, 25,
    ]);
    expect([partsOf('bad-id', 0, 1_000), partsOf('bad-id', 3, 125)]).toEqual([2, 2]);
  });
});

describe('how many calls are dispatched ahead', () => {
  it.each([
    [3, undefined, 6],
    [2.9, 0, 6],
    [60, 0, 120],
    [60, 1, 60],
    [0, 0, 1],
  ])('of %d a second beside %s other workspaces: %d', (callsPerSecond, others, calls) => {
    expect(mostAhead(others === undefined ? { callsPerSecond } : { callsPerSecond, others })).toBe(calls);
  });
});
