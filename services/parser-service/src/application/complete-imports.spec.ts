import { anImport, StillClock } from '../../test/builders';
import { MemoryImports, MemoryStore } from '../infrastructure/in-memory';
import { MemoryDeadRecords, MemoryViewProgress } from '../infrastructure/in-memory-edges';
import { USUAL_SCOPE } from '../domain/import-scope';
import { KnownPeople } from '../domain/known-people';
import { PeopleOfNetwork } from '../domain/ports';
import { DomainError } from '@sociograph/kernel';
import { CompleteImports, MOST_ROUNDS } from './complete-imports';

async function setUp() {
  const store = new MemoryStore(() => 0);
  const imports = new MemoryImports(store);
  const views = new MemoryViewProgress();
  const dead = new MemoryDeadRecords();
  for (const id of ['import-1', 'import-2']) {
    await imports.add(anImport({ id }));
    await imports.change('demo', id, (job) => job.absorb({ peopleDone: 1, listsDone: 1 }, 1));
  }
  const positions = { log: { '0': 7 } };
  for (const stored of store.imports.values()) stored.positions = positions;
  const states = (): string[] => [...store.imports.values()].map(({ job }) => job.snapshot.state);
  const complete = new CompleteImports(imports, views, dead, new StillClock());
  return { store, imports, views, dead, states, complete };
}

describe('completing imports', () => {
  it('waits for the views', async () => {
    const { complete, views, states } = await setUp();
    views.applied = 6;
    expect(await complete.check()).toBe(0);
    expect(states()).toEqual(['settling', 'settling']);
  });

  it('completes what every view shows', async () => {
    const { complete, views, store, states } = await setUp();
    views.applied = 7;
    expect(await complete.check()).toBe(2);
    expect(states()).toEqual(['completed', 'completed']);
    expect(store.imports.get('import-1')?.job.snapshot.changedAt).toBe(5_000);
    expect(await complete.check()).toBe(0);
  });

  it('looks for dead records first, and only when something could complete', async () => {
    const { complete, views, dead, states } = await setUp();
    await complete.check();
    expect(dead.sweeps).toBe(0);
    views.applied = 7;
    dead.failure = new Error('kafka away');
    await expect(complete.check()).rejects.toThrow('kafka away');
    expect(states()).toEqual(['settling', 'settling']);
    dead.failure = undefined;
    expect(await complete.check()).toBe(2);
    expect(dead.sweeps).toBe(2);
  });

  it('leaves one that was tried again in the meantime, although it settles anew', async () => {
    const { complete, views, imports, states } = await setUp();
    views.applied = 7;
    const seen = await imports.settling();
    await imports.change('demo', 'import-1', (job) =>
      job.retry({ people: 1, lists: 0 }, 2).absorb({ peopleRetrying: -1 }, 3),
    );
    jest.spyOn(imports, 'settling').mockResolvedValue(seen);
    expect(await complete.check()).toBe(1);
    expect(states()).toEqual(['settling', 'completed']);
  });

  it('leaves one that ended in the meantime as it is', async () => {
    const { complete, views, imports, states } = await setUp();
    views.applied = 7;
    const seen = await imports.settling();
    await imports.change('demo', 'import-1', (job) => job.step('cancel', 2));
    jest.spyOn(imports, 'settling').mockResolvedValue(seen);
    expect(await complete.check()).toBe(1);
    expect(states()).toEqual(['cancelled', 'completed']);
  });
});

class QuarrelsOfNetwork extends PeopleOfNetwork {
  disputed: string[] = [];
  asked: string[] = [];
  since: (number | undefined)[] = [];
  failure: Error | undefined;

  async known(workspaceId: string, network: string, since?: number): Promise<KnownPeople> {
    this.asked.push(`${workspaceId} ${network}`);
    this.since.push(since);
    if (this.failure !== undefined) throw this.failure;
    const known = new KnownPeople();
    known.disputed = () => this.disputed;
    return known;
  }
}

