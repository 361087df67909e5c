import { InlineAnalyses, InMemoryAnalysisStore } from '../infrastructure/in-memory-analyses';
import { SystemClock, TimeOrderedIds } from '@sociograph/kernel';
import {
  InMemoryApplied,
  InMemoryChangeLog,
  InMemoryViewCache,
  InMemoryViewStore,
  InMemoryWriterLock,
} from '../infrastructure/in-memory';
import { InMemoryCheckpointStore, InMemoryJobStore } from '../infrastructure/in-memory-jobs';
import { ActiveWriter } from './active-writer';
import { Checkpoints } from './checkpoints';
import type { Job } from './jobs';
import { LiveViews } from './live-views';
import type { ChangeRecord } from './ports';
import type { WriterObserver } from './writer-term';

const CHANGES = 'sociograph.graph.changes.v1';
const TIMES = { standbyMs: 2, renewMs: 2, maxPauseMs: 5, retryMs: 2, checkpointMs: 60_000, jobsMs: 2 };

class Notes implements WriterObserver {
  readonly roles: string[] = [];
  readonly failures: string[] = [];
  readonly checkpoints: string[] = [];
  readonly jobs: Job[] = [];
  edges = 0;

  became(role: string, fence?: number): void {
    this.roles.push(fence === undefined ? role : `${role}:${fence}`);
  }

  took(_record: ChangeRecord, edges: number): void {
    this.edges += edges;
  }

  flushed(): void {}

  failed(step: string): void {
    this.failures.push(step);
  }

  checkpoint(what: string): void {
    this.checkpoints.push(what);
  }

  job(job: Job): void {
    if (!job.id.startsWith('nightly')) this.jobs.push(job);
  }
}

interface Instance {
  writer: ActiveWriter;
  lock: InMemoryWriterLock;
  notes: Notes;
  live: LiveViews;
}

// For a machine that does much else.
jest.setTimeout(60_000);

