import { DomainError } from '@sociograph/kernel';
import { anImport, CountedIds, StillClock, ToyNetwork } from '../../test/builders';
import type { ItemOutcome } from '../domain/items';
import { type LeaseVerdict, Networks, type Reading, type SendOutcome } from '../domain/ports';
import { MemoryImports, MemoryStore } from '../infrastructure/in-memory';
import { MemoryCallLedger } from '../infrastructure/in-memory-calls';
import {
  MemoryAnswerFaults,
  MemoryKeyPool,
  MemoryObservationLog,
  MemoryPause,
} from '../infrastructure/in-memory-edges';
import { LEASE_PATIENCE_MS, PerformCall, STORE_PATIENCE_MS } from './perform-call';

const answered: SendOutcome = { kind: 'answered', observedAt: 77, status: 200, body: 'text' };
const read = (outcomes: Record<string, ItemOutcome>): Reading => ({
  kind: 'read',
  outcomes: new Map(Object.entries(outcomes)),
  errors: [],
  made: { look: 2 },
});
const list = (...friendIds: string[]): ItemOutcome => ({ kind: 'list', friendIds, total: friendIds.length });
const unavailable = () => new DomainError({ code: 'X.AWAY', kind: 'unavailable', message: 'away' });

async function setUp(seeds = ['1', '2'], kind: 'lists' | 'profiles' = 'lists') {
  const clock = new StillClock();
  const store = new MemoryStore(() => clock.now);
  const imports = new MemoryImports(store);
  const ledger = new MemoryCallLedger(store);
  const pool = new MemoryKeyPool();
  const network = new ToyNetwork();
  const log = new MemoryObservationLog();
  const pause = new MemoryPause();
  const ids = new CountedIds('half');
  const faults = new MemoryAnswerFaults();
  const perform = new PerformCall(ledger, pool, new Networks([network]), log, clock, ids, pause, faults);
  await imports.add(anImport({ seeds }));
  const plan = {
    calls: [{ callId: 'call-1', pack: { importId: 'import-1', kind, size: seeds.length } }],
    closed: [],
  };
  await ledger.dispatch({ workspaceId: 'demo', network: 'toy' }, () => plan);
  const item = (person: string) => store.imports.get('import-1')?.items.get(`friends ${person}`);
  const job = () => store.imports.get('import-1')?.job.snapshot;
  return { clock, store, imports, ledger, pool, network, log, pause, perform, item, job, faults };
}

