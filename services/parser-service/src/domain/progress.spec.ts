import { type ImportCounters, type ImportState, NO_COUNTS } from './import-job';
import { etaMs, type ProgressMark, SETTLE_MS } from './progress';

const mark = (
  at: number,
  counters: Partial<ImportCounters>,
  changes: Partial<ProgressMark> = {},
): ProgressMark => ({
  seq: at,
  at,
  state: 'running',
  revision: 1,
  counters: { ...NO_COUNTS, ...counters },
  ...changes,
});
const limits = { peopleLimit: null, profilesPerCall: 1_000 };
/** Ten calls a second with ten lists each, of 1,000 people who are all known; profiles come at the end. */
const steady = (seconds: number): ProgressMark =>
  mark(seconds * 1_000, {
    peopleKnown: 1_000,
    listsKnown: 1_000,
    listsDone: seconds * 100,
    callsMade: seconds * 10,
  });

describe('the estimate of when an import completes', () => {
  it('goes by the calls that are left and the pace of the last third', () => {
    // 40 calls for lists and one for profiles, 10 a second.
    expect(etaMs([steady(0), steady(4), steady(6)], limits)).toBe(Math.round(41 * 100) + SETTLE_MS);
    // What was slow at the beginning is forgotten.
    const slow = mark(-60_000, { peopleKnown: 1_000, listsKnown: 1_000 });
    const later = (seconds: number): ProgressMark => ({ ...steady(seconds), at: seconds * 1_000 });
    expect(etaMs([slow, ...[0, 1, 2, 3, 4, 5, 6].map(later)], limits)).not.toBe(4_100 + SETTLE_MS);
    const fast = Array.from({ length: 31 }, (_, index) => later(index / 4));
    const afterLong = fast.map((of) => ({ ...of, at: of.at + 1 }));
    expect(etaMs([mark(-8_000, { peopleKnown: 1_000, listsKnown: 1_000 }), ...afterLong], limits)).toBe(
      Math.round((25 + 1) * 100) + SETTLE_MS,
    );
  });

  it('says nothing of less than four seconds', () => {
    expect(etaMs([steady(0), steady(3)], limits)).toBeUndefined();
    expect(etaMs([], limits)).toBeUndefined();
    expect(etaMs([steady(0)], limits)).toBeUndefined();
    expect(etaMs([steady(0), { ...steady(3), at: 3_999 }], limits)).toBeUndefined();
    expect(etaMs([steady(0), { ...steady(4), at: 4_000 }], limits)).toBeDefined();
  });

  it('counts the people whom the lists to come will bring, by those of the last ones', () => {
    // 100 lists brought 50 new people: the 100 that are open bring 50, those 25, and so on: 100.
    const before = mark(0, { peopleKnown: 150, listsKnown: 150 });
    const now = mark(5_000, { peopleKnown: 200, listsKnown: 200, listsDone: 100, callsMade: 10 });
    // 200 lists in 20 calls, one call for 300 profiles, two calls a second.
    expect(etaMs([before, now], limits)).toBe(21 * 500 + SETTLE_MS);
    // A limit of people says how many more there can be.
    expect(etaMs([before, now], { ...limits, peopleLimit: 220 })).toBe(13 * 500 + SETTLE_MS);
  });

  describe('where lists bring fewer new people than those before them', () => {
    /** 1,000 lists in 40 calls and five seconds; so many people known at their half and now. */
    const falling = (known: number, atHalf: number, now: number): ProgressMark[] =>
      [known, atHalf, now].map((listsKnown, index) =>
        mark(index * 2_500, {
          ...{ peopleKnown: listsKnown, listsKnown },
          ...{ listsDone: index * 500, callsMade: index * 20 },
        }),
      );

    it('counts on as it falls', () => {
      // 0.8 a list, then 0.2: a quarter for each 500 lists, 0.1 now. The 500 that are open bring 28 people more.
      expect(etaMs(falling(1_000, 1_400, 1_500), limits)).toBe(4_389);
    });

    it('expects nobody where the last ones brought nobody', () => {
      expect(etaMs(falling(1_000, 1_400, 1_400), limits)).toBe(18 * 125 + SETTLE_MS);
    });

    it('says nothing where more would come than is known, unless a limit says where that ends', () => {
      expect(etaMs(falling(1_000, 1_475, 1_925), limits)).toBeUndefined();
      // 925 lists are open, 75 may come: 40 calls, and two for 2,000 profiles.
      expect(etaMs(falling(1_000, 1_475, 1_925), { ...limits, peopleLimit: 2_000 })).toBe(
        42 * 125 + SETTLE_MS,
      );
    });
  });

  it('says nothing while each list brings nearly one more, unless a limit says where that ends', () => {
    const before = mark(0, { peopleKnown: 10, listsKnown: 10 });
    const now = mark(5_000, { peopleKnown: 100, listsKnown: 100, listsDone: 100 - 1, callsMade: 10 });
    const growing = { ...now, counters: { ...now.counters, listsDone: 50 } };
    expect(etaMs([before, growing], limits)).toBeUndefined();
    // 50 open and 50 to come, 5 lists a call, 2 calls a second, and one call for profiles.
    expect(etaMs([before, growing], { ...limits, peopleLimit: 150 })).toBe(21 * 500 + SETTLE_MS);
  });

  it('counts profiles by their own calls', () => {
    const before = mark(0, { peopleKnown: 6_000, peopleDone: 0, listsKnown: 9, listsDone: 9 });
    const now = mark(5_000, {
      peopleKnown: 6_000,
      peopleDone: 2_000,
      listsKnown: 9,
      listsDone: 9,
      callsMade: 2,
    });
    expect(etaMs([before, now], limits)).toBe(4 * 2_500 + SETTLE_MS);
  });

  it('counts what is tried again', () => {
    const done = { peopleKnown: 50, peopleDone: 50, listsKnown: 50, listsDone: 50 };
    const before = mark(0, { ...done, listsRetrying: 40 });
    const now = mark(5_000, { ...done, listsRetrying: 20, callsMade: 10 });
    expect(etaMs([before, now], limits)).toBe(10 * 500 + SETTLE_MS);
  });

  it('forgets what was before the last step of its life', () => {
    const marks = [steady(0), steady(4), steady(6)].map((of, index) => ({
      ...of,
      revision: index === 0 ? 1 : 3,
    }));
    expect(etaMs(marks, limits)).toBeUndefined();
  });

  it('says nothing where nothing was done', () => {
    expect(etaMs([steady(0), { ...steady(0), at: 9_000 }], limits)).toBeUndefined();
    const called = mark(9_000, { ...steady(0).counters, callsMade: 3 });
    expect(etaMs([steady(0), called], limits)).toBeUndefined();
  });

  it.each<[ImportState, number | undefined]>([
    ['settling', SETTLE_MS],
    ['paused', undefined],
    ['completed', undefined],
    ['cancelled', undefined],
    ['failed', undefined],
  ])('of one that is %s is %s', (state, expected) => {
    expect(etaMs([steady(0), { ...steady(6), state }], limits)).toBe(expected);
  });
});
