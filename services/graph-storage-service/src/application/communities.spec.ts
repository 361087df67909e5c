import { seededChance } from '@sociograph/testing';
import { aList, anEnd, aPage, IMPORT, ref, stamp } from '../../test/builders';
import type { ListObservation } from '../domain/observation';
import type { SubscriptionObservation } from '../domain/person';
import type { SubscriptionList } from '../domain/subscription';
import { InMemoryChangeLog, InMemoryGraph, InMemoryMeter } from '../infrastructure/in-memory';
import { ApplyObservations, type ObservationBatch, type SeenPerson } from './apply-observations';
import type { SeenGroup } from './apply-members';
import type { SeenVertex } from './apply-vertices';
import { Confirmations } from './confirmations';

function aService(refuse: () => boolean = () => false) {
  const graph = new InMemoryGraph(refuse);
  const log = new InMemoryChangeLog();
  const meter = new InMemoryMeter();
  const waits: number[] = [];
  let heartbeats = 0;
  const apply = new ApplyObservations(
    graph,
    log,
    meter,
    new Confirmations(),
    { nowMs: () => 7_000, monotonicMs: () => 0 },
    { next: () => 0.5 },
    { wait: async (ms) => void waits.push(ms) },
  );
  const execute = (batch: Partial<ObservationBatch>) =>
    apply.execute({
      partition: 0,
      people: [],
      positions: {},
      heartbeat: async () => void (heartbeats += 1),
      ...batch,
    });
  const { communities } = graph;
  const edges = (): string[] =>
    [...communities.edges.values()].map(
      ({ key, own, members }) => `${key}${own ? ' own' : ''}${members ? ' members' : ''}`,
    );
  return { graph, communities, log, meter, waits, execute, edges, heartbeats: () => heartbeats };
}

function subscribes(
  id: string,
  list: SubscriptionList,
  at: number,
  ids: string[],
  kind: ListObservation['kind'] = 'complete',
): SeenPerson {
  const one: SubscriptionObservation = { ...aList(at, ids, kind), list };
  return { ref: ref(id), seen: { lists: [], documents: [], subscriptions: [one] } };
}

function walk(id: string, listId: string, at: number, pages: string[][], ended = true): SeenGroup {
  return {
    ref: ref(id),
    seen: {
      pages: pages.map((ids, part) => aPage(listId, part, at + part, ids)),
      ends: ended ? [anEnd(listId, pages.length, at + pages.length)] : [],
      gone: [],
    },
  };
}

function look(kind: 'group' | 'post', id: string, at: number, name: string): SeenVertex {
  return { kind, ref: ref(id), documents: [{ content: { name }, stamp: stamp(at), source: IMPORT }] };
}