describe('performing a call', () => {
  it('leases, sends in the slot, settles, publishes and commits', async () => {
    const { pool, network, log, perform, store, job } = await setUp();
    pool.answers.push(answered);
    network.readings.push(read({ '1': list('2', '3'), '2': list() }));
    expect(await perform.perform('call-1')).toBe('done');
    expect(pool.asked).toEqual([
      {
        workspaceId: 'demo',
        network: 'toy',
        importId: 'import-1',
        methods: { look: 2 },
        timeoutMs: LEASE_PATIENCE_MS,
      },
    ]);
    expect(pool.requests).toEqual([
      { path: '/lists', headers: { token: 'token-1' }, body: '1,2', timeoutMs: 100 },
    ]);
    expect(network.read_).toEqual([{ kind: 'lists', people: ['1', '2'], status: 200, body: 'text' }]);
    expect(pool.settled).toEqual([
      { leaseId: 'lease-1', outcome: 'answered', findings: { errors: [], made: { look: 2 } } },
    ]);
    const sighting = {
      workspaceId: 'demo',
      network: 'toy',
      importId: 'import-1',
      callId: 'call-1',
      keyId: 'key-1',
      observedAt: 77,
      fence: 1,
    };
    expect(log.seen).toEqual([
      {
        sighting,
        observation: { kind: 'friend-list', person: '1', outcome: 'complete', friendIds: ['2', '3'] },
      },
      { sighting, observation: { kind: 'friend-list', person: '2', outcome: 'complete', friendIds: [] } },
    ]);
    expect(store.imports.get('import-1')?.positions).toEqual({ log: { '0': 2 } });
    expect(job()?.counters).toMatchObject({
      peopleKnown: 3,
      listsKnown: 3,
      listsDone: 2,
      callsMade: 1,
      friendshipObservations: 2,
    });
  });

  it('has no effect the second time', async () => {
    const { pool, network, perform, log, job } = await setUp();
    pool.answers.push(answered);
    network.readings.push(read({ '1': list(), '2': list() }));
    await perform.perform('call-1');
    expect(await perform.perform('call-1')).toBe('not-wanted');
    expect([pool.asked.length, log.seen.length, job()?.counters.callsMade]).toEqual([1, 2, 1]);
  });

  it('is made once when its message comes again meanwhile', async () => {
    const { pool, network, perform, job } = await setUp();
    pool.answers.push(answered);
    network.readings.push(read({ '1': list(), '2': list() }));
    const both = await Promise.all([perform.perform('call-1'), perform.perform('call-1')]);
    expect([both, pool.asked.length, job()?.counters.callsMade]).toEqual([['done', 'done'], 1, 1]);
    expect(await perform.perform('call-1')).toBe('not-wanted');
  });

  it('knows nothing of a call that is not stored', async () => {
    const { perform, pool } = await setUp();
    expect(await perform.perform('nothing')).toBe('not-wanted');
    expect(pool.asked).toEqual([]);
  });

  it('puts the call of a paused import back without asking for a key', async () => {
    const { perform, pool, imports, item } = await setUp();
    await imports.change('demo', 'import-1', (job) => job.step('pause', 1));
    expect(await perform.perform('call-1')).toBe('not-wanted');
    expect([pool.asked.length, item('1')?.state, item('1')?.attempts]).toEqual([0, 'pending', 0]);
  });

  it('refuses a network that it has no adapter for', async () => {
    const { ledger, pool, log, clock } = await setUp();
    const none = new PerformCall(
      ledger,
      pool,
      new Networks([]),
      log,
      clock,
      new CountedIds(),
      new MemoryPause(),
      new MemoryAnswerFaults(),
    );
    await expect(none.perform('call-1')).rejects.toMatchObject({
      code: 'IMPORTS.NETWORK_MISSING',
      kind: 'bug',
    });
  });

  it('puts the call back when no key is granted, for as long as the pool says', async () => {
    const { perform, pool, item, store } = await setUp();
    pool.verdicts.push({ kind: 'denied', reason: 'cooling', retryInMs: 700 });
    expect(await perform.perform('call-1')).toBe('put-back');
    expect([item('1')?.state, item('1')?.attempts]).toEqual(['pending', 0]);
    expect(store.imports.get('import-1')?.holdUntil).toBe(5_700);
    expect(pool.settled).toEqual([]);
  });

  it('asks for another lease when the slot went by, with what is left of its patience', async () => {
    const { perform, pool, network, clock, item } = await setUp();
    pool.answers.push({ kind: 'missed', cause: 'too-late' }, answered);
    network.readings.push(read({ '1': list(), '2': list() }));
    const settle = pool.settle.bind(pool);
    pool.settle = async (...given) => {
      clock.now += 1_000;
      await settle(...given);
    };
    expect(await perform.perform('call-1')).toBe('done');
    expect(pool.asked.map(({ timeoutMs }) => timeoutMs)).toEqual([5_000, 4_000]);
    expect(pool.settled.map(({ outcome, findings }) => [outcome, findings.made])).toEqual([
      ['missed', {}],
      ['answered', { look: 2 }],
    ]);
    expect(item('1')?.attempts).toBe(1);
  });

  it('puts the call back after its patience, and the attempts that were none', async () => {
    const { perform, pool, clock, item, store } = await setUp();
    pool.send = async () => {
      clock.now += LEASE_PATIENCE_MS;
      return { kind: 'missed', cause: 'too-late' };
    };
    expect(await perform.perform('call-1')).toBe('put-back');
    expect([pool.asked.length, item('1')?.state, item('1')?.attempts]).toEqual([1, 'pending', 0]);
    expect(store.imports.get('import-1')?.holdUntil).toBe(0);
  });

  it('does not make the send wait for the note of its beginning', async () => {
    const { perform, pool, network, ledger, item } = await setUp();
    let note = (): void => undefined;
    const begin = ledger.begin.bind(ledger);
    ledger.begin = async (callId) => {
      await new Promise<void>((resolve) => (note = resolve));
      return begin(callId);
    };
    pool.send = async () => {
      note();
      return answered;
    };
    network.readings.push(read({ '1': list(), '2': list() }));
    expect(await perform.perform('call-1')).toBe('done');
    expect(item('1')).toMatchObject({ state: 'done', attempts: 1 });
  });

  it('finishes the call of an import that was paused meanwhile', async () => {
    const { perform, pool, network, imports, job } = await setUp();
    pool.send = async () => {
      await imports.change('demo', 'import-1', (current) => current.step('pause', 1));
      return answered;
    };
    network.readings.push(read({ '1': list(), '2': list() }));
    expect(await perform.perform('call-1')).toBe('done');
    expect(job()).toMatchObject({ state: 'paused', counters: { listsDone: 2, callsMade: 1 } });
  });

  it('stores nothing of a call that ended meanwhile', async () => {
    const { perform, pool, network, ledger, log } = await setUp();
    pool.send = async () => {
      await ledger.putBack('call-1', { holdMs: 0, refund: true });
      return answered;
    };
    ledger.begin = async () => [];
    network.readings.push(read({ '1': list(), '2': list() }));
    expect(await perform.perform('call-1')).toBe('not-wanted');
    expect(log.seen).toEqual([]);
  });

  it('tries the items again after a broken connection, and tells the pool', async () => {
    const { perform, pool, item, job } = await setUp();
    pool.answers.push({ kind: 'broken', cause: 'reset' });
    expect(await perform.perform('call-1')).toBe('done');
    expect(item('1')).toMatchObject({ state: 'pending', attempts: 1, readyAt: 6_000 });
    expect(job()?.counters).toMatchObject({ callsMade: 1, listsDone: 0 });
    expect(pool.settled).toEqual([
      { leaseId: 'lease-1', outcome: 'broken', findings: { errors: [], made: { look: 2 } } },
    ]);
  });

  it('costs the items nothing when the key was at fault', async () => {
    const { perform, pool, network, item } = await setUp();
    pool.answers.push(answered);
    const failure = { method: 'look', code: 6, message: 'too many' };
    network.readings.push({ kind: 'failed', blame: 'key', cause: 'error 6', failure, errors: [], made: {} });
    expect(await perform.perform('call-1')).toBe('done');
    expect(item('2')).toMatchObject({ state: 'pending', attempts: 0, readyAt: 5_000 });
    expect(pool.settled[0]?.findings).toEqual({ failure, errors: [], made: {} });
  });

  it('halves a call that was too much', async () => {
    const { perform, pool, network, store, item } = await setUp(['1', '2', '3']);
    pool.answers.push(answered);
    network.readings.push({ kind: 'split', why: 'too-much', cause: 'error 13', errors: [], made: {} });
    expect(await perform.perform('call-1')).toBe('split');
    expect(store.sent).toEqual(['call-1', 'half-1', 'half-2']);
    expect(store.calls.get('half-1')?.call.people).toEqual(['1', '2']);
    expect(store.calls.get('half-2')?.call.people).toEqual(['3']);
    expect(item('1')).toMatchObject({ state: 'called', attempts: 0, callId: 'half-1' });
  });

  it('holds one item that is too much against the item itself', async () => {
    const { perform, pool, network, item } = await setUp(['1']);
    pool.answers.push(answered);
    network.readings.push({ kind: 'split', why: 'too-much', cause: 'error 13', errors: [], made: {} });
    expect(await perform.perform('call-1')).toBe('done');
    expect(item('1')).toMatchObject({ state: 'pending', attempts: 1, readyAt: 6_000 });
  });

  it('takes a call apart into single items when its half was too much, too, and learns', async () => {
    const { perform, pool, network, store } = await setUp(['1', '2', '3', '4', '5', '6']);
    for (const _ of [1, 2, 3]) pool.answers.push(answered);
    const tooMuch: Reading = { kind: 'split', why: 'too-much', cause: 'error 36', errors: [], made: {} };
    network.readings.push(tooMuch, tooMuch);
    await perform.perform('call-1');
    await perform.perform('half-1');
    expect(store.sent).toEqual(['call-1', 'half-1', 'half-2', 'half-3', 'half-4', 'half-5']);
    expect(store.calls.get('half-5')?.call).toMatchObject({ people: ['3'], splits: 2 });
    expect(store.sizes.get('demo toy lists')).toBe(1);
    network.readings.push(read({ '1': list() }));
    await perform.perform('half-3');
    expect(store.sizes.get('demo toy lists')).toBe(2);
  });

  it('halves a call that one bad id spoils as often as it takes, and learns nothing from that', async () => {
    const { perform, pool, network, store } = await setUp(['1', '2', '3', '4', '5', '6', '7', '8']);
    const bad: Reading = { kind: 'split', why: 'bad-id', cause: 'error 113', errors: [], made: {} };
    pool.answers.push(answered, answered);
    network.readings.push(bad, bad);
    await perform.perform('call-1');
    await perform.perform('half-1');
    expect([...store.calls.values()].map(({ call }) => [call.people.length, call.splits])).toEqual([
      [8, 0],
      [4, 0],
      [4, 0],
      [2, 0],
      [2, 0],
    ]);
    expect(store.sizes.size).toBe(0);
  });

  it('tells of answers that cannot be read, one by one', async () => {
    const { perform, pool, network, faults, item } = await setUp();
    pool.answers.push(answered);
    const fault = 'response[0].items: expected array';
    network.readings.push(read({ '1': { kind: 'unreadable', fault }, '2': list() }));
    await perform.perform('call-1');
    expect(faults.noted).toEqual([{ network: 'toy', kind: 'lists', path: fault }]);
    expect(item('1')).toMatchObject({ state: 'pending', attempts: 1 });
  });

  it('asks with what the import wants, where the list goes on, and how often it failed', async () => {
    const { perform, pool, network, item } = await setUp();
    Object.assign(item('1') ?? {}, { attempts: 2, cursor: 'here' });
    pool.answers.push(answered);
    network.readings.push(read({ '1': list(), '2': list() }));
    await perform.perform('call-1');
    expect(network.contents).toEqual([
      {
        callId: 'call-1',
        kind: 'lists',
        people: ['1', '2'],
        cursors: { '1': 'here' },
        scope: { include: ['friends'], fields: [], walls: { since: null, last: null } },
        tries: 2,
      },
    ]);
  });

  it('publishes nothing when nothing was seen', async () => {
    const { perform, pool, network, log } = await setUp(['1']);
    const publish = jest.spyOn(log, 'publish');
    pool.answers.push(answered);
    network.readings.push(read({ '1': { kind: 'absent', cause: 'unknown' } }));
    await perform.perform('call-1');
    expect(publish).not.toHaveBeenCalled();
  });

  it('does not send poison, the rest of the pack goes', async () => {
    const { perform, pool, network, item, job } = await setUp();
    Object.assign(item('1') ?? {}, { attempts: 8 });
    pool.answers.push(answered);
    network.readings.push(read({ '2': list() }));
    expect(await perform.perform('call-1')).toBe('done');
    expect(pool.requests[0]?.body).toBe('2');
    expect(pool.asked[0]?.methods).toEqual({ look: 1 });
    expect(item('1')).toMatchObject({ state: 'gap', cause: 'gave-up' });
    expect(job()?.counters).toMatchObject({ listsDone: 2, listsGaps: 1 });
  });

  it('ends a call of nothing but poison without asking for a key', async () => {
    const { perform, pool, item } = await setUp(['1']);
    Object.assign(item('1') ?? {}, { attempts: 8 });
    expect(await perform.perform('call-1')).toBe('done');
    expect([pool.asked, pool.requests, pool.settled]).toEqual([[], [], []]);
    expect(item('1')).toMatchObject({ state: 'gap', cause: 'gave-up' });
  });

  it('keeps an answer while the log or the store is away', async () => {
    const { perform, pool, network, log, pause, job } = await setUp();
    pool.answers.push(answered);
    network.readings.push(read({ '1': list(), '2': list() }));
    log.failures.push(
      unavailable(),
      unavailable(),
      unavailable(),
      unavailable(),
      unavailable(),
      unavailable(),
    );
    expect(await perform.perform('call-1')).toBe('done');
    expect(pause.waits).toEqual([100, 200, 400, 800, 1_600, 2_000]);
    expect([pool.asked.length, job()?.counters.listsDone]).toEqual([1, 2]);
  });

  it('gives an answer up after its patience', async () => {
    const { perform, pool, network, log, pause, clock } = await setUp();
    pool.answers.push(answered);
    network.readings.push(read({ '1': list(), '2': list() }));
    log.publish = async () => {
      throw unavailable();
    };
    pause.ms = async (duration) => {
      clock.now += duration;
    };
    await expect(perform.perform('call-1')).rejects.toMatchObject({ code: 'X.AWAY' });
    expect(clock.now).toBeLessThan(5_000 + STORE_PATIENCE_MS);
    expect(clock.now).toBeGreaterThanOrEqual(5_000 + STORE_PATIENCE_MS - 2_000);
  });

  it('does not repeat what is broken for good', async () => {
    const { perform, pool, network, log, pause } = await setUp();
    pool.answers.push(answered);
    network.readings.push(read({ '1': list(), '2': list() }));
    log.failures.push(new Error('a bug'));
    await expect(perform.perform('call-1')).rejects.toThrow('a bug');
    expect(pause.waits).toEqual([]);
  });

  it('says so when somebody else finished the call meanwhile', async () => {
    const { perform, pool, network, ledger } = await setUp();
    pool.answers.push(answered);
    network.readings.push(read({ '1': list(), '2': list() }));
    jest.spyOn(ledger, 'finish').mockResolvedValue(false);
    expect(await perform.perform('call-1')).toBe('not-wanted');
  });

  it('asks for no key once it stops', async () => {
    const { perform, pool, item } = await setUp();
    perform.stop();
    expect(await perform.perform('call-1')).toBe('put-back');
    expect([pool.asked.length, item('1')?.state]).toEqual([0, 'pending']);
  });

  it('stops waiting for a key, and gives back one that comes too late', async () => {
    const { perform, pool, item } = await setUp();
    let grant: (verdict: {
      kind: 'granted';
      lease: { leaseId: string; keyId: string; fence: number };
    }) => void;
    pool.acquire = () => new Promise((resolve) => (grant = resolve));
    const performing = perform.perform('call-1');
    await new Promise((resolve) => setImmediate(resolve));
    perform.stop();
    expect(await performing).toBe('put-back');
    expect([pool.settled.length, item('1')?.state]).toEqual([0, 'pending']);
    grant!({ kind: 'granted', lease: { leaseId: 'late', keyId: 'k', fence: 1 } });
    await new Promise((resolve) => setImmediate(resolve));
    expect(pool.settled).toEqual([
      { leaseId: 'late', outcome: 'missed', findings: { errors: [], made: {} } },
    ]);
    expect(pool.requests).toEqual([]);
  });

  it('does not send the call of an import that was paused while it waited for a key, and gives the key back', async () => {
    const { perform, pool, imports, item } = await setUp();
    let grant!: (verdict: LeaseVerdict) => void;
    pool.acquire = () => new Promise((resolve) => (grant = resolve));
    const performing = perform.perform('call-1');
    await new Promise((resolve) => setImmediate(resolve));
    await imports.change('demo', 'import-1', (job) => job.step('pause', 1));
    perform.withdraw('another');
    perform.withdraw('import-1');
    expect(await performing).toBe('not-wanted');
    expect([item('1')?.state, item('1')?.attempts]).toEqual(['pending', 0]);
    grant({ kind: 'granted', lease: { leaseId: 'late', keyId: 'k', fence: 1 } });
    await new Promise((resolve) => setImmediate(resolve));
    expect([pool.requests.length, pool.settled.map(({ leaseId }) => leaseId)]).toEqual([0, ['late']]);
  });

  it('withdraws a call that waits for its slot, at no cost of its items', async () => {
    const { perform, pool, imports, item } = await setUp();
    pool.send = async (_lease, _authorize, withdrawn) => {
      await imports.change('demo', 'import-1', (job) => job.step('cancel', 1));
      perform.withdraw('import-1');
      return withdrawn?.aborted === true ? { kind: 'missed', cause: 'withdrawn' } : answered;
    };
    expect(await perform.perform('call-1')).toBe('not-wanted');
    expect(item('1')).toMatchObject({ state: 'gap', cause: 'withdrawn', attempts: 0 });
    expect([pool.asked.length, pool.settled.map(({ outcome }) => outcome)]).toEqual([1, ['missed']]);
  });

  it('looks again when something happens to imports while it looks a call up', async () => {
    const { perform, pool, imports, ledger } = await setUp();
    const find = ledger.find.bind(ledger);
    ledger.find = async (callId) => {
      ledger.find = find;
      const call = await find(callId);
      await imports.change('demo', 'import-1', (job) => job.step('pause', 1));
      perform.withdraw('import-1');
      return call;
    };
    expect(await perform.perform('call-1')).toBe('not-wanted');
    expect(pool.asked).toEqual([]);
  });

  it('finds out what it was not told, and leaves wanted calls alone', async () => {
    const { perform, pool, imports } = await setUp();
    pool.acquire = () => new Promise(() => undefined);
    const performing = perform.perform('call-1');
    let over = false;
    void performing.then(() => (over = true));
    await new Promise((resolve) => setImmediate(resolve));
    await perform.doubt();
    await new Promise((resolve) => setImmediate(resolve));
    expect(over).toBe(false);
    await imports.change('demo', 'import-1', (job) => job.step('pause', 1));
    await perform.doubt();
    expect(await performing).toBe('not-wanted');
  });

  it.each([
    ['cannot be kept', async () => false],
    ['is not kept yet', () => new Promise<boolean>(() => undefined)],
    ['fails to be kept', () => Promise.reject(unavailable())],
  ])('holds its place until what was seen is stored where the answer %s', async (_, keep) => {
    const { perform, pool, network, ledger, store, pause } = await setUp(['1', '2', '3', '4', '5', '6', '7']);
    ledger.keep = keep;
    pause.ms = () => new Promise(() => undefined);
    await ledger.putBack('call-1', { holdMs: 0, refund: false });
    const calls = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((callId) => ({
      callId,
      pack: { importId: 'import-1', kind: 'lists' as const, size: 1 },
    }));
    await ledger.dispatch({ workspaceId: 'demo', network: 'toy' }, () => ({ calls, closed: [] }));
    for (const { callId } of calls) {
      pool.answers.push(answered);
      network.readings.push(read({ [String(store.calls.get(callId)?.call.people[0])]: list() }));
    }
    const finish = ledger.finish.bind(ledger);
    const ends: (() => void)[] = [];
    ledger.finish = async (...given) => {
      await new Promise<void>((resolve) => ends.push(resolve));
      return finish(...given);
    };
    const performing = calls.map(({ callId }) => perform.perform(callId));
    for (let i = 0; i < 5; i += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(pool.requests).toHaveLength(6);
    ends[0]?.();
    for (let i = 0; i < 5; i += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(pool.requests).toHaveLength(7);
    for (const end of ends) end();
    expect(await Promise.all(performing)).toEqual(Array.from({ length: 7 }, () => 'done'));
  });

  it('keeps an answer with all that it takes to read it, and leaves its place then', async () => {
    const { perform, pool, network, ledger, store, pause } = await setUp(['1', '2', '3', '4', '5', '6', '7']);
    pause.ms = () => new Promise(() => undefined);
    await ledger.putBack('call-1', { holdMs: 0, refund: false });
    const calls = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((callId) => ({
      callId,
      pack: { importId: 'import-1', kind: 'lists' as const, size: 1 },
    }));
    await ledger.dispatch({ workspaceId: 'demo', network: 'toy' }, () => ({ calls, closed: [] }));
    for (const { callId } of calls) {
      pool.answers.push(answered);
      network.readings.push(read({ [String(store.calls.get(callId)?.call.people[0])]: list() }));
    }
    ledger.finish = () => new Promise(() => undefined);
    for (const { callId } of calls) void perform.perform(callId);
    for (let i = 0; i < 5; i += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(pool.requests).toHaveLength(7);
    expect(store.calls.get('b')?.kept).toEqual({
      ...{ people: ['2'], tries: 0, status: 200, body: 'text' },
      ...{ observedAt: 77, keyId: 'key-1', fence: 2 },
    });
  });

  it('stores what a process kept that died before, and sends nothing', async () => {
    const { perform, pool, network, log, ledger, item, job } = await setUp();
    await ledger.begin('call-1');
    const kept = {
      people: ['2', '1'],
      tries: 3,
      status: 203,
      body: 'kept',
      observedAt: 55,
      keyId: 'k9',
      fence: 9,
    };
    await ledger.keep('call-1', kept);
    network.readings.push(read({ '1': list('5'), '2': list() }));
    expect(await perform.perform('call-1')).toBe('done');
    expect([pool.asked, pool.requests, pool.settled]).toEqual([[], [], []]);
    expect(network.read_).toEqual([{ kind: 'lists', people: ['2', '1'], status: 203, body: 'kept' }]);
    expect(network.contents[0]?.tries).toBe(3);
    expect(log.seen.map(({ sighting }) => sighting)).toEqual(
      Array.from({ length: 2 }, () => expect.objectContaining({ observedAt: 55, keyId: 'k9', fence: 9 })),
    );
    expect(item('1')).toMatchObject({ state: 'done', attempts: 2 });
    expect(job()?.counters).toMatchObject({ listsDone: 2, callsMade: 1, peopleKnown: 3 });
  });

  it.each<[string, Reading, Partial<ToyNetwork>]>([
    ['an answer that says nothing', { kind: 'failed', blame: 'item', cause: 'x', errors: [], made: {} }, {}],
    ['the answer of a network that nobody counts', read({ '1': list(), '2': list() }), { isFree: true }],
  ])('does not keep %s', async (_, reading, of) => {
    const { perform, pool, network, ledger } = await setUp();
    const keep = jest.spyOn(ledger, 'keep');
    Object.assign(network, of);
    pool.answers.push(answered);
    network.readings.push(reading);
    expect(await perform.perform('call-1')).toBe('done');
    expect(keep).not.toHaveBeenCalled();
  });

  it('does not wait for a store that is away once it stops', async () => {
    const { perform, pool, network, log, pause } = await setUp();
    pool.answers.push(answered);
    network.readings.push(read({ '1': list(), '2': list() }));
    log.publish = async () => {
      perform.stop();
      throw unavailable();
    };
    await expect(perform.perform('call-1')).rejects.toMatchObject({ code: 'X.AWAY' });
    expect(pause.waits).toEqual([]);
  });
});
