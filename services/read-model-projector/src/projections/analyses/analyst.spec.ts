import { encodePositions } from '@sociograph/contracts';
import { fakeClock, sequentialIds, ToldAudit } from '@sociograph/testing';
import { InMemoryViewStore } from '../../infrastructure/in-memory';
import { InlineAnalyses, InMemoryAnalysisStore } from '../../infrastructure/in-memory-analyses';
import { SocialGraph } from '../social-graph';
import { AnalysisDesk } from './analysis-desk';
import { Analyst, KEPT_DAYS, MOST_ATTEMPTS } from './analyst';

const POSITIONS = [{ topic: { '0': 3 } }, { topic: { '1': 4 } }];

describe('analyses', () => {
  const setUp = () => {
    const store = new InMemoryAnalysisStore();
    const views = new InMemoryViewStore();
    for (const key of ['demo.vk', 'demo.ok', 'other.vk']) views.summaries.set(key, {} as never);
    const runner = new InlineAnalyses();
    const clock = fakeClock();
    const graph = new SocialGraph();
    for (const id of ['1', '2', '3']) graph.addPerson(graph.intern(id));
    graph.setFriends(0, ['2', '3']);
    const state = { erased: [] as string[], mayWork: true, known: true };
    const failures: unknown[] = [];
    const graphs = {
      copyOf: () => (state.known ? { copy: graph.copy(), positions: POSITIONS } : undefined),
      erased: () => [...state.erased],
      settled: (graph: string) => void (state.erased = state.erased.filter((each) => each !== graph)),
      mayWork: () => state.mayWork,
    };
    const analyst = new Analyst({ store, runner, clock }, graphs, (error) => void failures.push(error), 1);
    const audit = new ToldAudit();
    const desk = new AnalysisDesk(store, views, audit, clock, sequentialIds());
    const stopping = new AbortController();
    const look = (): Promise<void> => analyst.look(stopping.signal);
    return { store, views, runner, clock, state, failures, audit, desk, look, stopping };
  };
  const until = async (condition: () => Promise<boolean> | boolean): Promise<void> => {
    while (!(await condition())) await new Promise((resolve) => setImmediate(resolve));
  };

  it('are done on the graph as it stands, and say which positions were in it', async () => {
    const { desk, look, clock } = setUp();
    const { id } = await desk.ask('demo', 'vk', { kind: 'k-core', seed: 7 }, 'ada');
    expect(await desk.find('demo', 'vk', id)).toMatchObject({
      state: 'waiting',
      progress: 0,
      seed: 7,
      attempts: 0,
    });
    await expect(desk.done('demo', 'vk', id)).rejects.toMatchObject({
      code: 'VIEWS.ANALYSIS_NOT_DONE',
      kind: 'conflict',
    });
    await look();
    const done = await desk.done('demo', 'vk', id);
    expect(done).toMatchObject({
      state: 'done',
      progress: 1,
      attempts: 1,
      people: 3,
      friendships: 2,
      figures: { degeneracy: 1 },
      appliedUpTo: encodePositions({ topic: { '0': 3, '1': 4 } }),
      finishedAt: clock.nowMs(),
    });
    expect(await desk.people(done, 0, 2)).toEqual([
      ['1', 1],
      ['2', 1],
    ]);
    expect(await desk.people(done, 2, 9)).toEqual([['3', 1]]);
    await expect(desk.members(done, 1, 0, 10)).rejects.toMatchObject({
      code: 'VIEWS.ANALYSIS_UNKNOWN',
      kind: 'not-found',
    });
  });

  it('give communities with their members in pages', async () => {
    const { desk, look } = setUp();
    const { id } = await desk.ask('demo', 'vk', { kind: 'communities', seed: 1 }, 'ada');
    await look();
    const done = await desk.done('demo', 'vk', id);
    expect(await desk.communities(done, 0, 10)).toEqual([[0, 3]]);
    expect(await desk.members(done, 1, 0, 2)).toEqual({ ids: ['1', '2'], size: 3 });
    expect(await desk.members(done, 1, 2, 2)).toEqual({ ids: ['3'], size: 3 });
    expect(await desk.members(done, 1, 5, 2)).toEqual({ ids: [], size: 3 });
    await expect(desk.members(done, 2, 0, 2)).rejects.toMatchObject({ code: 'VIEWS.ANALYSIS_UNKNOWN' });
  });

  it('are one at a time in a workspace, and nobody else sees them', async () => {
    const { desk, look } = setUp();
    const { id } = await desk.ask('demo', 'vk', { kind: 'k-core', seed: 1 }, 'ada');
    await expect(desk.ask('demo', 'ok', { kind: 'k-core', seed: 1 }, 'ada')).rejects.toMatchObject({
      code: 'VIEWS.ANALYSIS_OPEN',
      kind: 'conflict',
    });
    await desk.ask('other', 'vk', { kind: 'k-core', seed: 1 }, 'ada');
    await expect(desk.ask('demo', 'fb', { kind: 'k-core', seed: 1 }, 'ada')).rejects.toMatchObject({
      code: 'VIEWS.GRAPH_UNKNOWN',
    });
    for (const [workspace, network] of [
      ['other', 'vk'],
      ['demo', 'ok'],
    ] as const)
      await expect(desk.find(workspace, network, id)).rejects.toMatchObject({
        code: 'VIEWS.ANALYSIS_UNKNOWN',
      });
    await look();
    await desk.ask('demo', 'ok', { kind: 'k-core', seed: 1 }, 'ada');
  });

  it('end when they are cancelled, waiting or running, and not twice', async () => {
    const { desk, look, runner, store } = setUp();
    const waiting = await desk.ask('demo', 'vk', { kind: 'k-core', seed: 1 }, 'ada');
    expect(await desk.cancel('demo', 'vk', waiting.id, 'ada')).toMatchObject({ state: 'cancelled' });
    await look();
    expect(runner.begun).toBe(0);
    await expect(desk.cancel('demo', 'vk', waiting.id, 'ada')).rejects.toMatchObject({
      code: 'VIEWS.ANALYSIS_ENDED',
      kind: 'conflict',
    });
    runner.held = true;
    const running = await desk.ask('demo', 'vk', { kind: 'k-core', seed: 1 }, 'ada');
    const looking = look();
    await until(async () => (await desk.find('demo', 'vk', running.id)).progress === 0.5);
    await desk.cancel('demo', 'vk', running.id, 'ada');
    await looking;
    expect((await desk.find('demo', 'vk', running.id)).state).toBe('cancelled');
    expect(store.chunks.size).toBe(0);
  });

  it('are told to the audit trail before they are asked for or cancelled', async () => {
    const { desk, store, audit } = setUp();
    const { id } = await desk.ask('demo', 'vk', { kind: 'k-core', seed: 1 }, 'ada');
    const refused = desk.ask('demo', 'ok', { kind: 'k-core', seed: 1 }, 'bob');
    await expect(refused).rejects.toMatchObject({ code: 'VIEWS.ANALYSIS_OPEN' });
    audit.away = new Error('away');
    await expect(desk.cancel('demo', 'vk', id, 'ada')).rejects.toThrow('away');
    expect((await desk.find('demo', 'vk', id)).state).toBe('waiting');
    audit.away = undefined;
    await desk.cancel('demo', 'vk', id, 'ada');
    await expect(desk.cancel('demo', 'vk', id, 'ada')).rejects.toMatchObject({
      code: 'VIEWS.ANALYSIS_ENDED',
    });
    expect(audit.told).toEqual([
      'analysis.create analysis/id-1 ada',
      'analysis.create analysis/id-2 bob',
      'analysis.create analysis/id-2 bob failed VIEWS.ANALYSIS_OPEN',
      'analysis.cancel analysis/id-1 ada',
    ]);
    audit.away = new Error('away');
    await expect(desk.ask('demo', 'vk', { kind: 'k-core', seed: 1 }, 'ada')).rejects.toThrow('away');
    expect(store.analyses.size).toBe(1);
  });

  it('are left to the next writer when this one stops, which is no attempt', async () => {
    const { desk, look, runner, stopping } = setUp();
    runner.held = true;
    const { id } = await desk.ask('demo', 'vk', { kind: 'k-core', seed: 1 }, 'ada');
    const looking = look();
    await until(() => runner.begun === 1);
    stopping.abort();
    await looking;
    expect(await desk.find('demo', 'vk', id)).toMatchObject({ state: 'waiting', attempts: 0 });
  });

  it('stay open when the lock is lost, and are given up when three writers ended in them', async () => {
    const { desk, look, runner, state, store } = setUp();
    runner.held = true;
    const { id } = await desk.ask('demo', 'vk', { kind: 'k-core', seed: 1 }, 'ada');
    for (let attempt = 1; attempt <= MOST_ATTEMPTS; attempt++) {
      const looking = look();
      await until(() => runner.begun === attempt);
      state.mayWork = false;
      await looking;
      expect(await store.find(id)).toMatchObject({ state: 'running', attempts: attempt });
      await look();
      expect(runner.begun).toBe(attempt);
      state.mayWork = true;
    }
    await look();
    expect(await store.find(id)).toMatchObject({ state: 'failed', fault: 'VIEWS.JOB_GAVE_UP' });
    expect([runner.begun, MOST_ATTEMPTS]).toEqual([3, 3]);
  });

  it('fail with a code, and are told, when the work throws or the graph is gone', async () => {
    const { desk, look, runner, failures, state } = setUp();
    const broken = new Error('broken');
    jest.spyOn(runner, 'run').mockRejectedValueOnce(broken);
    const one = await desk.ask('demo', 'vk', { kind: 'k-core', seed: 1 }, 'ada');
    await look();
    expect(await desk.find('demo', 'vk', one.id)).toMatchObject({ state: 'failed', fault: 'INTERNAL' });
    expect(failures).toEqual([broken]);
    state.known = false;
    const other = await desk.ask('demo', 'vk', { kind: 'k-core', seed: 1 }, 'ada');
    await look();
    expect(await desk.find('demo', 'vk', other.id)).toMatchObject({
      state: 'failed',
      fault: 'VIEWS.GRAPH_UNKNOWN',
    });
  });

  it('lose their results with an erasure in their graph, and what runs there begins anew', async () => {
    const { desk, look, runner, state, store } = setUp();
    const one = await desk.ask('demo', 'vk', { kind: 'k-core', seed: 1 }, 'ada');
    const elsewhere = await desk.ask('other', 'vk', { kind: 'k-core', seed: 1 }, 'ada');
    await look();
    await look();
    runner.held = true;
    const running = await desk.ask('demo', 'vk', { kind: 'k-core', seed: 1 }, 'ada');
    const looking = look();
    await until(() => runner.begun === 3);
    state.erased.push('demo.vk');
    await looking;
    await expect(desk.find('demo', 'vk', one.id)).rejects.toMatchObject({ code: 'VIEWS.ANALYSIS_UNKNOWN' });
    expect([...store.chunks.keys()].every((key) => key.startsWith(elsewhere.id))).toBe(true);
    expect(await desk.find('demo', 'vk', running.id)).toMatchObject({ state: 'waiting', attempts: 0 });
    runner.held = false;
    await look();
    expect((await desk.find('demo', 'vk', running.id)).state).toBe('done');
  });

  it('begin anew, too, when the work ends while the results of before are being removed', async () => {
    const { desk, look, runner, state, store } = setUp();
    let removed: () => void = () => undefined;
    const removal = jest.spyOn(store, 'removeEnded').mockImplementation(async (which) => {
      if ('graph' in which) await new Promise<void>((resolve) => (removed = resolve));
    });
    const { id } = await desk.ask('demo', 'vk', { kind: 'k-core', seed: 1 }, 'ada');
    runner.held = true;
    const looking = look();
    await until(() => runner.begun === 1);
    state.erased.push('demo.vk');
    await until(() => removal.mock.calls.some(([which]) => 'graph' in which));
    runner.held = false;
    await until(() => runner.ended === 1);
    removed();
    await looking;
    expect(await store.find(id)).toMatchObject({ state: 'waiting', attempts: 0 });
    expect(store.chunks.size).toBe(0);
  });

  it('lose them later when the store is away at the erasure', async () => {
    const { desk, look, state, store, failures } = setUp();
    const one = await desk.ask('demo', 'vk', { kind: 'k-core', seed: 1 }, 'ada');
    await look();
    const away = new Error('away');
    const removals = jest.spyOn(store, 'removeEnded').mockRejectedValueOnce(away);
    state.erased.push('demo.vk');
    await look();
    expect(failures).toEqual([away]);
    expect(await store.find(one.id)).toBeDefined();
    await look();
    expect(await store.find(one.id)).toBeUndefined();
    removals.mockClear();
    await look();
    expect(removals).not.toHaveBeenCalled();
  });

  it('are kept for seven days', async () => {
    const { desk, look, clock } = setUp();
    const old = await desk.ask('demo', 'vk', { kind: 'k-core', seed: 1 }, 'ada');
    await look();
    clock.advance(KEPT_DAYS * 86_400_000);
    await desk.ask('demo', 'vk', { kind: 'k-core', seed: 1 }, 'ada');
    await look();
    expect(await desk.find('demo', 'vk', old.id)).toMatchObject({ state: 'done' });
    clock.advance(1);
    await desk.ask('demo', 'vk', { kind: 'k-core', seed: 1 }, 'ada');
    await look();
    await expect(desk.find('demo', 'vk', old.id)).rejects.toMatchObject({ code: 'VIEWS.ANALYSIS_UNKNOWN' });
    expect(KEPT_DAYS).toBe(7);
  });
});