describe('lists of subscriptions', () => {
  it('are stored as one edge each, with what saw it, and published with the person', async () => {
    const { execute, edges, communities, log, meter } = aService();
    await execute({ people: [subscribes('1', 'groups', 3, ['5', '6'])] });
    await execute({ people: [subscribes('1', 'pages', 4, ['5'])] });
    await execute({ people: [subscribes('1', 'people', 5, ['2'])] });
    expect(edges()).toEqual([
      'demo.vk.1.groups.5 own',
      'demo.vk.1.groups.6 own',
      'demo.vk.1.pages.5 own',
      'demo.vk.1.people.2 own',
    ]);
    expect(communities.edges.get('demo.vk.1.pages.5')).toMatchObject({
      list: 'pages',
      personId: '1',
      targetId: '5',
      own: { ...stamp(4), importId: 'import-1', callId: 'call-4', keyId: 'key-1' },
      since: 4,
    });
    const [last] = log.batches.at(-1)?.changes ?? [];
    expect(last).toMatchObject({
      version: 3,
      subscriptions: {
        groups: { base: { ids: ['5', '6'] } },
        pages: { base: { ids: ['5'] } },
        people: { base: { ids: ['2'] } },
      },
    });
    expect(meter.counts).toEqual({
      'subscriptions applied': 3,
      'subscriptions created': 4,
      'published change': 3,
    });
  });

  it('take back what a newer whole list lacks, and nothing for a partial, private or late one', async () => {
    const { execute, edges, meter } = aService();
    await execute({ people: [subscribes('1', 'groups', 3, ['5', '6'])] });
    await execute({ people: [subscribes('1', 'groups', 4, ['7'], 'partial')] });
    await execute({ people: [subscribes('1', 'groups', 5, [], 'nothing')] });
    await execute({ people: [subscribes('1', 'groups', 2, ['9'])] });
    expect(edges()).toEqual(['demo.vk.1.groups.5 own', 'demo.vk.1.groups.6 own', 'demo.vk.1.groups.7 own']);
    await execute({ people: [subscribes('1', 'groups', 6, ['6'])] });
    expect(edges()).toEqual(['demo.vk.1.groups.6 own']);
    await execute({ people: [subscribes('1', 'groups', 7, [], 'deleted')] });
    expect(edges()).toEqual([]);
    expect(meter.counts).toMatchObject({ 'subscriptions removed': 3, 'subscriptions late': 1 });
  });

  it('cost no write when they are unchanged, and still decide that an older one is late', async () => {
    const { execute, communities, graph, meter, log } = aService();
    await execute({ people: [subscribes('1', 'groups', 3, ['5'])] });
    const before = [communities.writes, graph.writes.people];
    await execute({ people: [subscribes('1', 'groups', 9, ['5'])] });
    await execute({ people: [subscribes('1', 'groups', 6, ['7'])] });
    expect([communities.writes, graph.writes.people]).toEqual(before);
    expect(meter.counts).toMatchObject({ 'subscriptions unchanged': 1, 'subscriptions late': 1 });
    expect(log.batches.map(({ changes }) => changes.length)).toEqual([1, 0, 0]);
  });

  it('publish again what is stored when the same look returns', async () => {
    const { execute, log } = aService();
    const batch = { people: [subscribes('1', 'groups', 3, ['5'])] };
    await execute(batch);
    await execute(batch);
    expect(log.batches.map(({ changes }) => changes.map(({ version }) => version))).toEqual([[1], [1]]);
  });

  it('take back what a list of the same batch had that a crash may have left', async () => {
    const { execute, communities, edges } = aService();
    const left = { key: 'demo.vk.1.groups.8', list: 'groups' as const, personId: '1', targetId: '8' };
    await communities.writeSubscriptions({
      create: [{ ...left, own: stamp(1), since: 1 }],
      replace: [],
      remove: [],
    });
    const [early] = [subscribes('1', 'groups', 1, ['8'])];
    const both = subscribes('1', 'groups', 2, ['5']);
    const subscriptions = [...(early?.seen.subscriptions ?? []), ...(both.seen.subscriptions ?? [])];
    await execute({ people: [{ ref: ref('1'), seen: { lists: [], documents: [], subscriptions } }] });
    expect(edges()).toEqual(['demo.vk.1.groups.5 own']);
  });
});

describe('walks through members', () => {
  it('are the other side of a membership', async () => {
    const { execute, edges, communities, meter, log } = aService();
    await execute({ people: [subscribes('1', 'groups', 3, ['5'])] });
    await execute({ members: [walk('5', 'a', 10, [['1', '2'], ['3']])] });
    expect(edges()).toEqual([
      'demo.vk.1.groups.5 own members',
      'demo.vk.2.groups.5 members',
      'demo.vk.3.groups.5 members',
    ]);
    expect(communities.edges.get('demo.vk.3.groups.5')?.members).toMatchObject({
      ...stamp(11),
      callId: 'call-11',
    });
    await execute({ people: [subscribes('1', 'groups', 20, [])] });
    expect(edges()[0]).toBe('demo.vk.1.groups.5 members');
    await execute({ members: [walk('5', 'b', 30, [['2']])] });
    expect(edges()).toEqual(['demo.vk.2.groups.5 members']);
    expect(meter.counts).toMatchObject({
      'subscriptions created': 3,
      'subscriptions changed': 2,
      'subscriptions removed': 2,
      'members applied': 5,
      'published marker': 2,
    });
    expect(log.batches.map(({ changes }) => changes.length)).toEqual([1, 0, 1, 0]);
  });

  it('conclude no absence from pages alone', async () => {
    const { execute, edges } = aService();
    await execute({ members: [walk('5', 'a', 10, [['1', '2']])] });
    await execute({ members: [walk('5', 'b', 20, [['2', '3']], false)] });
    expect(edges().length).toBe(3);
    await execute({ members: [{ ref: ref('5'), seen: { pages: [], ends: [anEnd('b', 1, 22)], gone: [] } }] });
    expect(edges()).toEqual(['demo.vk.2.groups.5 members', 'demo.vk.3.groups.5 members']);
  });

  it('write nothing when a whole walk finds the same members, and know that an older page is late', async () => {
    const { execute, communities, meter, edges } = aService();
    await execute({ members: [walk('5', 'a', 10, [['1', '2']])] });
    const { writes } = communities;
    await execute({ members: [walk('5', 'b', 20, [['2'], ['1']])] });
    await execute({ members: [walk('5', 'c', 15, [['9']], false)] });
    expect(communities.writes).toBe(writes);
    expect(meter.counts).toMatchObject({ 'members applied': 2, 'members unchanged': 3 });
    await execute({ members: [walk('5', 'd', 30, [['1']])] });
    expect(edges()).toEqual(['demo.vk.1.groups.5 members']);
    await execute({ members: [walk('5', 'e', 40, [['1', '4']])] });
    expect(edges()).toHaveLength(2);
  });

  it('end with the group', async () => {
    const { execute, edges } = aService();
    await execute({ members: [walk('5', 'a', 10, [['1']])] });
    await execute({ members: [{ ref: ref('5'), seen: { pages: [], ends: [], gone: [stamp(20)] } }] });
    expect(edges()).toEqual([]);
  });
});