describe('ActiveWriter', () => {
  const shared = {
    store: new InMemoryViewStore(),
    cache: new InMemoryViewCache(),
    applied: new InMemoryApplied(),
    log: new InMemoryChangeLog(),
    kept: new InMemoryCheckpointStore(),
    jobs: new InMemoryJobStore(),
    analyses: new InMemoryAnalysisStore(),
    runner: new InlineAnalyses(),
    lock: { fence: 0, holder: undefined as InMemoryWriterLock | undefined },
  };
  const started: ActiveWriter[] = [];

  beforeEach(() => {
    shared.store = new InMemoryViewStore();
    shared.cache = new InMemoryViewCache();
    shared.applied = new InMemoryApplied();
    shared.log = new InMemoryChangeLog();
    shared.kept = new InMemoryCheckpointStore();
    shared.jobs = new InMemoryJobStore();
    shared.analyses = new InMemoryAnalysisStore();
    shared.lock = { fence: 0, holder: undefined };
  });

  afterEach(async () => {
    await Promise.all(started.splice(0).map((writer) => writer.stop()));
  });

  function start(times = TIMES): Instance {
    const notes = new Notes();
    const live = new LiveViews();
    const lock = new InMemoryWriterLock(shared.lock);
    const { store, cache, applied, log, jobs, analyses, runner } = shared;
    const clock = new SystemClock();
    const checkpoints = new Checkpoints(shared.kept, clock, new TimeOrderedIds());
    const writer = new ActiveWriter(
      { store, cache, applied, watch: applied, log, lock, clock, checkpoints, jobs, analyses, runner, live },
      notes,
      times,
    );
    started.push(writer);
    writer.start();
    return { writer, lock, notes, live };
  }

  it('replays the log, writes what it found, then follows', async () => {
    shared.log.append(person(0, '1', ['2']));
    shared.log.append(person(1, '2', []));
    const { notes } = start();
    await until(() => friendships() === 1);
    expect(notes.roles).toEqual(['standby', 'replaying:1', 'writing:1']);
    expect(shared.store.fence).toBe(1);
    shared.log.append(person(2, '3', ['1', '2']));
    await until(() => friendships() === 3);
    expect(notes.edges).toBe(3);
    await until(() => offset() === 3);
  });

  it('answers from memory while it writes, before the rows and while the store is away, and not after', async () => {
    shared.log.append(person(0, '1', ['2']));
    const { writer, live } = start();
    await until(() => offset() === 1);
    expect(live.profile('demo', 'vk', '1')?.row.degree).toBe(0);
    const away = jest.spyOn(shared.store, 'writeProfiles').mockRejectedValue(new Error('away'));
    shared.log.append(person(1, '2', []));
    const reached = live.waitFor({ [CHANGES]: { '0': 2 } }, 20_000);
    expect(await reached).toBe('reached');
    expect(live.profile('demo', 'vk', '1')?.row.degree).toBe(1);
    expect(shared.store.profiles.get('demo.vk.1')?.degree).toBe(0);
    away.mockRestore();
    await writer.stop();
    expect(live.reached()).toBeUndefined();
  });

  it('leaves readers to the rows while it stands by', async () => {
    shared.log.append(person(0, '1', []));
    const first = start();
    await until(() => offset() === 1);
    const second = start();
    expect(first.live.reached()?.positions).toEqual({ [CHANGES]: { '0': 1 } });
    expect(second.live.reached()).toBeUndefined();
    await first.writer.stop();
    await until(() => second.live.reached() !== undefined);
    expect([first.live.reached(), second.live.profile('demo', 'vk', '1')?.row.id]).toEqual([undefined, '1']);
  });

  it('flushes at once when idle, and pauses when records came during a flush', async () => {
    shared.log.append(person(0, '1', []));
    start({ ...TIMES, maxPauseMs: 60_000 });
    await until(() => offset() === 1);
    shared.log.append(person(1, '2', []));
    await until(() => offset() === 2);
    const slow = jest.spyOn(shared.store, 'writeProfiles').mockImplementationOnce(async () => {
      shared.log.append(person(3, '4', []));
      await new Promise((resolve) => setTimeout(resolve, 310));
    });
    const from = performance.now();
    shared.log.append(person(2, '3', []));
    await until(() => offset() === 4);
    // 310 ms of writing, then three times that.
    expect(performance.now() - from).toBeGreaterThan(1200);
    slow.mockRestore();
  });

  it('removes rows that a former writer left and that nobody has any more', async () => {
    shared.store.profiles.set('demo.vk.gone', { writer: 0 } as never);
    shared.log.append(person(0, '1', []));
    start();
    await until(() => !shared.store.profiles.has('demo.vk.gone'));
    expect([...shared.store.profiles.keys()]).toEqual(['demo.vk.1']);
  });

  it('lets one of two instances write, and the other take over when it stops', async () => {
    shared.log.append(person(0, '1', ['2']));
    const first = start();
    await until(() => first.notes.roles.includes('writing:1'));
    const second = start();
    shared.log.append(person(1, '2', []));
    await until(() => friendships() === 1);
    expect(shared.log.following).toBe(1);
    expect(second.notes.roles).toEqual(['standby']);
    await first.writer.stop();
    await until(() => second.notes.roles.includes('writing:2'));
    shared.log.append(person(2, '1', [], 2));
    await until(() => friendships() === 0);
    expect(shared.store.summaries.get('demo.vk')?.writer).toBe(2);
    expect(shared.log.following).toBe(1);
  });

  it('takes a fence above the one in the store when the lock has forgotten its own', async () => {
    shared.store.fence = 40;
    const { notes } = start();
    await until(() => notes.roles.includes('writing:41'));
    expect(shared.store.fence).toBe(41);
  });

  it('takes a fence above all that was announced, also when lock and store have forgotten theirs', async () => {
    shared.log.append(person(0, '1', []));
    const appliedUpTo = { 'sociograph.graph.changes.v1': { '0': 0 } };
    await shared.applied.announce([{ view: 'graph_summary', partition: 0, appliedUpTo, at: 1, fence: 40 }]);
    const { notes } = start();
    await until(() => offset() === 1);
    expect(notes.roles).toEqual(['standby', 'replaying:41', 'writing:41']);
  });

  it('stands by while it does not know all that was announced', async () => {
    shared.log.append(person(0, '1', []));
    const known = jest.spyOn(shared.applied, 'highestFence').mockReturnValue(undefined);
    const { notes } = start();
    await until(() => known.mock.calls.length > 2);
    expect([notes.roles, notes.failures, shared.lock.fence]).toEqual([['standby'], [], 0]);
    known.mockRestore();
    await until(() => offset() === 1);
  });

  it('stops writing at once when the lock is lost, and stands by', async () => {
    shared.log.append(person(0, '1', []));
    const { lock, notes } = start();
    await until(() => shared.store.summaries.size === 1);
    lock.lost = true;
    const rival = (shared.lock.holder = new InMemoryWriterLock(shared.lock));
    const requests = shared.store.requests.length;
    shared.log.append(person(1, '2', []));
    await until(() => notes.roles.length === 4);
    expect(notes.roles).toEqual(['standby', 'replaying:1', 'writing:1', 'standby']);
    expect(shared.log.following).toBe(0);
    expect(shared.store.requests.length).toBe(requests);
    await rival.release();
    await until(() => shared.store.summaries.get('demo.vk')?.users === 2);
    expect(notes.roles.slice(4)).toEqual(['replaying:2', 'writing:2']);
  });

  it('suspends writing while the lock cannot be reached, without forgetting anything', async () => {
    shared.log.append(person(0, '1', []));
    const { lock, notes } = start();
    await until(() => offset() === 1);
    lock.doubtful = true;
    shared.log.append(person(1, '2', []));
    await until(() => notes.failures.length > 2);
    expect(offset()).toBe(1);
    lock.doubtful = false;
    await until(() => offset() === 2);
    expect(new Set(notes.failures)).toEqual(new Set(['renew']));
    expect(shared.log.followed).toBe(1);
  });

  it('writes again what a store that was away did not take', async () => {
    shared.store.failures = 3;
    shared.log.append(person(0, '1', []));
    const { notes } = start();
    await until(() => offset() === 1);
    // Three kinds of rows of one flush, which are written side by side.
    expect(notes.failures).toEqual(['flush']);
  });

  it('flushes what is pending when it is stopped, and gives the lock back', async () => {
    const { writer, notes } = start();
    await until(() => notes.roles.includes('writing:1'));
    shared.log.append(person(0, '1', []));
    await writer.stop();
    expect(offset()).toBe(1);
    expect(shared.lock.holder).toBeUndefined();
    expect(shared.log.following).toBe(0);
  });

  it('writes nothing when it is stopped in the middle of a replay', async () => {
    shared.log.append(person(0, '1', []));
    jest.spyOn(shared.log, 'follow').mockImplementation(async (take) => {
      take(person(0, '1', []));
      return { stop: async () => {} };
    });
    const { writer, notes } = start();
    await until(() => notes.roles.includes('replaying:1'));
    await writer.stop();
    expect(shared.store.requests).toEqual([]);
    expect(shared.applied.marks).toEqual([]);
    expect(shared.lock.holder).toBeUndefined();
  });

  it('tries again when the log cannot be read', async () => {
    shared.log.append(person(0, '1', []));
    jest.spyOn(shared.log, 'follow').mockRejectedValueOnce(new Error('away'));
    const { notes } = start();
    await until(() => offset() === 1);
    expect(notes.failures).toEqual(['follow']);
    expect(notes.roles).toEqual(['standby', 'replaying:1', 'standby', 'replaying:2', 'writing:2']);
  });

  it('begins with the newest checkpoint and reads the log from there on', async () => {
    shared.log.append(person(0, '1', ['2']));
    shared.log.append(person(1, '2', []));
    const first = start({ ...TIMES, checkpointMs: 5 });
    await until(() => shared.kept.newest !== undefined);
    await first.writer.stop();
    expect(first.notes.checkpoints).toEqual(['written']);
    shared.log.append(person(2, '3', ['1', '2']));
    shared.store.summaries.clear();
    const second = start();
    await until(() => friendships() === 3);
    expect(second.notes.checkpoints).toEqual(['resumed']);
    expect(second.notes.edges).toBe(2);
    expect(shared.log.begunAt).toEqual([undefined, new Map([[0, 2]])]);
    expect(shared.store.profiles.get('demo.vk.1')).toMatchObject({ degree: 2, triangles: 1, writer: 2 });
    await until(() => offset() === 3);
  });

  it('writes no second checkpoint of the same, and one more when something came', async () => {
    shared.log.append(person(0, '1', []));
    const { notes } = start({ ...TIMES, checkpointMs: 2 });
    await until(() => notes.checkpoints.length === 1);
    const { id } = shared.kept.newest!;
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(shared.kept.newest!.id).toBe(id);
    shared.log.append(person(1, '2', []));
    await until(() => notes.checkpoints.length === 2);
    expect(shared.kept.newest!.reached[0]!.positions['sociograph.graph.changes.v1']).toEqual({ '0': 2 });
  });

  it('tries a checkpoint again that the store did not take', async () => {
    shared.kept.failures = 2;
    shared.log.append(person(0, '1', []));
    const { notes } = start({ ...TIMES, checkpointMs: 2 });
    await until(() => notes.checkpoints.length === 1);
    expect(notes.failures).toEqual(['checkpoint', 'checkpoint']);
  });

  it('keeps no checkpoint behind an erasure whose results of analyses are still there', async () => {
    shared.log.append(person(0, '1', ['2']));
    shared.log.append({ partition: 3, offset: 1, erased: 'demo:vk:user:1' });
    const removal = jest.spyOn(shared.analyses, 'removeEnded').mockRejectedValue(new Error('away'));
    const { writer, notes } = start({ ...TIMES, checkpointMs: 1 });
    await until(() => notes.failures.filter((step) => step === 'analysis').length > 2);
    expect(notes.checkpoints).toEqual([]);
    await writer.stop();
    expect(shared.kept.newest).toBeUndefined();
    removal.mockRestore();
    const next = start({ ...TIMES, checkpointMs: 1 });
    await until(() => next.notes.checkpoints.includes('written'));
    expect(shared.kept.newest).toBeDefined();
  });

  it('notices a checkpoint that is broken, and rebuilds from the whole log', async () => {
    shared.log.append(person(0, '1', ['2']));
    shared.log.append(person(1, '2', []));
    const first = start({ ...TIMES, checkpointMs: 5 });
    await until(() => shared.kept.newest !== undefined);
    await first.writer.stop();
    const [key, chunk] = [...shared.kept.kept][0]!;
    shared.kept.kept.set(key, chunk.replace('[0,1,[1]', '[0,1,[]'));
    expect(shared.kept.kept.get(key)).not.toBe(chunk);
    const second = start();
    await until(() => second.notes.roles.includes('writing:2'));
    expect(second.notes.failures).toEqual(['checkpoint']);
    expect(second.notes.checkpoints).toEqual([]);
    expect(shared.log.begunAt[1]).toBeUndefined();
    await until(() => friendships() === 1);
  });

  it('rebuilds everything from the log when asked to, swaps, and writes the rows under a new fence', async () => {
    for (const [offset, id] of ['1', '2', '3'].entries()) shared.log.append(person(offset, id, ['1', '2']));
    const { notes } = start();
    await until(() => friendships() === 3);
    shared.store.profiles.set('demo.vk.gone', { writer: 1 } as never);
    shared.store.profiles.get('demo.vk.1')!.degree = 77;
    await shared.jobs.create({ id: 'r', kind: 'rebuild', state: 'waiting', requestedAt: 1 });
    await until(() => notes.jobs.length === 1);
    expect(notes.jobs[0]).toMatchObject({ id: 'r', state: 'done' });
    expect(notes.jobs[0]!.rebuild).toMatchObject({ graphs: 1, users: 3, friendships: 3, records: 3 });
    expect(notes.jobs[0]!.rebuild!.differing).toEqual([]);
    expect(await shared.jobs.find('r')).toEqual(notes.jobs[0]);
    expect([...shared.store.profiles.keys()].sort()).toEqual(['demo.vk.1', 'demo.vk.2', 'demo.vk.3']);
    expect(shared.store.profiles.get('demo.vk.1')).toMatchObject({ degree: 2, triangles: 1, writer: 2 });
    expect(shared.store.summaries.get('demo.vk')).toMatchObject({ friendships: 3, writer: 2 });
    expect([shared.store.fence, shared.log.following]).toEqual([2, 1]);
    shared.log.append(person(3, '4', ['1']));
    await until(() => friendships() === 4);
    expect(shared.applied.marks.at(-1)!.fence).toBe(2);
    await until(() => shared.kept.newest !== undefined);
    expect(notes.failures).toEqual([]);
  });

  it('replaces a live state that is not what the log says, and says in which partitions it differed', async () => {
    shared.log.append(person(0, '1', ['2']));
    shared.log.append(person(1, '2', []));
    const first = start({ ...TIMES, checkpointMs: 5 });
    await until(() => shared.kept.newest !== undefined);
    await first.writer.stop();
    // A log whose first record says something else: what the checkpoint holds is then wrong.
    const wrong = shared.log;
    shared.log = new InMemoryChangeLog();
    shared.log.append(person(0, '1', []));
    shared.log.append(person(1, '2', []));
    expect(wrong.following).toBe(0);
    const { notes } = start();
    await until(() => notes.roles.includes('writing:2'));
    await shared.jobs.create({ id: 'r', kind: 'rebuild', state: 'waiting', requestedAt: 1 });
    await until(() => notes.jobs.length === 1);
    expect(notes.jobs[0]!.rebuild!.differing).toHaveLength(1);
    expect(friendships()).toBe(0);
    await until(() => notes.checkpoints.includes('written'));
    expect(shared.kept.newest!.hashes).toEqual(notes.jobs[0]!.rebuild!.hashes);
  });

  it('says that a rebuild is done when a checkpoint of the new state is kept, not before', async () => {
    shared.log.append(person(0, '1', ['2']));
    shared.kept.failures = Infinity;
    const { notes } = start();
    await shared.jobs.create({ id: 'r', kind: 'rebuild', state: 'waiting', requestedAt: Date.now() });
    await until(() => notes.failures.length > 1);
    expect(new Set(notes.failures)).toEqual(new Set(['checkpoint']));
    expect(shared.jobs.jobs.get('r')).toMatchObject({ state: 'running', attempts: 1 });
    shared.kept.failures = 0;
    await until(() => notes.jobs.length === 1);
    expect(notes.jobs[0]).toMatchObject({ id: 'r', state: 'done' });
    expect(shared.kept.newest!.hashes).toEqual(notes.jobs[0]!.rebuild!.hashes);
  });

  it('keeps a checkpoint after a rebuild, too, that found the state of the one before', async () => {
    shared.log.append(person(0, '1', ['2']));
    const { notes } = start({ ...TIMES, checkpointMs: 5 });
    await until(() => notes.checkpoints.length === 1);
    const { id } = shared.kept.newest!;
    await shared.jobs.create({ id: 'r', kind: 'rebuild', state: 'waiting', requestedAt: Date.now() });
    await until(() => notes.jobs.length === 1);
    expect(shared.kept.newest!.id).not.toBe(id);
  });

  it('leaves a rebuild to its successor when it is stopped before the checkpoint', async () => {
    shared.log.append(person(0, '1', ['2']));
    shared.kept.failures = Infinity;
    const first = start();
    await shared.jobs.create({ id: 'r', kind: 'rebuild', state: 'waiting', requestedAt: Date.now() });
    await until(() => first.notes.failures.includes('checkpoint'));
    await first.writer.stop();
    expect(shared.jobs.jobs.get('r')).toMatchObject({ state: 'running', attempts: 0 });
    expect(first.notes.jobs).toEqual([]);
    shared.kept.failures = 0;
    const second = start();
    await until(() => second.notes.jobs.length === 1);
    expect(second.notes.jobs[0]).toMatchObject({ state: 'done', attempts: 1 });
  });

  it('reports no difference of a recount during which the lock was lost, and begins it anew', async () => {
    shared.log.append(person(0, '1', ['2']));
    const asked = { state: 'waiting' as const, requestedAt: Date.now(), workspaceId: 'demo', network: 'vk' };
    await shared.jobs.create({ id: 'a', kind: 'recount', ...asked });
    const { lock, notes } = start();
    jest.spyOn(shared.store, 'profilesOf').mockImplementationOnce(async () => {
      lock.lost = true;
      return new Map();
    });
    await until(() => notes.jobs.length === 1);
    expect(notes.jobs[0]).toMatchObject({ state: 'done', attempts: 2, recounts: [{ differences: [] }] });
    expect(notes.roles).toContain('writing:2');
    expect(notes.failures).toEqual([]);
  });

  it('breaks a recount off when it is stopped, and leaves it to its successor', async () => {
    shared.log.append(person(0, '1', ['2']));
    const asked = { state: 'waiting' as const, requestedAt: Date.now(), workspaceId: 'demo', network: 'vk' };
    await shared.jobs.create({ id: 'a', kind: 'recount', ...asked });
    const { writer, notes } = start();
    let stopped: Promise<void> | undefined;
    const reads = jest.spyOn(shared.store, 'profilesOf').mockImplementation(async () => {
      stopped = writer.stop();
      return new Map();
    });
    await until(() => stopped !== undefined);
    await stopped;
    expect(reads).toHaveBeenCalledTimes(1);
    expect(shared.jobs.jobs.get('a')).toMatchObject({ state: 'running', attempts: 0 });
    expect([notes.jobs, notes.failures]).toEqual([[], []]);
  });

  it('recounts a graph when asked to, and every graph once a night', async () => {
    shared.log.append(person(0, '1', ['2']));
    shared.log.append(person(1, '2', []));
    const { notes } = start();
    await until(() => friendships() === 1);
    shared.store.profiles.get('demo.vk.2')!.degree = 5;
    const asked = { state: 'waiting' as const, requestedAt: 1, workspaceId: 'demo' };
    await shared.jobs.create({ id: 'a', kind: 'recount', network: 'vk', ...asked });
    await shared.jobs.create({ id: 'b', kind: 'recount', network: 'none', ...asked, requestedAt: 2 });
    await until(() => notes.jobs.length === 2);
    expect(notes.jobs[0]!.recounts).toMatchObject([
      {
        users: 2,
        friendships: 1,
        differences: [{ what: 'rows of people', kept: 1, counted: 0, ids: ['2'] }],
      },
    ]);
    expect(notes.jobs[1]!.recounts).toMatchObject([{ users: 0, differences: [{ what: 'graph' }] }]);
    await until(() => shared.store.profiles.get('demo.vk.2')!.degree === 1);
    const nightly = [...shared.jobs.jobs.values()].filter(({ id }) => id.startsWith('nightly-'));
    expect(nightly).toMatchObject([{ state: 'done', kind: 'recount' }]);
  });

  const friendships = (): number | undefined => shared.store.summaries.get('demo.vk')?.friendships;
  const offset = (): number | undefined =>
    shared.applied.reached('graph_summary').positions['sociograph.graph.changes.v1']?.['0'];
});

function person(offset: number, id: string, friends: string[], version = 1): ChangeRecord {
  const seen = { observedAt: 1, fence: 1 };
  const document = { state: 'active' as const, profile: { firstName: 'A', lastName: 'B' }, ...seen };
  const vertex = { workspaceId: 'demo', network: 'vk', kind: 'user' as const, id, version, changedAt: 1 };
  return {
    partition: 0,
    offset,
    change: { ...vertex, document, friends: { ids: friends, complete: true, ...seen } },
  };
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`Not within 20 s: ${condition}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
