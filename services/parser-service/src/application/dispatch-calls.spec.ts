import { anImport, CountedIds, ToyNetwork } from '../../test/builders';
import { Networks } from '../domain/ports';
import { MemoryImports, MemoryStore } from '../infrastructure/in-memory';
import { MemoryCallLedger } from '../infrastructure/in-memory-calls';
import { MemoryKeyPool } from '../infrastructure/in-memory-edges';
import { DispatchCalls } from './dispatch-calls';

function setUp() {
  const store = new MemoryStore(() => 0);
  const imports = new MemoryImports(store);
  const ledger = new MemoryCallLedger(store);
  const pool = new MemoryKeyPool();
  const dispatch = new DispatchCalls(ledger, pool, new Networks([new ToyNetwork()]), new CountedIds('call'));
  return { store, imports, ledger, pool, dispatch };
}

describe('a round of dispatch', () => {
  it('stores the planned calls and sends a message for each', async () => {
    const { store, imports, dispatch } = setUp();
    await imports.add(anImport({ seeds: ['1', '2', '3'] }));
    expect(await dispatch.round()).toEqual({ dispatched: 3, lanes: 1 });
    expect(store.sent).toEqual(['call-1', 'call-2', 'call-3']);
    expect([...store.calls.values()].map(({ call }) => [call.kind, call.people])).toEqual([
      ['profiles', ['1', '2', '3']],
      ['lists', ['1', '2']],
      ['lists', ['3']],
    ]);
    expect(await dispatch.round()).toEqual({ dispatched: 0, lanes: 0 });
  });

  it('goes through all lanes and adds up what they got', async () => {
    const { imports, dispatch } = setUp();
    await imports.add(anImport());
    await imports.add(anImport({ id: 'import-2', workspaceId: 'other' }));
    expect(await dispatch.round()).toEqual({ dispatched: 2, lanes: 2 });
  });

  it('has less ahead of a workspace beside others of its network', async () => {
    const { imports, dispatch, store } = setUp();
    const seeds = Array.from({ length: 40 }, (_, index) => String(index + 1));
    await imports.add(anImport({ seeds }));
    await imports.add(anImport({ id: 'import-2', workspaceId: 'other', network: 'orkut' }));
    expect((await dispatch.round()).dispatched).toBe(6);
    await imports.add(anImport({ id: 'import-3', workspaceId: 'third', seeds }));
    await dispatch.round();
    const calls = [...store.calls.values()].map(({ call }) => call.workspaceId);
    expect(calls.filter((workspaceId) => workspaceId === 'third')).toHaveLength(3);
    expect(calls).toHaveLength(9);
  });

  it('sends nothing without keys', async () => {
    const { imports, dispatch, pool } = setUp();
    await imports.add(anImport());
    pool.rate = 0;
    expect((await dispatch.round()).dispatched).toBe(0);
  });

  it('leaves networks alone that it does not know', async () => {
    const { imports, dispatch } = setUp();
    await imports.add(anImport({ network: 'orkut' }));
    expect((await dispatch.round()).dispatched).toBe(0);
  });

  it('looks at no more than may be dispatched ahead', async () => {
    const { imports, dispatch, ledger, pool } = setUp();
    pool.rate = 3;
    await imports.add(anImport());
    const asked = jest.spyOn(ledger, 'dispatch');
    await dispatch.round();
    await imports.add(anImport({ id: 'import-2', workspaceId: 'other' }));
    await dispatch.round();
    const { packSizes } = new ToyNetwork();
    expect(asked.mock.calls.map(([, , bounds]) => bounds)).toEqual([
      { calls: 6, least: 2, packSizes },
      { calls: 3, least: 1, packSizes },
      { calls: 3, least: 1, packSizes },
    ]);
  });

  it('leaves a lane alone that has nearly all it may have ahead', async () => {
    const { imports, dispatch, store } = setUp();
    await imports.add(anImport({ seeds: Array.from({ length: 40 }, (_, index) => String(index + 1)) }));
    expect((await dispatch.round()).dispatched).toBe(6);
    const end = (index: number) => {
      const call = store.calls.get(`call-${index}`);
      if (call !== undefined) call.state = 'done';
    };
    end(1);
    expect((await dispatch.round()).dispatched).toBe(0);
    end(2);
    expect((await dispatch.round()).dispatched).toBe(2);
  });

  it('serves the other lanes when one fails, then fails', async () => {
    const { imports, dispatch, pool, store } = setUp();
    await imports.add(anImport());
    await imports.add(anImport({ id: 'import-2', workspaceId: 'other' }));
    pool.callsPerSecond = async (lane?: { workspaceId: string }) => {
      if (lane?.workspaceId === 'demo') throw new Error('pool away');
      return 3;
    };
    await expect(dispatch.round()).rejects.toThrow('pool away');
    expect(store.sent).toHaveLength(1);
  });

  it('closes an import whose calls are used up', async () => {
    const { imports, ledger, dispatch } = setUp();
    await imports.add(anImport({ seeds: ['1', '2'], callsLimit: 1 }));
    expect((await dispatch.round()).dispatched).toBe(1);
    await dispatch.round();
    expect((await imports.find('demo', 'import-1'))?.job.snapshot.state).toBe('running');
    await ledger.begin('call-1');
    const nothing = {
      gaps: [],
      long: [],
      more: [],
      again: [],
      found: [],
      positions: {},
      friendshipObservations: 0,
    };
    await ledger.finish('call-1', { ...nothing, done: ['1', '2'] });
    expect((await dispatch.round()).dispatched).toBe(0);
    const closed = await imports.find('demo', 'import-1');
    expect(closed?.job.snapshot).toMatchObject({
      state: 'settling',
      counters: { peopleDone: 2, peopleGaps: 2, listsDone: 2, listsGaps: 0, callsMade: 1 },
    });
  });

  it('packs no more than calls of a kind were found to hold', async () => {
    const { store, imports, dispatch } = setUp();
    store.sizes.set('demo toy lists', 1);
    store.sizes.set('demo toy profiles', 99);
    await imports.add(anImport({ seeds: ['1', '2', '3'] }));
    await dispatch.round();
    expect([...store.calls.values()].map(({ call }) => [call.kind, call.people])).toEqual([
      ['profiles', ['1', '2', '3']],
      ['lists', ['1']],
      ['lists', ['2']],
      ['lists', ['3']],
    ]);
  });
});