describe('groups and posts', () => {
  it('are stored and published as they were seen last', async () => {
    const { execute, communities, log, meter } = aService();
    await execute({ vertices: [look('group', '5', 3, 'Chess'), look('post', '1_2', 3, 'Snow')] });
    await execute({ vertices: [look('group', '5', 2, 'Old')] });
    await execute({ vertices: [look('group', '5', 9, 'Chess')] });
    await execute({ vertices: [look('group', '5', 5, 'Late')] });
    await execute({ vertices: [look('group', '5', 10, 'Go')] });
    expect(communities.things.group.get('demo.vk.5')).toMatchObject({
      kind: 'group',
      version: 2,
      changedAt: 7_000,
      document: { content: { name: 'Go' }, stamp: stamp(10) },
    });
    expect(communities.things.post.get('demo.vk.1_2')).toMatchObject({ kind: 'post', version: 1 });
    expect(
      log.batches.map(({ vertices }) => vertices.map(({ kind, version }) => `${kind} ${version}`)),
    ).toEqual([['group 1', 'post 1'], [], [], [], ['group 2']]);
    expect(meter.counts).toEqual({
      'group applied': 2,
      'group late': 2,
      'group unchanged': 1,
      'post applied': 1,
      'published change': 3,
      'published marker': 3,
    });
  });

  it('are written again when another writer was faster, waiting longer each time', async () => {
    let refusals = 3;
    const { execute, communities, waits, meter } = aService(() => refusals-- > 0);
    await execute({ vertices: [look('group', '5', 3, 'Chess')], members: [walk('5', 'a', 1, [['1']])] });
    expect(communities.things.group.get('demo.vk.5')?.version).toBe(1);
    expect(waits).toEqual([7.5, 15, 30]);
    expect(meter.counts['conflicts vertex']).toBe(3);
  });

  it.each([
    ['vertices', { vertices: [look('group', '5', 3, 'Chess')] }],
    ['members', { members: [walk('5', 'a', 1, [['1']])] }],
    ['people', { people: [subscribes('1', 'groups', 3, ['5'])] }],
  ])('are given up, to be repeated as a batch, after twelve tries: %s', async (_, batch) => {
    const { execute, waits } = aService(() => true);
    await expect(execute(batch)).rejects.toMatchObject({ code: 'GRAPH.TOO_CONTENDED', kind: 'unavailable' });
    expect(waits).toHaveLength(11);
  });
});

const SEEDS = 20;

type Item = { people: SeenPerson } | { members: SeenGroup };

/** Two groups, six people: looks at own lists, pages and ends of walks, in time. */
function items(random: () => number): Item[] {
  const some = (): string[] => ['1', '2', '3', '4', '5', '6'].filter(() => random() < 0.4);
  return Array.from({ length: 14 }, (_, i) => {
    const at = (i + 1) * 10;
    const group = random() < 0.5 ? '50' : '60';
    if (random() < 0.4) {
      const kind = random() < 0.7 ? 'complete' : 'partial';
      const ids = ['50', '60'].filter(() => random() < 0.5);
      return [{ people: subscribes(String(1 + Math.floor(random() * 6)), 'groups', at, ids, kind) }];
    }
    const pages = Array.from({ length: Math.floor(random() * 3) }, some);
    const { ref: of, seen } = walk(group, `walk-${i}`, at, pages, random() < 0.7);
    return [
      ...seen.pages.map((page) => ({ members: { ref: of, seen: { pages: [page], ends: [], gone: [] } } })),
      ...seen.ends.map((end) => ({ members: { ref: of, seen: { pages: [], ends: [end], gone: [] } } })),
    ];
  }).flat();
}

