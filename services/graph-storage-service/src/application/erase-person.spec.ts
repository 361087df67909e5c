import { aDocument, aList, ref, seen } from '../../test/builders';
import { DomainError } from '@sociograph/kernel';
import { ToldAudit } from '@sociograph/testing';
import { ExportPurge } from '../domain/erasure-ports';
import type { Retention } from '../domain/erasure';
import { InMemoryChangeLog, InMemoryGraph, InMemoryMeter } from '../infrastructure/in-memory';
import { InMemoryErasureLog, InMemoryErasures } from '../infrastructure/in-memory-erasures';
import { ApplyObservations } from './apply-observations';
import { Confirmations } from './confirmations';
import { ErasePerson } from './erase-person';
import { RequestErasure } from './request-erasure';
import { SweepPerson } from './sweep-person';

const RETENTION: Retention = {
  queues: 1_000,
  'change-log': 2_000,
  'observation-log': 3_000,
  'dead-letters': 4_000,
};

class Exports extends ExportPurge {
  readonly purged: string[] = [];
  async ofGraph(workspaceId: string, network: string): Promise<void> {
    this.purged.push(`${workspaceId} ${network}`);
  }
}

async function aGraph(refuse?: () => boolean, filesMs = 0) {
  const clock = { now: 10_000, nowMs: () => clock.now, monotonicMs: () => clock.now };
  const graph = new InMemoryGraph(refuse);
  const apply = new ApplyObservations(
    graph,
    new InMemoryChangeLog(),
    new InMemoryMeter(),
    new Confirmations(),
    clock,
    { next: () => 0.5 },
    { wait: async () => undefined },
  );
  const observe = (...people: ReturnType<typeof seen>[]) =>
    apply.execute({ partition: 0, people, positions: {}, heartbeat: async () => undefined } as never);
  await observe(
    seen('107', [aList(1, ['1', '2'])]),
    seen('1', [aList(2, ['107', '2'])]),
    seen('2', [aList(3, ['1'])]),
    seen('3', [aList(4, ['107'])]),
    seen('4', [aList(5, ['2'])]),
  );
  const erasures = new InMemoryErasures(graph);
  const log = new InMemoryErasureLog();
  const exports = new Exports();
  const times = { settleMs: 100, checkMs: 500, filesMs, retention: RETENTION };
  const sweep = new SweepPerson(erasures, log, graph, clock);
  const saga = new ErasePerson(erasures, log, sweep, exports, clock, times);
  const erase = {
    round: async () => {
      const open = await saga.round();
      await saga.check();
      return open;
    },
  };
  let woken = 0;
  const audit = new ToldAudit();
  const request = new RequestErasure(
    erasures,
    ({ id }) => `mark${id}`.padEnd(64, '0'),
    audit,
    clock,
    () => (woken += 1),
  );
  const listOf = (id: string) => graph.people.get(`demo.vk.${id}`)?.list.base?.ids;
  const post = (id: string, content: object) =>
    graph.communities.things.post.set(`demo.vk.${id}`, {
      kind: 'post',
      ref: ref(id),
      version: 1,
      changedAt: 1,
      document: { ...aDocument(1, 'x'), content },
      rev: `p${id}`,
    });
  const receipt = (id: string) => request.read('demo', `mark${id}`.padEnd(32, '0'));
  return {
    clock,
    graph,
    observe,
    erasures,
    log,
    exports,
    erase,
    request,
    audit,
    listOf,
    post,
    receipt,
    woken: () => woken,
  };
}

