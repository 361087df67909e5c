import { anImport, CountedIds, StillClock } from '../../test/builders';
import { type DeadCall, DeadCalls } from '../domain/ports';
import { MemoryImports, MemoryStore } from '../infrastructure/in-memory';
import { MemoryCallLedger } from '../infrastructure/in-memory-calls';
import { BuryCall } from './bury-call';
import { RedriveCalls } from './redrive-calls';

class LinedUp extends DeadCalls {
  readonly calls: DeadCall[] = [];

  async list(limit: number): Promise<DeadCall[]> {
    return this.calls.slice(0, limit);
  }

  async redrive(
    ids: readonly string[] | 'all',
    prepare: (call: DeadCall) => Promise<boolean>,
  ): Promise<number> {
    let redriven = 0;
    for (const call of [...this.calls]) {
      if (ids !== 'all' && !ids.includes(call.id)) continue;
      if (!(await prepare(call))) continue;
      this.calls.splice(this.calls.indexOf(call), 1);
      redriven += 1;
    }
    return redriven;
  }
}

const requester = { by: 'operator-1', correlationId: 'c-9' };
const deadCall = (id: string, callId?: string): DeadCall => ({
  ...{ id, queue: 'q', code: 'X.BROKEN', reason: 'broken', attempts: 4 },
  task: callId === undefined ? undefined : { callId, importId: 'import-1', workspaceId: 'demo' },
});

/** Lists 1 and 2 were buried, each in a call of its own. */
async function setUp() {
  const store = new MemoryStore(() => 0);
  const [imports, ledger, dead] = [new MemoryImports(store), new MemoryCallLedger(store), new LinedUp()];
  await imports.add(anImport({ seeds: ['1', '2'] }));
  const bury = new BuryCall(ledger, new CountedIds());
  for (const callId of ['call-1', 'call-2']) {
    const pack = { importId: 'import-1', kind: 'lists' as const, size: 1 };
    await ledger.dispatch({ workspaceId: 'demo', network: 'toy' }, () => ({
      calls: [{ callId, pack }],
      closed: [],
    }));
    await bury.handle(callId, 'X.BROKEN');
    dead.calls.push(deadCall(`dead-${callId}`, callId));
  }
  const calls = new RedriveCalls(dead, ledger, imports, new StillClock(), new CountedIds('audit'));
  const counters = async () => (await imports.find('demo', 'import-1'))?.job.snapshot.counters;
  return { store, imports, dead, calls, counters };
}

describe('redriving dead calls', () => {
  it('opens what was buried of one call, and says who did so', async () => {
    const { calls, counters, dead, store } = await setUp();
    expect(await counters()).toMatchObject({ listsGaps: 2, listsRetrying: 0 });
    await calls.one('dead-call-2', requester);
    expect(await counters()).toMatchObject({ listsGaps: 1, listsRetrying: 1 });
    expect(dead.calls.map(({ id }) => id)).toEqual(['dead-call-1']);
    expect(store.audited).toEqual([{ action: 'import.redrive', importId: 'import-1', actor: 'operator-1' }]);
  });

  it('knows no other ones', async () => {
    const { calls } = await setUp();
    await expect(calls.one('dead-call-9', requester)).rejects.toMatchObject({
      code: 'CALLS.DEAD_UNKNOWN',
      kind: 'not-found',
    });
  });

  it('takes all of them, also what is no call at all', async () => {
    const { calls, counters, dead } = await setUp();
    dead.calls.push(deadCall('garbage'), deadCall('forgotten', 'call-9'));
    expect(await calls.list(3)).toHaveLength(3);
    expect(await calls.all(requester)).toEqual({ redriven: 4, refused: 0 });
    expect(await counters()).toMatchObject({ listsGaps: 0, listsRetrying: 2 });
  });

  it('leaves those of an import that was cancelled', async () => {
    const { calls, imports, dead } = await setUp();
    await imports.change('demo', 'import-1', (job) => job.step('cancel', 2));
    dead.calls.push(deadCall('garbage'));
    expect(await calls.all(requester)).toEqual({ redriven: 1, refused: 2 });
    expect(dead.calls).toHaveLength(2);
    await expect(calls.one('dead-call-1', requester)).rejects.toMatchObject({ code: 'IMPORTS.STEP_REFUSED' });
  });

  it('ends where something else fails', async () => {
    const { calls, imports } = await setUp();
    jest.spyOn(imports, 'retry').mockRejectedValue(new Error('database away'));
    await expect(calls.all(requester)).rejects.toThrow('database away');
  });
});
