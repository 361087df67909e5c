import { DomainError } from '@sociograph/kernel';
import { USUAL_SCOPE } from './import-scope';
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
  scope: USUAL_SCOPE,
  depth: null,
  peopleLimit: null,
  callsLimit: null,
  createdBy: 'someone',
  createdAt: 1_000,
};

const anImport = (changes: Partial<ImportSnapshot> = {}): ImportJob =>
  ImportJob.restore({ ...ImportJob.start(plan).snapshot, ...changes });

describe('the life of an import', () => {
  const states: ImportState[] = [
    ...(['running', 'paused', 'settling', 'completed', 'cancelled', 'failed', 'deleted'] as const),
  ];
  const steps: ImportStep[] = [
    ...(['pause', 'resume', 'cancel', 'settle', 'complete', 'fail', 'retry', 'delete'] as const),
  ];
  const table: Record<ImportState, (ImportState | 'refused')[]> = {
    //          pause     resume     cancel       settle      complete     fail       retry      delete
    running: ['paused', 'running', 'cancelled', 'settling', 'refused', 'failed', 'running', 'refused'],
    paused: ['paused', 'running', 'cancelled', 'refused', 'refused', 'failed', 'paused', 'refused'],
    settling: ['refused', 'refused', 'cancelled', 'settling', 'completed', 'failed', 'running', 'refused'],
    completed: ['refused', 'refused', 'refused', 'refused', 'completed', 'refused', 'running', 'deleted'],
    cancelled: ['refused', 'refused', 'cancelled', 'refused', 'refused', 'refused', 'refused', 'deleted'],
    failed: ['refused', 'refused', 'refused', 'refused', 'refused', 'failed', 'running', 'deleted'],
    deleted: ['refused', 'refused', 'refused', 'refused', 'refused', 'refused', 'refused', 'refused'],
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
    expect(after.snapshot.revision).toBe(expected === state ? 1 : 2);
    if (expected === state) expect(after).toBe(job);
  });

  it('has a row for each state and nothing else', () => {
    expect(Object.keys(TRANSITIONS)).toEqual(states);
  });

  it('may be deleted once it has ended, and only then', () => {
    const ended = states.filter((state) => anImport({ state }).ended);
    expect(ended).toEqual(['completed', 'cancelled', 'failed']);
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

describe('an import that is tried again', () => {
  const counters = {
    ...NO_COUNTS,
    ...{ peopleKnown: 5, peopleDone: 5, peopleGaps: 2, listsKnown: 4, listsDone: 4, listsGaps: 3 },
  };
  const whole = (state: ImportState) => anImport({ state, counters });

  it('keeps what was done, and has its gaps open beside that', () => {
    const job = whole('completed').retry({ people: 2, lists: 1 }, 7_000);
    expect(job.snapshot).toMatchObject({ state: 'running', changedAt: 7_000, revision: 2 });
    expect(job.snapshot.counters).toEqual({
      ...counters,
      ...{ peopleGaps: 0, peopleRetrying: 2, listsGaps: 2, listsRetrying: 1 },
    });
    expect([job.openPeople, job.openLists, job.openItems]).toEqual([2, 1, 3]);
    expect([job.frontierClosed, job.percent]).toEqual([false, undefined]);
    const people = whole('completed').retry({ people: 2, lists: 0 }, 7_000);
    expect([people.frontierClosed, people.percent]).toEqual([true, 77]);
  });

  it('settles when the last of them is final again', () => {
    const job = whole('completed').retry({ people: 1, lists: 1 }, 7_000);
    const almost = job.absorb({ peopleRetrying: -1 }, 8_000);
    expect([almost.snapshot.state, almost.openItems]).toEqual(['running', 1]);
    const all = almost.absorb({ listsRetrying: -1, listsGaps: 1 }, 9_000);
    expect(all.snapshot).toMatchObject({
      state: 'settling',
      revision: 3,
      counters: { listsGaps: 3, listsDone: 4 },
    });
  });

  it('stays as it is when there is nothing to try', () => {
    const job = whole('completed');
    expect(job.retry({ people: 0, lists: 0 }, 7_000)).toBe(job);
  });

  it('takes a step also where the state stays', () => {
    for (const state of ['running', 'paused'] as const) {
      const job = whole(state).retry({ people: 0, lists: 1 }, 7_000);
      expect(job.snapshot).toMatchObject({ state, revision: 2, changedAt: 7_000 });
    }
  });

  it('is refused where its owner gave it up, also with nothing to try', () => {
    for (const state of ['cancelled', 'deleted'] as const) {
      expect(() => whole(state).retry({ people: 0, lists: 0 }, 1)).toThrow(
        expect.objectContaining({
          code: 'IMPORTS.STEP_REFUSED',
          facts: expect.objectContaining({ step: 'retry' }),
        }),
      );
    }
  });
});

describe('the revision of an import', () => {
  it('is compared with what a caller saw', () => {
    const job = anImport({ revision: 4 });
    expect(job.expect(4)).toBe(job);
    expect(job.expect(undefined)).toBe(job);
    expect(() => job.expect(3)).toThrow(
      expect.objectContaining({
        code: 'IMPORTS.CHANGED',
        kind: 'precondition-failed',
        facts: { importId: 'import-1', expected: 3, current: 4 },
      }),
    );
  });

  it('does not rise with progress', () => {
    expect(anImport().absorb({ peopleDone: 1 }, 5).snapshot.revision).toBe(1);
  });
});

describe('an import', () => {
  it('starts running with its seeds as people and lists', () => {
    expect(ImportJob.start(plan).snapshot).toEqual({
      ...plan,
      changedAt: 1_000,
      state: 'running',
      revision: 1,
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
      peopleRetrying: 2,
      peopleBeyond: 3,
      listsKnown: 4,
      listsDone: 2,
      listsGaps: 1,
      listsRetrying: 1,
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
