import { randomBytes } from 'node:crypto';
import { ArangoMigrations, connectArango } from '@sociograph/arango';
import { contractServer, type ContractServer } from '@sociograph/arango-embedded';
import { seeded } from '@sociograph/testing';
import { ApplyObservations, type ObservationBatch } from '../src/application/apply-observations';
import { Confirmations } from '../src/application/confirmations';
import type { CommunityStore, Versioned, WriteOutcome } from '../src/domain/ports';
import type { PeoplePlace } from '../src/domain/query-ports';
import type { Subscription } from '../src/domain/subscription';
import { ArangoCommunities } from '../src/infrastructure/arango-communities';
import { ArangoCommunityQueries } from '../src/infrastructure/arango-community-queries';
import { ArangoGraph } from '../src/infrastructure/arango-graph';
import { ArangoNeighbours } from '../src/infrastructure/arango-neighbours';
import { ArangoPeopleSearch } from '../src/infrastructure/arango-people-search';
import { InMemoryCommunities } from '../src/infrastructure/in-memory-communities';
import { InMemoryChangeLog, InMemoryMeter } from '../src/infrastructure/in-memory';
import { MIGRATIONS } from '../src/infrastructure/migrations';
import { TimerPause } from '../src/infrastructure/timer-pause';
import { aList, anEnd, aPage, IMPORT, ref, stamp } from './builders';

jest.setTimeout(60_000);

function applyTo(db: ReturnType<typeof connectArango>, chance: () => number): ApplyObservations {
  return new ApplyObservations(
    new ArangoGraph(db),
    new InMemoryChangeLog(),
    new InMemoryMeter(),
    new Confirmations(),
    { nowMs: () => 1, monotonicMs: () => 0 },
    { next: chance },
    new TimerPause(),
  );
}

const newWorkspace = (): string => `w${randomBytes(6).toString('hex')}`;

/** Repeats what a server in test mode refuses by chance. */
async function insist(write: () => Promise<WriteOutcome>): Promise<void> {
  for (let tries = 0; tries < 20; tries++) if ((await write()).conflicts.length === 0) return;
  throw new Error('refused twenty times');
}

/** What every store of groups, posts and subscriptions must do. */
function communityContract(make: () => CommunityStore): void {
  const side = { ...stamp(3), ...IMPORT };

  function aSubscription(workspace: string): Subscription {
    const key = `${workspace}.vk.1.groups.5`;
    return { key, list: 'groups', personId: '1', targetId: '5', own: side, since: 3 };
  }

  it('gives back a subscription as it was written, and writes only under the revision that was read', async () => {
    const store = make();
    const one = aSubscription(newWorkspace());
    const read = async (): Promise<Versioned<Subscription> | undefined> =>
      (await store.subscriptions([one.key])).get(one.key);
    await insist(() => store.writeSubscriptions({ create: [one], replace: [], remove: [] }));
    const first = (await read()) as Versioned<Subscription>;
    expect(first).toEqual({ ...one, rev: expect.any(String) as string });
    const both = { ...first, own: undefined, members: side, since: 2 };
    await insist(() => store.writeSubscriptions({ create: [], replace: [both], remove: [] }));
    expect(await read()).toMatchObject({ members: side, since: 2 });
    expect((await read())?.own).toBeUndefined();
    const late = { create: [one], replace: [both], remove: [{ key: one.key, rev: first.rev }] };
    expect(await store.writeSubscriptions(late)).toEqual({
      written: 0,
      conflicts: [one.key, one.key, one.key],
    });
    const { rev } = (await read()) as Versioned<Subscription>;
    await insist(() =>
      store.writeSubscriptions({ create: [], replace: [], remove: [{ key: one.key, rev }] }),
    );
    expect(await read()).toBeUndefined();
  });

  it.each(['group', 'post'] as const)('gives back a %s as it was written', async (kind) => {
    const store = make();
    const workspace = newWorkspace();
    const content = { ownerKind: 'user', ownerId: '1', publishedAt: 9, text: 'Snow' };
    const document = { content, stamp: stamp(3), source: IMPORT };
    const vertex = { kind, ref: ref('1_2', workspace), version: 1, changedAt: 7, document };
    await insist(() => store.writeVertices(kind, [{ vertex, rev: undefined }]));
    const key = `${workspace}.vk.1_2`;
    const stored = (await store.vertices(kind, [key, `${workspace}.vk.1_3`])).get(key);
    expect(stored).toEqual({ ...vertex, rev: expect.any(String) as string });
    const next = { ...vertex, version: 2 };
    expect(await store.writeVertices(kind, [{ vertex: next, rev: undefined }])).toEqual({
      written: 0,
      conflicts: [key],
    });
    await insist(() => store.writeVertices(kind, [{ vertex: next, rev: stored?.rev }]));
    expect((await store.vertices(kind, [key])).get(key)?.version).toBe(2);
  });

  it('gives back pages and ends of walks as they were written', async () => {
    const store = make();
    const workspace = newWorkspace();
    const list = {
      ref: ref('5', workspace),
      floor: stamp(2),
      pages: [aPage('a', 0, 3, ['1', '2'])],
      ends: [anEnd('a', 1, 4)],
    };
    const key = `${workspace}.vk.5`;
    await insist(() => store.writeMemberLists([{ list, rev: undefined }]));
    const stored = (await store.memberLists([key])).get(key);
    expect(stored).toEqual({ ...list, rev: expect.any(String) as string });
    expect((await store.writeMemberLists([{ list, rev: undefined }])).conflicts).toEqual([key]);
    await insist(() => store.writeMemberLists([{ list: { ...list, floor: undefined }, rev: stored?.rev }]));
    expect((await store.memberLists([key])).get(key)?.floor).toBeUndefined();
  });
}