describe('ErasePerson', () => {
  it('tells everybody the mark first, then leaves lists, publishes them, and ends the key', async () => {
    const { request, erase, log, listOf, graph, receipt } = await aGraph();
    await request.execute(ref('107'), 'someone');
    expect(await erase.round()).toBe(1);
    expect(log.told).toEqual(['suppress mark', 'publish 1 2', 'publish 3 2', 'bury 107']);
    expect([listOf('1'), listOf('3'), listOf('2')]).toEqual([['2'], [], ['1']]);
    expect(log.published.map(({ list }) => list.base?.ids)).toEqual([['2'], []]);
    expect(graph.people.has('demo.vk.107')).toBe(false);
    expect([...graph.edges.keys()]).toEqual(['demo.vk.1.2', 'demo.vk.2.4']);
    expect(await receipt('107')).toMatchObject({
      state: 'erasing',
      suppressedAt: 10_000,
      sweptAt: 10_000,
      touched: { people: ['demo.vk.1', 'demo.vk.3'], repeats: [], posts: [] },
      places: { vertex: { doneAt: 10_000 }, edges: { doneAt: 10_000 }, posts: { doneAt: 10_000 } },
    });
  });

  it('sweeps again after the time in which everybody hears of it, finds what came meanwhile, and then waits', async () => {
    const { request, erase, log, exports, clock, observe, listOf, receipt } = await aGraph();
    await request.execute(ref('107'), 'someone');
    await erase.round();
    clock.now = 10_099;
    await erase.round();
    expect((await receipt('107')).sweptAt).toBe(10_000);
    await observe(seen('4', [aList(6, ['107', '2'])]));
    clock.now = 10_100;
    await erase.round();
    expect(listOf('4')).toEqual(['2']);
    // What the first sweep published may have been overtaken in the log by states of before.
    expect(log.told.slice(4)).toEqual(['publish 1 2', 'publish 3 2', 'publish 4 3', 'bury 107']);
    expect(await receipt('107')).toMatchObject({ state: 'erasing', sweptAt: 10_100 });
    expect(exports.purged).toEqual([]);
    clock.now = 10_200;
    await erase.round();
    expect(exports.purged).toEqual(['demo vk']);
    expect(await receipt('107')).toMatchObject({
      state: 'waiting',
      ends: { changes: { '0': 12 } },
      touched: { people: [], repeats: [], posts: [] },
      places: { exports: { doneAt: 10_200 }, queues: { goneBy: 11_200 }, 'change-log': { goneBy: 12_200 } },
    });
  });

  it('ends the keys of posts that went with the person', async () => {
    const { request, erase, log, post, receipt, clock } = await aGraph();
    post('107_1', { ownerKind: 'user', ownerId: '107' });
    post('-5_1', { ownerKind: 'group', ownerId: '5', authorId: '107' });
    post('-107_1', { ownerKind: 'group', ownerId: '107', authorId: '1' });
    await request.execute(ref('107'), 'someone');
    await erase.round();
    expect(log.told.at(-1)).toBe('bury 107 -5_1 107_1');
    expect(log.told.filter((line) => line.startsWith('publish -'))).toEqual([]);
    expect((await receipt('107')).places.posts).toEqual({ doneAt: 10_000 });
    // Whoever had one in hand may have published it after that.
    clock.now = 10_100;
    await erase.round();
    expect(log.told.filter((line) => line.startsWith('bury'))).toEqual(Array(2).fill('bury 107 -5_1 107_1'));
    expect((await receipt('107')).state).toBe('waiting');
  });

  it('ends the keys of posts also when the process dies after it removed them', async () => {
    const { request, erase, log, post, graph } = await aGraph();
    post('107_1', { ownerKind: 'user', ownerId: '107' });
    const bury = log.bury.bind(log);
    log.bury = async () => {
      throw new Error('died');
    };
    await request.execute(ref('107'), 'someone');
    await expect(erase.round()).rejects.toThrow('died');
    expect(graph.communities.things.post.size).toBe(0);
    log.bury = bury;
    await erase.round();
    expect(log.told.at(-1)).toBe('bury 107 107_1');
  });

  it('takes out of posts of others which of the posts they repeat', async () => {
    const { request, erase, log, post, graph, receipt } = await aGraph();
    const content = { ownerKind: 'user', ownerId: '1', text: 'look' };
    post('1_1', { ...content, repostOf: '107_4' });
    post('1_2', { ...content, repostOf: '1070_4' });
    post('1_3', { ...content, repostOf: '-107_4' });
    await request.execute(ref('107'), 'someone');
    await erase.round();
    const contentOf = (id: string) => graph.communities.things.post.get(`demo.vk.${id}`)?.document?.content;
    expect(contentOf('1_1')).toEqual(content);
    expect(contentOf('1_2')).toEqual({ ...content, repostOf: '1070_4' });
    expect(contentOf('1_3')).toEqual({ ...content, repostOf: '-107_4' });
    expect(log.told.filter((line) => line.includes('1_'))).toEqual(['publish 1_1 2']);
    expect(await receipt('107')).toMatchObject({
      state: 'erasing',
      touched: { repeats: ['1_1'], posts: [] },
      places: { posts: { doneAt: 10_000 } },
    });
  });

  it('begins a new one however many wait for the logs, and looks after all of those in turn', async () => {
    const { request, erase, log, clock, receipt } = await aGraph();
    for (let id = 1_000; id < 1_051; id++) await request.execute(ref(String(id)), 'someone');
    for (clock.now of [10_000, 10_100, 10_200, 10_300]) await erase.round();
    expect((await receipt('1050')).state).toBe('waiting');
    await request.execute(ref('107'), 'someone');
    expect(await erase.round()).toBe(52);
    expect(await receipt('107')).toMatchObject({ state: 'erasing', suppressedAt: 10_300 });
    log.told.length = 0;
    clock.now = 10_900;
    await erase.round();
    await erase.round();
    expect(log.told.filter((line) => line.startsWith('look'))).toEqual(['look 50', 'look 2']);
  });

  it('goes on with the others when one cannot be swept, unless a server is away', async () => {
    const { request, erase, log, receipt } = await aGraph();
    const bury = log.bury.bind(log);
    let fault = new Error('too large');
    log.bury = async (person, posts) => {
      if (person.id === '1') throw fault;
      await bury(person, posts);
    };
    await request.execute(ref('1'), 'someone');
    await request.execute(ref('107'), 'someone');
    await expect(erase.round()).rejects.toBe(fault);
    expect(await receipt('107')).toMatchObject({ sweptAt: 10_000 });
    await request.execute(ref('2'), 'someone');
    fault = new DomainError({ code: 'KAFKA.UNAVAILABLE', kind: 'unavailable', message: 'away' });
    await expect(erase.round()).rejects.toBe(fault);
    expect((await receipt('2')).sweptAt).toBeUndefined();
  });

  it('publishes what a sweep wrote that did not live to publish it', async () => {
    const { request, erase, erasures, log } = await aGraph();
    const { id } = await request.execute(ref('107'), 'someone');
    const open = erasures.stored.get(id)!;
    erasures.stored.set(id, {
      ...open,
      suppressedAt: 9_000,
      touched: { people: ['demo.vk.2'], repeats: [], posts: [] },
    });
    await erase.round();
    expect(log.told.slice(0, 2)).toEqual(['publish 2 1', 'publish 1 2']);
  });

  it('publishes the newest state last when somebody writes in between', async () => {
    const { request, erase, log, graph } = await aGraph();
    const publish = log.publish.bind(log);
    log.publish = async (people) => {
      await publish(people);
      const key = 'demo.vk.1';
      const stored = graph.people.get(key)!;
      if (people.some(({ ref: { id }, version }) => id === '1' && version === 2))
        graph.people.set(key, { ...stored, version: 3 });
    };
    await request.execute(ref('107'), 'someone');
    await erase.round();
    expect(log.told.filter((line) => line.startsWith('publish 1'))).toEqual(['publish 1 2', 'publish 1 3']);
  });

  it('writes again whom another writer changed', async () => {
    let refusals = 0;
    const refuse = { now: false };
    const { request, erase, listOf } = await aGraph(() => refuse.now && refusals++ < 2);
    await request.execute(ref('107'), 'someone');
    refuse.now = true;
    await erase.round();
    expect(refusals).toBeGreaterThan(2);
    expect([listOf('1'), listOf('3')]).toEqual([['2'], []]);
  });

  it('looks into the logs at intervals, moves a change log that has not forgotten, and completes when all have', async () => {
    const { request, erase, erasures, log, clock, receipt } = await aGraph();
    await request.execute(ref('107'), 'someone');
    log.findings = { ...log.findings, 'change-log': false };
    for (clock.now of [10_000, 10_100]) await erase.round();
    expect((await receipt('107')).state).toBe('waiting');
    expect(log.told.slice(-2)).toEqual(['look 1', 'nudge 1']);
    const told = log.told.length;
    clock.now = 10_599;
    await erase.round();
    expect(log.told.length).toBe(told);
    log.findings = { ...log.findings, 'change-log': true };
    clock.now = 10_600;
    await erase.round();
    expect(log.told.slice(told)).toEqual(['look 1']);
    expect(await receipt('107')).toMatchObject({ state: 'waiting', personId: '107', checkedAt: 10_600 });
    expect(erasures.compactions).toBe(0);
    // The imports have let go.
    log.findings = { ...log.findings, queues: true };
    clock.now = 11_100;
    await erase.round();
    expect(erasures.compactions).toBe(1);
    expect(await receipt('107')).toMatchObject({
      state: 'complete',
      completedAt: 11_100,
      personId: undefined,
    });
    expect(await erase.round()).toBe(0);
    expect(erasures.compactions).toBe(1);
  });

  it('is complete no sooner than files of logs are gone after the look that found nothing', async () => {
    const { request, erase, erasures, log, clock, receipt } = await aGraph(undefined, 300);
    await request.execute(ref('107'), 'someone');
    for (clock.now of [10_000, 10_100]) await erase.round();
    log.findings = { ...log.findings, queues: true };
    for (clock.now of [11_100, 11_399]) await erase.round();
    expect(await receipt('107')).toMatchObject({ state: 'waiting', personId: undefined, checkedAt: 11_100 });
    expect(erasures.compactions).toBe(0);
    clock.now = 11_400;
    await erase.round();
    expect(await receipt('107')).toMatchObject({ state: 'complete', completedAt: 11_400 });
  });

  it('forgets whom it was about before the files are rewritten, and goes on from there', async () => {
    const { request, erase, erasures, log, clock, receipt } = await aGraph();
    await request.execute(ref('107'), 'someone');
    for (clock.now of [10_000, 10_100]) await erase.round();
    const compact = erasures.compact.bind(erasures);
    erasures.compact = async () => {
      throw new Error('the store is away');
    };
    log.findings = { ...log.findings, queues: true };
    clock.now = 11_100;
    await expect(erase.round()).rejects.toThrow('the store is away');
    expect(await receipt('107')).toMatchObject({ state: 'waiting', personId: undefined });
    erasures.compact = compact;
    clock.now = 11_101;
    await erase.round();
    expect(await receipt('107')).toMatchObject({ state: 'complete', completedAt: 11_101 });
  });

  it('leaves an erasure to the process that was faster', async () => {
    const { request, erase, erasures, log } = await aGraph();
    await request.execute(ref('107'), 'someone');
    const suppress = log.suppress.bind(log);
    log.suppress = async (erasure) => {
      await suppress(erasure);
      await erasures.save({ ...erasure, suppressedAt: 1 }, erasures.stored.get(erasure.id)!.rev);
    };
    await erase.round();
    expect(log.told).toEqual(['suppress mark']);
  });
});

