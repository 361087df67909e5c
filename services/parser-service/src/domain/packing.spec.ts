import { limitReached, type PendingWork, planPacks } from './packing';

const SIZES = { lists: 25, profiles: 1_000 };
const work = (changes: Partial<PendingWork> = {}): PendingWork => ({
  importId: 'a',
  lists: 0,
  listsMayGrow: true,
  longLists: 0,
  profiles: 0,
  profilesMayGrow: true,
  callsLeft: null,
  inFlight: 0,
  ...changes,
});
const short = (packs: ReturnType<typeof planPacks>): string[] =>
  packs.map(({ importId, kind, size }) => `${importId} ${kind} ${size}`);
/** 20 keys of 3/s: 120 calls may be dispatched, below 9 in flight keys would idle. */
const busy = { outstanding: 20, unanswered: 20, callsPerSecond: 60 };

describe('packing', () => {
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