describe('groups, posts and subscriptions in memory', () => {
  communityContract(() => new InMemoryCommunities());
});

describe('groups, posts and subscriptions in ArangoDB (the stand-in in test mode unless a URL is given)', () => {
  let server: ContractServer;
  let db: ReturnType<typeof connectArango>;

  beforeAll(async () => {
    server = await contractServer({ seed: 13, conflictRate: 0.02 });
    db = connectArango(server);
    await new ArangoMigrations(db, 'graph-storage-service', MIGRATIONS).run();
  });

  afterAll(async () => {
    db.close();
    await server.stop();
  });

  communityContract(() => new ArangoCommunities(db, () => undefined));

  it('hangs a post on the wall of its owner', async () => {
    const workspace = newWorkspace();
    const store = new ArangoCommunities(db, () => undefined);
    for (const [ownerKind, id] of [
      ['user', '1_2'],
      ['group', '-1_2'],
    ] as const) {
      const document = { content: { ownerKind, ownerId: '1' }, stamp: stamp(3), source: IMPORT };
      const vertex = { kind: 'post' as const, ref: ref(id, workspace), version: 1, changedAt: 7, document };
      await insist(() => store.writeVertices('post', [{ vertex, rev: undefined }]));
      const wall = await db.collection(`${ownerKind}_posts`).document(`${workspace}.vk.${id}`);
      expect(wall).toMatchObject({
        _from: `${ownerKind}s/${workspace}.vk.1`,
        _to: `posts/${workspace}.vk.${id}`,
      });
    }
  });

  it.each([1, 2])(
    'ends in the same memberships however looks are shuffled and repeated (seed %i)',
    async (seed) => {
      const random = seeded(seed);
      const chance = (): number => random.next();
      const looks = Array.from({ length: 16 }, (_, i) => aLook(i + 1, chance));
      const clean = await membersAfter(looks, chance);
      expect(clean.length).toBeGreaterThan(0);
      const wild = [...looks, ...looks]
        .map((look) => ({ look, by: chance() }))
        .sort((a, b) => a.by - b.by)
        .map(({ look }) => look);
      expect(await membersAfter(wild, chance)).toEqual(clean);
    },
  );

  it('answers questions about people, page by page', async () => {
    const workspace = newWorkspace();
    const of = (id: string) => ref(id, workspace);
    const person = (id: string, firstName: string, lists: ReturnType<typeof aList>[]) => {
      const content = { state: 'active', profile: { firstName, lastName: 'Lind', city: 'Riga' } };
      return { ref: of(id), seen: { lists, documents: [{ content, stamp: stamp(1), source: IMPORT }] } };
    };
    const post = (number: number, publishedAt: number) => {
      const content = { ownerKind: 'user', ownerId: '1', publishedAt, text: '' };
      return {
        kind: 'post' as const,
        ref: of(`1_${number}`),
        documents: [{ content, stamp: stamp(1), source: IMPORT }],
      };
    };
    await applyTo(db, () => 0.5).execute({
      partition: 0,
      positions: {},
      heartbeat: async () => {},
      people: [
        person('1', 'Vera', [aList(10, ['2', '3']), aList(20, ['2'])]),
        person('2', 'vera', [aList(10, ['1'])]),
        person('4', 'Verena', []),
      ],
      vertices: [post(1, 5), post(2, 5), post(3, 9)],
    });
    const search = new ArangoPeopleSearch(db);
    const found: string[] = [];
    for (let after: PeoplePlace | undefined, pages = 0; pages < 9; pages++) {
      const page = await search.find(of(''), { name: 'VER' }, { limit: 1, after, limitMs: 5_000 });
      found.push(...page.items.map(({ id }) => id));
      if (!page.next) break;
      after = page.next;
    }
    expect(found).toEqual(['1', '2', '4']);
    for (const filter of [{}, { city: 'riga' }, { lastName: 'lind', state: 'active' }]) {
      const page = await search.find(of(''), filter, { limit: 9, after: undefined, limitMs: 5_000 });
      expect(page.items.map(({ id }) => id).sort()).toEqual(['1', '2', '4']);
    }
    const posts = new ArangoCommunityQueries(db);
    const owner = { kind: 'user' as const, ref: of('1') };
    const wall = await posts.postsOf(owner, { limit: 2, after: undefined });
    expect(wall.items.map(({ ref: { id } }) => id)).toEqual(['1_3', '1_2']);
    const rest = await posts.postsOf(owner, { limit: 2, after: wall.next });
    expect([rest.items.map(({ ref: { id } }) => id), rest.next]).toEqual([['1_1'], undefined]);
    const neighbours = new ArangoNeighbours(db);
    const near = await neighbours.of(of(''), ['1', '2', '9'], { limitMs: 5_000 });
    expect([...near].map(([id, { name, friends }]) => [id, name, [...friends]]).sort()).toEqual([
      ['1', 'Vera Lind', ['2']],
      ['2', 'vera Lind', ['1']],
    ]);
    const then = await neighbours.of(of(''), ['1'], { limitMs: 5_000, at: 10 });
    expect([...(then.get('1')?.friends ?? [])].sort()).toEqual(['2']);
    expect((await neighbours.of(of(''), ['1'], { limitMs: 5_000, at: 9 })).get('1')?.friends).toEqual([]);
  });

  type Look = (workspace: string) => Partial<ObservationBatch>;

  /** A person's own list of groups, or a walk through the members of group 50, whole or not. */
  function aLook(at: number, chance: () => number): Look {
    const ids = ['1', '2', '3', '4', '5'].filter(() => chance() < 0.5);
    const person = String(1 + Math.floor(chance() * 5));
    const own = chance() < 0.5;
    const joined = chance() < 0.5 ? ['50'] : [];
    const ended = chance() < 0.7 ? [anEnd(`walk-${at}`, 1, at * 10 + 1)] : [];
    return (workspace) => {
      if (own) {
        const list = { ...aList(at * 10, joined), list: 'groups' as const };
        const seen = { lists: [], documents: [], subscriptions: [list] };
        return { people: [{ ref: ref(person, workspace), seen }] };
      }
      const seen = { pages: [aPage(`walk-${at}`, 0, at * 10, ids)], ends: ended, gone: [] };
      return { members: [{ ref: ref('50', workspace), seen }] };
    };
  }

  async function membersAfter(looks: readonly Look[], chance: () => number): Promise<string[]> {
    const workspace = newWorkspace();
    const apply = applyTo(db, chance);
    for (const look of looks)
      await apply.execute({
        partition: 0,
        people: [],
        positions: {},
        heartbeat: async () => {},
        ...look(workspace),
      });
    const place = { limit: 100, after: undefined };
    const { items } = await new ArangoCommunityQueries(db).subscribersOf(
      ref('50', workspace),
      'groups',
      place,
    );
    return items.map(
      ({ personId, own, members }) => `${personId}${own ? ' own' : ''}${members ? ' members' : ''}`,
    );
  }
});
