import { describeImportLife } from '../../test/import-life.contract';
import { storm, type StormReport } from '../../test/life-storm';
import { MemoryImportEvents, MemoryImports, MemoryStore } from './in-memory';
import { MemoryCallLedger } from './in-memory-calls';

/** One clock and rising ids for one store. */
function aStore() {
  const clock = { now: 1_000_000 };
  const store = new MemoryStore(() => clock.now);
  let ids = 0;
  const id = (): string => String((ids += 1)).padStart(12, '0');
  return { clock, store, id };
}

describeImportLife('memory', async () => {
  const { clock, store, id } = aStore();
  return {
    imports: (most) =>
      most === undefined ? new MemoryImports(store) : new MemoryImports(limited(store, most)),
    ledger: new MemoryCallLedger(store),
    events: new MemoryImportEvents(store),
    id,
    audited: async (importId) =>
      store.audited.filter((note) => note.importId === importId).map(({ action }) => action),
    ageEvents: async (_importId, ms) => void (clock.now += ms),
  };
});

function limited(store: MemoryStore, most: number): MemoryStore {
  return Object.assign(new MemoryStore(store.now, most), { imports: store.imports });
}

describe('an import under random steps, answers and crashes', () => {
  it('loses nothing and counts nothing twice, whatever the seed', async () => {
    const reports: StormReport[] = [];
    for (let seed = 1; seed <= 60; seed += 1) {
      const { clock, store, id } = aStore();
      const parts = { imports: new MemoryImports(store), ledger: new MemoryCallLedger(store), id };
      reports.push(await storm({ ...parts, age: async (_, ms) => void (clock.now += ms) }, seed, 100));
    }
    // The storms were storms: calls came to their ends, gaps were tried again, imports ended in every way.
    expect(reports.reduce((sum, { finished }) => sum + finished, 0)).toBeGreaterThan(1_000);
    expect(reports.reduce((sum, { retried }) => sum + retried, 0)).toBeGreaterThan(50);
    const ends = new Set(reports.map(({ end }) => end));
    expect([...ends].sort()).toEqual(expect.arrayContaining(['cancelled', 'gone', 'settling']));
  });
});
