import { CountedIds, StillClock, ToyNetwork } from '../../test/builders';
import { Networks } from '../domain/ports';
import { MemoryImports, MemoryStore } from '../infrastructure/in-memory';
import { MemoryKeyPool } from '../infrastructure/in-memory-edges';
import { StartImport, type StartImportCommand } from './start-import';

const command: StartImportCommand = {
  workspaceId: 'demo',
  startedBy: 'someone',
  network: 'toy',
  seeds: ['7', '8'],
  depth: 2,
  peopleLimit: null,
  callsLimit: 50,
};

function setUp() {
  const store = new MemoryStore(() => 0);
  const pool = new MemoryKeyPool();
  const imports = new MemoryImports(store);
  const networks = new Networks([new ToyNetwork()]);
  return {
    store,
    pool,
    imports,
    start: new StartImport(imports, pool, networks, new StillClock(), new CountedIds()),
  };
}

async function faultsOf(changes: Partial<StartImportCommand>): Promise<unknown> {
  const { start, store } = setUp();
  const error: unknown = await start.handle({ ...command, ...changes }).catch((thrown: unknown) => thrown);
  expect(store.imports.size).toBe(0);
  expect(error).toMatchObject({ code: 'IMPORTS.INVALID', kind: 'invalid-input' });
  return (error as { fields: unknown }).fields;
}

describe('starting an import', () => {
  it('stores it running and forecasts its cost', async () => {
    const { start, store } = setUp();
    const { job, forecast } = await start.handle(command);
    expect(job.snapshot).toMatchObject({
      id: 'id-1',
      workspaceId: 'demo',
      network: 'toy',
      seeds: ['7', '8'],
      depth: 2,
      peopleLimit: null,
      callsLimit: 50,
      createdBy: 'someone',
      createdAt: 5_000,
      state: 'running',
    });
    expect(forecast).toEqual({ calls: 2, keyTimeMs: 667, etaMs: 667 });
    expect(store.imports.get('id-1')?.job).toBe(job);
  });

  it('has no ETA without keys', async () => {
    const { start, pool } = setUp();
    pool.rate = 0;
    expect((await start.handle(command)).forecast.etaMs).toBeNull();
  });

  it('takes each seed once, as the network writes it', async () => {
    const { start } = setUp();
    const { job } = await start.handle({ ...command, seeds: ['8', '08', '7'] });
    expect(job.snapshot.seeds).toEqual(['8', '7']);
  });

  it('names an unknown network', async () => {
    expect(await faultsOf({ network: 'orkut' })).toEqual([
      { field: 'network', message: 'unknown network; known: toy' },
    ]);
  });

  it('names each malformed seed', async () => {
    expect(await faultsOf({ seeds: ['x', '7', '-'] })).toEqual([
      { field: 'seeds.0', message: 'neither an id nor a name of toy' },
      { field: 'seeds.2', message: 'neither an id nor a name of toy' },
    ]);
  });

  it('wants at least one seed', async () => {
    expect(await faultsOf({ seeds: [] })).toEqual([
      { field: 'seeds', message: 'at least one seed is needed' },
    ]);
  });

  it('refuses a people limit below the number of seeds, not one that equals it', async () => {
    expect(await faultsOf({ peopleLimit: 1 })).toEqual([
      { field: 'limits.people', message: 'lower than the number of seeds' },
    ]);
    const { start } = setUp();
    expect((await start.handle({ ...command, peopleLimit: 2 })).job.snapshot.peopleLimit).toBe(2);
  });

  it('asks for friends unless told, and for the newest 100 posts of walls unless bounded', async () => {
    const scopeOf = async (changes: Partial<StartImportCommand>) =>
      (await setUp().start.handle({ ...command, ...changes })).job.snapshot.scope;
    const unbounded = { since: null, last: null };
    expect(await scopeOf({})).toEqual({ include: ['friends'], fields: [], walls: unbounded });
    expect(await scopeOf({ include: ['groups'], fields: ['sex'] })).toEqual({
      include: ['groups'],
      fields: ['sex'],
      walls: unbounded,
    });
    const include = ['walls'] as const;
    expect((await scopeOf({ include })).walls).toEqual({ since: null, last: 100 });
    expect((await scopeOf({ include, walls: {} })).walls).toEqual({ since: null, last: 100 });
    expect((await scopeOf({ include, walls: { since: 5 } })).walls).toEqual({ since: 5, last: null });
    expect((await scopeOf({ include, walls: { last: 7 } })).walls).toEqual({ since: null, last: 7 });
    expect((await scopeOf({ include, walls: { since: 5, last: 7 } })).walls).toEqual({ since: 5, last: 7 });
  });

  it('names what the network does not offer, and bounds of walls that are not asked for', async () => {
    expect(await faultsOf({ include: ['friends', 'subscriptions'], walls: { last: 1 } })).toEqual([
      { field: 'include.1', message: 'toy does not offer subscriptions' },
      { field: 'walls', message: 'needs `walls` in `include`' },
    ]);
  });

  it('begins with people, groups and names; groups count against no limit of people', async () => {
    const { start } = setUp();
    const seeds = ['7', '-1', '-2', '@ada'];
    const { job } = await start.handle({ ...command, seeds, peopleLimit: 2, include: ['members'] });
    expect(job.snapshot.seeds).toEqual(seeds);
    expect(job.snapshot.counters).toMatchObject({ peopleKnown: 1, listsKnown: 5 });
    expect(await faultsOf({ seeds, peopleLimit: 1 })).toEqual([
      { field: 'limits.people', message: 'lower than the number of seeds' },
    ]);
  });

  it('forecasts by what the seeds are', async () => {
    const { start } = setUp();
    const seeds = ['7', '-1', '-2', '-3', '@ada'];
    const { forecast } = await start.handle({ ...command, seeds, include: ['members'], callsLimit: null });
    // One call for the name, one for two profiles, two for groups, two for members.
    expect(forecast.calls).toBe(6);
  });
});