function shuffled<T>(all: readonly T[], random: () => number): T[] {
  return all
    .map((item) => ({ item, by: random() }))
    .sort((a, b) => a.by - b.by)
    .map(({ item }) => item);
}

async function stateAfter(stream: readonly Item[], random: () => number, conflictRate: number) {
  const { execute, edges } = aService(() => random() < conflictRate);
  for (let at = 0; at < stream.length;) {
    const batch = stream.slice(at, (at += 1 + Math.floor(random() * 6)));
    const people = new Map<string, SubscriptionObservation[]>();
    const members = new Map<string, SeenGroup['seen'][]>();
    for (const item of batch) {
      const [into, id, value] =
        'people' in item
          ? [people, item.people.ref.id, item.people.seen.subscriptions ?? []]
          : [members, item.members.ref.id, [item.members.seen]];
      (into as Map<string, unknown[]>).set(id, [...(into.get(id) ?? []), ...value]);
    }
    await execute({
      people: [...people].map(([id, subscriptions]) => ({
        ref: ref(id),
        seen: { lists: [], documents: [], subscriptions },
      })),
      members: [...members].map(([id, seen]) => ({
        ref: ref(id),
        seen: {
          pages: seen.flatMap(({ pages }) => pages),
          ends: seen.flatMap(({ ends }) => ends),
          gone: [],
        },
      })),
    });
  }
  return edges().sort();
}

/** What the rules say in plain words, without any of the service's code. */
function expected(all: readonly Item[]): string[] {
  const sides = new Map<string, string[]>();
  const put = (person: string, group: string, side: string): void => {
    const key = `demo.vk.${person}.groups.${group}`;
    sides.set(key, [...(sides.get(key) ?? []), side]);
  };
  for (let person = 1; person <= 6; person++) {
    const lists = all.flatMap((item) =>
      'people' in item && item.people.ref.id === String(person) ? (item.people.seen.subscriptions ?? []) : [],
    );
    const whole = lists.filter(({ kind }) => kind === 'complete').at(-1);
    const later = lists.filter(
      ({ kind, stamp: { observedAt } }) => kind === 'partial' && observedAt > (whole?.stamp.observedAt ?? 0),
    );
    for (const id of new Set([...(whole?.ids ?? []), ...later.flatMap(({ ids }) => ids)]))
      put(String(person), id, ' own');
  }
  for (const group of ['50', '60']) {
    const seen = all.flatMap((item) =>
      'members' in item && item.members.ref.id === group ? [item.members.seen] : [],
    );
    const pages = seen.flatMap((one) => one.pages);
    const floor = Math.max(
      0,
      ...seen
        .flatMap(({ ends }) => ends)
        .map(({ listId, parts, stamp: { observedAt } }) => {
          const own = pages.filter((page) => page.listId === listId).map((page) => page.stamp.observedAt);
          return parts === 0 ? observedAt : Math.min(...own);
        }),
    );
    const there = pages.filter((page) => page.stamp.observedAt >= floor).flatMap(({ ids }) => ids);
    for (const id of new Set(there)) put(id, group, ' members');
  }
  return [...sides].map(([key, own]) => `${key}${own.join('')}`).sort();
}

describe('whatever the order, number and grouping of looks at memberships', () => {
  it.each(Array.from({ length: SEEDS }, (_, i) => i + 1))(
    'the stored state is the same (seed %i)',
    async (seed) => {
      const random = seededChance(seed);
      const all = items(random);
      const clean = expected(all);
      expect(await stateAfter(all, random, 0)).toEqual(clean);
      for (let variant = 0; variant < 4; variant++) {
        const fivefold = shuffled([...all, ...all, ...all, ...all, ...all], random);
        expect(await stateAfter(fivefold, random, 0)).toEqual(clean);
        expect(await stateAfter(shuffled(all, random), random, 0.1)).toEqual(clean);
      }
    },
  );
});