describe('RequestErasure', () => {
  it('answers the same receipt however often it is asked, and wakes the worker', async () => {
    const { request, clock, woken } = await aGraph();
    const first = await request.execute(ref('107'), 'someone');
    expect(first).toMatchObject({ id: 'mark107'.padEnd(32, '0'), requestedBy: 'someone', personId: '107' });
    clock.now += 1;
    expect(await request.execute(ref('107'), 'somebody else')).toMatchObject({
      id: first.id,
      requestedAt: 10_000,
      requestedBy: 'someone',
    });
    expect(woken()).toBe(2);
  });

  it('tells the audit trail who asked, each time, and takes up nothing that the trail cannot have', async () => {
    const { request, audit, erasures, woken } = await aGraph();
    await request.execute(ref('107'), 'someone');
    await request.execute(ref('107'), 'somebody else');
    const target = `person.erase erasure/${'mark107'.padEnd(32, '0')}`;
    expect(audit.told).toEqual([`${target} someone`, `${target} somebody else`]);
    audit.away = new Error('away');
    await expect(request.execute(ref('108'), 'someone')).rejects.toThrow('away');
    expect([erasures.stored.size, woken()]).toEqual([1, 2]);
  });

  it('knows the erasures of the own workspace only, page by page', async () => {
    const { request } = await aGraph();
    for (const id of ['1', '2', '3']) await request.execute(ref(id), 'someone');
    const id = (n: string): string => `mark${n}`.padEnd(32, '0');
    const first = await request.page('demo', { limit: 2, after: undefined });
    expect([first.items.map((one) => one.id), first.next]).toEqual([[id('1'), id('2')], id('2')]);
    const rest = await request.page('demo', { limit: 2, after: first.next });
    expect([rest.items.map((one) => one.id), rest.next]).toEqual([[id('3')], undefined]);
    await expect(request.read('other', id('1'))).rejects.toMatchObject({
      code: 'GRAPH.ERASURE_UNKNOWN',
      kind: 'not-found',
    });
  });
});
