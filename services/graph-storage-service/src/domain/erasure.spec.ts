import {
  afterCheck,
  afterSweep,
  anonymous,
  completed,
  erasureOf,
  exportsPurged,
  isCheckDue,
  isSweepDue,
  onlyFilesLeft,
  PLACES,
  suppressed,
  touching,
  type Erasure,
  type Findings,
  type Retention,
  type Swept,
} from './erasure';

const MARK = 'ab'.repeat(32);
const RETENTION: Retention = { queues: 100, 'change-log': 200, 'observation-log': 300, 'dead-letters': 400 };
const NOTHING: Swept = { vertex: 0, edges: 0, history: 0, posts: 0, 'lists-of-others': 0 };
const ENDS = { 'graph.changes': { '0': 7 } };
const CLEAN: Findings = {
  ...{ views: true, queues: true },
  ...{ 'change-log': true, 'observation-log': true, 'dead-letters': true },
};

const requested = (): Erasure =>
  erasureOf(
    { workspaceId: 'demo', network: 'vk', mark: MARK, requestedBy: 'someone', personId: '107' },
    1_000,
  );

const sweep = (erasure: Erasure, swept: Swept, began: number, now = began + 5): Erasure =>
  afterSweep(erasure, swept, { began, now, settleMs: 50 }, ENDS, RETENTION);

const waiting = (): Erasure => sweep(suppressed(requested(), 1_010), NOTHING, 1_060);

describe('an erasure', () => {
  it('begins with the mark as its id, and with the logs, which name nobody, as done', () => {
    const erasure = requested();
    expect(erasure).toMatchObject({
      id: 'ab'.repeat(16),
      state: 'erasing',
      requestedAt: 1_000,
      personId: '107',
    });
    expect(Object.keys(erasure.places)).toEqual([...PLACES]);
    expect(PLACES.filter((place) => erasure.places[place].doneAt !== undefined)).toEqual(['logs']);
  });

  it('is swept when the mark is out, and again when the time is over', () => {
    expect(isSweepDue(requested(), 9_999, 50)).toBe(false);
    const marked = suppressed(requested(), 1_010);
    expect(isSweepDue(marked, 1_010, 50)).toBe(true);
    const swept = sweep(marked, { ...NOTHING, edges: 1 }, 1_011);
    expect(swept.sweptAt).toBe(1_016);
    expect(isSweepDue(swept, 1_065, 50)).toBe(false);
    expect(isSweepDue(swept, 1_066, 50)).toBe(true);
    expect(isSweepDue(waiting(), 9_999, 50)).toBe(false);
  });

  it('goes on while sweeps find something, and while they began before everybody could know the mark', () => {
    const marked = suppressed(requested(), 1_010);
    expect(sweep(marked, NOTHING, 1_059).state).toBe('erasing');
    expect(sweep(marked, NOTHING, 1_060).state).toBe('waiting');
    for (const place of Object.keys(NOTHING))
      expect(sweep(marked, { ...NOTHING, [place]: 1 }, 1_060).state).toBe('erasing');
  });

  it('says of each place when something was last found there', () => {
    const first = sweep(suppressed(requested(), 1_010), { ...NOTHING, edges: 2 }, 1_020);
    expect(first.places.edges).toEqual({ doneAt: 1_025 });
    expect(first.places.vertex).toEqual({ doneAt: 1_025 });
    const second = sweep(first, { ...NOTHING, edges: 1 }, 1_080);
    expect(second.places.edges).toEqual({ doneAt: 1_085 });
    expect(second.places.vertex).toEqual({ doneAt: 1_025 });
  });

  it('forgets what was to be published, notes where the logs end, and says when they will have forgotten', () => {
    const marked = touching(suppressed(requested(), 1_010), { people: ['a'], repeats: ['b'], posts: ['c'] });
    const erasure = sweep(marked, NOTHING, 1_060);
    expect(erasure.touched).toEqual({ people: [], repeats: [], posts: [] });
    expect(erasure.ends).toEqual(ENDS);
    expect(erasure.places).toMatchObject({
      queues: { goneBy: 1_165 },
      'change-log': { goneBy: 1_265 },
      'observation-log': { goneBy: 1_365 },
      'dead-letters': { goneBy: 1_465 },
    });
    expect(sweep(suppressed(requested(), 1_010), NOTHING, 1_020).ends).toEqual({});
  });

  it('remembers what sweeps touched, each once, until one finds nothing', () => {
    const first = touching(suppressed(requested(), 1_010), { people: ['a', 'b'], posts: ['p'] });
    const second = touching(sweep(first, { ...NOTHING, edges: 1 }, 1_060), {
      people: ['b', 'c'],
      repeats: ['r'],
    });
    expect(second.touched).toEqual({ people: ['a', 'b', 'c'], repeats: ['r'], posts: ['p'] });
  });

  it('is looked for in the logs only while it waits, at once and then at intervals', () => {
    expect(isCheckDue(requested(), 9_999, 10)).toBe(false);
    expect(isCheckDue(waiting(), 1_066, 10)).toBe(true);
    const checked = afterCheck(waiting(), CLEAN, 1_070);
    expect(isCheckDue(checked, 1_079, 10)).toBe(false);
    expect(isCheckDue(checked, 1_080, 10)).toBe(true);
  });

  it.each(['views', 'queues', 'change-log', 'observation-log', 'dead-letters'] as const)(
    'is done with %s when nothing is left there, and stays so',
    (place) => {
      const dirty = afterCheck(waiting(), { ...CLEAN, [place]: false }, 1_070);
      expect(dirty.places[place].doneAt).toBeUndefined();
      const clean = afterCheck(dirty, CLEAN, 1_080);
      expect(clean.places[place].doneAt).toBe(1_080);
      expect(afterCheck(clean, { ...CLEAN, [place]: false }, 1_090).places[place].doneAt).toBe(1_080);
    },
  );

  it('is done with caches when the views are', () => {
    expect(afterCheck(waiting(), { ...CLEAN, views: false }, 1_070).places.caches).toEqual({});
    expect(afterCheck(waiting(), CLEAN, 1_070).places.caches).toEqual({ doneAt: 1_070 });
  });

  it('is complete after every place but the files, and then no longer says whom it was about', () => {
    const all = afterCheck(exportsPurged(waiting(), 1_066), CLEAN, 1_165);
    expect(onlyFilesLeft(all)).toBe(true);
    expect(onlyFilesLeft(afterCheck(waiting(), CLEAN, 1_165))).toBe(false);
    expect(onlyFilesLeft({ ...all, state: 'erasing' })).toBe(false);
    const nobodys = anonymous(all);
    expect(nobodys).toMatchObject({ state: 'waiting', personId: undefined, ends: {} });
    const done = completed(nobodys, 1_170);
    expect(done).toMatchObject({ state: 'complete', completedAt: 1_170 });
    expect(done.places['database-files']).toEqual({ doneAt: 1_170 });
    expect(JSON.stringify(done)).not.toContain('107"');
    expect(PLACES.every((place) => done.places[place].doneAt !== undefined)).toBe(true);
  });
});