describe('a refresh whose looks brought friendships into doubt', () => {
  async function aRefresh(changes: Parameters<typeof anImport>[0] = {}, mostRunning = 9) {
    const store = new MemoryStore(() => 0, mostRunning);
    const imports = new MemoryImports(store);
    const scope = { include: ['friends'] as const, fields: [], walls: { since: null, last: null } };
    const job = anImport({ seeds: [], scope: { ...scope, refresh: { before: 1 } }, ...changes });
    await imports.add(job, undefined, []);
    const stored = store.imports.get('import-1');
    if (stored === undefined) throw new Error('not stored');
    stored.job = stored.job.settleIfDone(1);
    const people = new QuarrelsOfNetwork();
    const dead = new MemoryDeadRecords();
    const clock = new StillClock();
    const complete = new CompleteImports(imports, new MemoryViewProgress(), dead, clock, people);
    /** As if the open lists had been read. */
    const settle = (): void => {
      for (const item of stored.items.values()) item.state = 'done';
      const { listsKnown, listsDone, listsRetrying } = stored.job.snapshot.counters;
      stored.job = stored.job.absorb({ listsDone: listsKnown - listsDone, listsRetrying: -listsRetrying }, 2);
    };
    const state = (): string => stored.job.snapshot.state;
    return { stored, people, complete, settle, state, store, clock };
  }

  it('looks at those lists again, until none is in doubt', async () => {
    const { stored, people, complete, settle, state } = await aRefresh();
    people.disputed = ['7', '8'];
    expect(await complete.check()).toBe(0);
    expect([state(), stored.job.openLists, people.asked]).toEqual(['running', 2, ['demo toy']]);
    settle();
    people.disputed = ['8', '9'];
    await complete.check();
    expect(stored.job.snapshot.counters).toMatchObject({ listsKnown: 3, listsDone: 2, listsRetrying: 1 });
    expect(
      [...stored.items.values()].map(({ person, depth, state: at }) => `${person} ${depth} ${at}`),
    ).toEqual(['7 2 done', '8 3 pending', '9 3 pending']);
    settle();
    people.disputed = [];
    expect([await complete.check(), state()]).toEqual([1, 'completed']);
  });

  it('asks for what is known since its own looks can be read, in each round', async () => {
    const { people, complete, settle, clock, state } = await aRefresh();
    people.failure = new DomainError({ code: 'X', kind: 'unavailable', message: 'x' });
    await complete.check();
    clock.now = 6_000;
    people.failure = undefined;
    people.disputed = ['7'];
    await complete.check();
    settle();
    people.disputed = [];
    clock.now = 7_000;
    await complete.check();
    expect([people.since, state()]).toEqual([[5_000, 5_000, 7_000], 'completed']);
  });

  it('takes back the gap of a list that is looked at again', async () => {
    const { stored, people, complete, settle } = await aRefresh();
    people.disputed = ['7'];
    await complete.check();
    settle();
    for (const item of stored.items.values()) item.state = 'gap';
    stored.job = stored.job.absorb({ listsGaps: 1 }, 3);
    await complete.check();
    expect(stored.job.snapshot.counters).toMatchObject({ listsGaps: 0, listsRetrying: 1, listsDone: 1 });
  });

  it('does so so many times and no more', async () => {
    const { people, complete, settle, state } = await aRefresh();
    people.disputed = ['7'];
    for (let round = 1; round <= MOST_ROUNDS; round += 1) {
      expect([round, await complete.check(), state()]).toEqual([round, 0, 'running']);
      settle();
    }
    expect([await complete.check(), state()]).toEqual([1, 'completed']);
  });

  it('waits while what is known is being read, or no further import may run', async () => {
    const { people, complete, state } = await aRefresh();
    people.failure = new DomainError({ code: 'X', kind: 'unavailable', message: 'x' });
    expect([await complete.check(), state()]).toEqual([0, 'settling']);
    people.failure = new DomainError({ code: 'X', kind: 'bug', message: 'x' });
    await expect(complete.check()).rejects.toThrow('x');
    const full = await aRefresh({}, 1);
    await new MemoryImports(full.store).add(anImport({ id: 'import-2' }));
    full.people.disputed = ['7'];
    expect([await full.complete.check(), full.state()]).toEqual([0, 'settling']);
  });

  const bounded: [string, Parameters<typeof anImport>[0]][] = [
    ['limits of people', { peopleLimit: 5 }],
    ['a limit of calls that is reached', { callsLimit: 0 }],
    ['no friends in it', { scope: { ...USUAL_SCOPE, include: ['profiles'], refresh: { before: 1 } } }],
  ];

  it.each(bounded)('goes on for none with %s', async (_name, changes) => {
    const refresh = await aRefresh(changes);
    refresh.people.disputed = ['7'];
    expect([await refresh.complete.check(), refresh.state(), refresh.people.asked]).toEqual([
      1,
      'completed',
      [],
    ]);
  });
});
