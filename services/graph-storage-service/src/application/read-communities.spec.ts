import { aList, ref, seen, stamp } from '../../test/builders';
import { CommunityQueries, type PostPlace, type SubscriptionPage } from '../domain/query-ports';
import type { PersonRef } from '../domain/observation';
import type { Subscription, SubscriptionList } from '../domain/subscription';
import type { Vertex } from '../domain/vertex';
import { InMemoryChangeLog, InMemoryGraph, InMemoryMeter } from '../infrastructure/in-memory';
import { ApplyObservations } from './apply-observations';
import { Confirmations } from './confirmations';
import { FindPeople, SEARCH_LIMIT_MS } from './find-people';
import { ReadCommunities } from './read-communities';

/** Person 1 is in group 50 and follows page 60 and person 2; group 50 and post 50_1 are stored. */
class FewCommunities extends CommunityQueries {
  edges: [person: string, list: SubscriptionList, target: string][] = [
    ['1', 'groups', '50'],
    ['1', 'pages', '60'],
    ['1', 'people', '2'],
  ];

  async vertex(kind: Vertex['kind'], { id }: PersonRef): Promise<Vertex | undefined> {
    const there = kind === 'group' ? '50' : '50_1';
    return id === there ? { kind, ref: ref(id), version: 1, changedAt: 0, document: undefined } : undefined;
  }

  async subscriptionsOf({ id }: PersonRef, list: SubscriptionList): Promise<SubscriptionPage> {
    return this.#page(([person, of]) => person === id && of === list);
  }

  async subscribersOf({ id }: PersonRef, list: SubscriptionList): Promise<SubscriptionPage> {
    return this.#page(([, of, target]) => target === id && of === list);
  }

  async postsOf({
    ref: { id },
  }: {
    ref: PersonRef;
  }): Promise<{ items: Vertex[]; next: PostPlace | undefined }> {
    const post = await this.vertex('post', ref(`${id}_1`));
    return { items: post ? [post] : [], next: undefined };
  }

  #page(fits: (edge: FewCommunities['edges'][number]) => boolean): SubscriptionPage {
    const items = this.edges.filter(fits).map(([personId, list, targetId]): Subscription => {
      return { key: `${personId}.${list}.${targetId}`, list, personId, targetId, own: stamp(1), since: 1 };
    });
    return { items, next: undefined };
  }
}

async function communities() {
  const graph = new InMemoryGraph();
  const apply = new ApplyObservations(
    graph,
    new InMemoryChangeLog(),
    new InMemoryMeter(),
    new Confirmations(),
    { nowMs: () => 1, monotonicMs: () => 0 },
    { next: () => 0 },
    { wait: async () => {} },
  );
  const people = [seen('3', [aList(1, ['4'])])];
  await apply.execute({ partition: 0, positions: {}, heartbeat: async () => {}, people });
  return new ReadCommunities(new FewCommunities(), graph);
}

const first = { limit: 5, after: undefined };
const NO_PERSON = { code: 'GRAPH.PERSON_UNKNOWN', kind: 'not-found' };
const NO_GROUP = { code: 'GRAPH.GROUP_UNKNOWN', kind: 'not-found' };

describe('ReadCommunities', () => {
  it('finds a group and a post that are stored', async () => {
    const read = await communities();
    expect(await read.group(ref('50'))).toMatchObject({ kind: 'group', ref: ref('50') });
    expect(await read.post(ref('50_1'))).toMatchObject({ kind: 'post' });
    await expect(read.group(ref('51'))).rejects.toMatchObject(NO_GROUP);
    await expect(read.post(ref('50_2'))).rejects.toMatchObject({
      code: 'GRAPH.POST_UNKNOWN',
      kind: 'not-found',
    });
  });

  it.each([
    ['stored', '3', 0],
    ["on a friend's list", '4', 0],
    ['followed', '2', 0],
    ['subscribed to something', '1', 1],
  ])('knows a person who is %s', async (_, id, count) => {
    expect((await (await communities()).subscriptions(ref(id), 'groups', first)).items).toHaveLength(count);
  });

  it('knows a person by each list', async () => {
    const read = await communities();
    for (const list of ['groups', 'pages', 'people'] as const)
      expect((await read.subscriptions(ref('1'), list, first)).items.map((one) => one.list)).toEqual([list]);
    expect((await read.posts({ kind: 'user', ref: ref('1') }, first)).items).toEqual([]);
  });

  it('knows nobody else, and does not ask again behind the first page', async () => {
    const read = await communities();
    await expect(read.subscriptions(ref('9'), 'groups', first)).rejects.toMatchObject(NO_PERSON);
    await expect(read.posts({ kind: 'user', ref: ref('9') }, first)).rejects.toMatchObject(NO_PERSON);
    expect((await read.subscriptions(ref('9'), 'groups', { limit: 5, after: 'x' })).items).toEqual([]);
    const after = { publishedAt: 1, id: 'x' };
    expect((await read.posts({ kind: 'user', ref: ref('9') }, { limit: 5, after })).items).toEqual([]);
  });

  it('knows a group that is stored or on the list of a person', async () => {
    const read = await communities();
    expect((await read.subscribers(ref('50'), 'groups', first)).items).toHaveLength(1);
    expect((await read.subscribers(ref('50'), 'pages', first)).items).toEqual([]);
    expect((await read.subscribers(ref('60'), 'groups', first)).items).toEqual([]);
    expect((await read.posts({ kind: 'group', ref: ref('60') }, first)).items).toEqual([]);
    expect((await read.posts({ kind: 'group', ref: ref('50') }, first)).items).toHaveLength(1);
    await expect(read.subscribers(ref('70'), 'groups', first)).rejects.toMatchObject(NO_GROUP);
    await expect(read.posts({ kind: 'group', ref: ref('70') }, first)).rejects.toMatchObject(NO_GROUP);
    expect((await read.subscribers(ref('70'), 'groups', { limit: 5, after: 'x' })).items).toEqual([]);
  });
});

describe('FindPeople', () => {
  it('gives the store three seconds', async () => {
    const asked: unknown[] = [];
    const find = async (...args: unknown[]) => (asked.push(...args), { items: [], next: undefined });
    await new FindPeople({ find }).execute(ref('x'), { name: 'v' }, first);
    expect(asked).toEqual([ref('x'), { name: 'v' }, { ...first, limitMs: SEARCH_LIMIT_MS }]);
    expect(SEARCH_LIMIT_MS).toBe(3_000);
  });
});
