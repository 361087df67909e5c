import { CountedIds, StillClock, ToyNetwork } from '../../test/builders';
import { Networks } from '../domain/ports';
import { MemoryImports, MemoryKeyPool, MemoryStore } from '../infrastructure/in-memory';
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
    expect(await faultsOf({ seeds: ['x', '7', '-1'] })).toEqual([
      { field: 'seeds.0', message: 'not an id of toy' },
      { field: 'seeds.2', message: 'not an id of toy' },
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
});
