import { DomainError } from '@sociograph/kernel';
import {
  ImportJob,
  type ImportSnapshot,
  type ImportState,
  type ImportStep,
  NO_COUNTS,
  TRANSITIONS,
} from './import-job';

const plan = {
  id: 'import-1',
  workspaceId: 'demo',
  network: 'vk',
  seeds: ['1', '2'],
  depth: null,
  peopleLimit: null,
  callsLimit: null,
  createdBy: 'someone',
  createdAt: 1_000,
};

const anImport = (changes: Partial<ImportSnapshot> = {}): ImportJob =>
  ImportJob.restore({ ...ImportJob.start(plan).snapshot, ...changes });

describe('the life of an import', () => {
  const states: ImportState[] = ['running', 'paused', 'settling', 'completed', 'cancelled', 'failed'];
  const steps: ImportStep[] = ['pause', 'resume', 'cancel', 'settle', 'complete', 'fail'];
  const table: Record<ImportState, (ImportState | 'refused')[]> = {
    //          pause     resume     cancel       settle      complete     fail
    running: ['paused', 'running', 'cancelled', 'settling', 'refused', 'failed'],
    paused: ['paused', 'running', 'cancelled', 'refused', 'refused', 'failed'],
    settling: ['refused', 'refused', 'cancelled', 'settling', 'completed', 'failed'],
    completed: ['refused', 'refused', 'refused', 'refused', 'completed', 'refused'],
    cancelled: ['refused', 'refused', 'cancelled', 'refused', 'refused', 'refused'],
    failed: ['refused', 'refused', 'refused', 'refused', 'refused', 'failed'],
  };
  const cases = states.flatMap((state) =>
    steps.map((step, index) => [state, step, table[state][index]] as const),
  );

  it.each(cases)('of one that is %s answers %s with %s', (state, step, expected) => {
    const job = anImport({ state });
    if (expected === 'refused') {
      expect(() => job.step(step, 2_000)).toThrow(
        expect.objectContaining({ code: 'IMPORTS.STEP_REFUSED', kind: 'conflict' }),
      );
      return;
    }
    const after = job.step(step, 2_000);
    expect(after.snapshot.state).toBe(expected);
    expect(after.snapshot.changedAt).toBe(expected === state ? 1_000 : 2_000);
    if (expected === state) expect(after).toBe(job);
  });

  it('has a row for each state and nothing else', () => {
    expect(Object.keys(TRANSITIONS)).toEqual(states);
  });

  it('names state and step where it refuses', () => {
    const refusal = (): unknown => {
      try {
        return anImport({ state: 'completed' }).step('pause', 1);
      } catch (error) {
        return error;
      }
    };
    expect(refusal()).toBeInstanceOf(DomainError);
    expect(refusal()).toMatchObject({
      message: 'An import that is completed cannot pause.',
      facts: { importId: 'import-1', state: 'completed', step: 'pause' },
    });
  });
});

describe('an import', () => {
  it('starts running with its seeds as people and lists', () => {
    expect(ImportJob.start(plan).snapshot).toEqual({
      ...plan,
      changedAt: 1_000,
      state: 'running',
      counters: { ...NO_COUNTS, peopleKnown: 2, listsKnown: 2 },
    });
  });

  it('fetches no list at depth 0', () => {
    expect(ImportJob.start({ ...plan, depth: 0 }).snapshot.counters.listsKnown).toBe(0);
  });

  it.each([
    [null, 500, true],
    [1, 0, true],
    [1, 1, false],
    [2, 1, true],
    [2, 2, false],
    [0, 0, false],
  ])('of depth %s fetches lists at distance %s: %s', (depth, distance, fetched) => {
    expect(anImport({ depth }).fetchesListAt(distance)).toBe(fetched);
  });

  it('adds what calls bring, each counter on its own', () => {
    const gained = {
      peopleKnown: 5,
      peopleDone: 1,
      peopleGaps: 1,
      peopleBeyond: 3,
      listsKnown: 4,
      listsDone: 2,
      listsGaps: 1,
      callsMade: 1,
      friendshipObservations: 7,
    };
    const once = anImport().absorb(gained, 2_000);
    expect(once.snapshot.counters).toEqual({ ...gained, peopleKnown: 7, listsKnown: 6 });
    expect(once.absorb({ callsMade: 2 }, 2_000).snapshot.counters).toEqual({
      ...gained,
      peopleKnown: 7,
      listsKnown: 6,
      callsMade: 3,
    });
    expect(once.snapshot.state).toBe('running');
  });

  it('settles with its last open item, not before', () => {
    const almost = anImport().absorb({ peopleDone: 2, listsDone: 1 }, 2_000);
    expect([almost.openItems, almost.snapshot.state]).toEqual([1, 'running']);
    const all = almost.absorb({ listsDone: 1 }, 3_000);
    expect([all.openItems, all.snapshot.state, all.snapshot.changedAt]).toEqual([0, 'settling', 3_000]);
  });

  it('that is paused or ended keeps its state with its last item', () => {
    for (const state of ['paused', 'cancelled', 'completed'] as const) {
      expect(anImport({ state }).absorb({ peopleDone: 2, listsDone: 2 }, 9).snapshot.state).toBe(state);
    }
  });

  it.each([
    ['running', true],
    ['paused', true],
    ['settling', false],
    ['completed', false],
    ['cancelled', false],
    ['failed', false],
  ] as const)('that is %s grows: %s', (state, grows) => {
    expect(anImport({ state }).grows).toBe(grows);
  });

  it('shows no percentage before the frontier is closed', () => {
    const open = anImport({
      counters: { ...NO_COUNTS, peopleKnown: 10, peopleDone: 9, listsKnown: 2, listsDone: 1 },
    });
    expect([open.frontierClosed, open.percent]).toEqual([false, undefined]);
  });

  it.each([
    [{ peopleKnown: 10, peopleDone: 3, listsKnown: 2, listsDone: 2 }, 41],
    [{ peopleKnown: 10, peopleDone: 10, listsKnown: 2, listsDone: 2 }, 100],
    [{ peopleKnown: 200, peopleDone: 199, listsKnown: 0, listsDone: 0 }, 99],
    [{}, 100],
  ])('shows of %j %s %%', (counters, percent) => {
    const job = anImport({ counters: { ...NO_COUNTS, ...counters } });
    expect([job.frontierClosed, job.percent]).toEqual([true, percent]);
  });

  it.each([
    [null, 5, null],
    [10, 4, 6],
    [10, 10, 0],
    [10, 12, 0],
  ])('with the people limit %s and %s known has room for %s', (peopleLimit, peopleKnown, room) => {
    expect(anImport({ peopleLimit, counters: { ...NO_COUNTS, peopleKnown } }).roomForPeople).toBe(room);
  });
});
