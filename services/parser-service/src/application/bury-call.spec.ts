import { anImport, CountedIds } from '../../test/builders';
import { MemoryImports, MemoryStore } from '../infrastructure/in-memory';
import { MemoryCallLedger } from '../infrastructure/in-memory-calls';
import { BuryCall } from './bury-call';

async function setUp(seeds: string[]) {
  const store = new MemoryStore(() => 0);
  const imports = new MemoryImports(store);
  const ledger = new MemoryCallLedger(store);
  await imports.add(anImport({ seeds }));
  const pack = { importId: 'import-1', kind: 'lists' as const, size: seeds.length };
  await ledger.dispatch({ workspaceId: 'demo', network: 'toy' }, () => ({
    calls: [{ callId: 'call-1', pack }],
    closed: [],
  }));
  await ledger.begin('call-1');
  return { store, imports, ledger, bury: new BuryCall(ledger, new CountedIds('part')) };
}

describe('a call that can only fail again', () => {
  it('is halved until the item to blame is alone; the others come to their end', async () => {
    const { bury, ledger, imports, store } = await setUp(['1', '2', '3']);
    expect(await bury.handle('call-1', 'X.BROKEN')).toBe('parted');
    expect(store.sent).toEqual(['call-1', 'part-1', 'part-2']);
    expect((await ledger.find('part-1'))?.people).toEqual(['1', '2']);
    expect(await bury.handle('part-2', 'X.BROKEN')).toBe('buried');
    const tallies = await imports.tally('demo', 'import-1', 5);
    const gap = tallies.find(({ standing }) => standing === 'gap');
    expect(gap).toMatchObject({ kind: 'friends', cause: 'gave-up', count: 1, people: ['3'] });
    expect((await imports.find('demo', 'import-1'))?.job.snapshot.counters).toMatchObject({
      listsDone: 1,
      listsGaps: 1,
    });
  });

  it('is gone when it holds nothing any more', async () => {
    const { bury, store } = await setUp(['1']);
    expect(await bury.handle('call-1', 'X.BROKEN')).toBe('buried');
    expect(await bury.handle('call-1', 'X.BROKEN')).toBe('gone');
    expect(await bury.handle('never-was', 'X.BROKEN')).toBe('gone');
    expect(store.sent).toEqual(['call-1']);
  });

  it('is gone when somebody else finished it first', async () => {
    const { bury, ledger } = await setUp(['1']);
    jest.spyOn(ledger, 'finish').mockResolvedValue(false);
    expect(await bury.handle('call-1', 'X.BROKEN')).toBe('gone');
  });
});
