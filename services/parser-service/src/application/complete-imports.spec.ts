import { anImport, StillClock } from '../../test/builders';
import { MemoryImports, MemoryStore } from '../infrastructure/in-memory';
import { MemoryDeadRecords, MemoryViewProgress } from '../infrastructure/in-memory-edges';
import { CompleteImports } from './complete-imports';

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
