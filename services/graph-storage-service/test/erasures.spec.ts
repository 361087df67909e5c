import { randomBytes } from 'node:crypto';
import { ArangoMigrations, bulkGet, bulkWrite, connectArango, type Keyed } from '@sociograph/arango';
import { contractServer, type ContractServer } from '@sociograph/arango-embedded';
import { erasureOf, type Erasure } from '../src/domain/erasure';
import type { Vertex } from '../src/domain/vertex';
import { ArangoCommunities } from '../src/infrastructure/arango-communities';
import { ArangoErasures } from '../src/infrastructure/arango-erasures';
import { toMemberList } from '../src/infrastructure/community-documents';
import { MIGRATIONS } from '../src/infrastructure/migrations';
import { aDocument, aPage, ref } from './builders';

jest.setTimeout(60_000);

describe('erasures in ArangoDB (stand-in, one write in five conflicts)', () => {
  const workspaceId = `w${randomBytes(6).toString('hex')}`;
  const person = ref('107', workspaceId);
  let server: ContractServer;
  let db: ReturnType<typeof connectArango>;
  let erasures: ArangoErasures;

  beforeAll(async () => {
    server = await contractServer({ seed: 5, conflictRate: 0.2 });
    db = connectArango(server);
    await new ArangoMigrations(db, 'graph-storage-service', MIGRATIONS).run();
    erasures = new ArangoErasures(db);
  });

  afterAll(async () => {
    db?.close();
    await server?.stop();
  });

  /** Repeats what a server in test mode refuses by chance. */
  async function put(collection: string, documents: Keyed<object>[]): Promise<void> {
    for (let left = documents; left.length > 0;) {
      const { conflicts } = await bulkWrite(db, collection, { puts: left });
      left = left.filter(({ _key }) => conflicts.includes(_key));
    }
  }

  async function store(posts: Record<string, object>): Promise<void> {
    const communities = new ArangoCommunities(db, () => undefined);
    let left: Vertex[] = Object.entries(posts).map(([id, content]) => ({
      kind: 'post',
      ref: ref(id, workspaceId),
      version: 1,
      changedAt: 1,
      document: { ...aDocument(1, 'x'), content: { publishedAt: 1, text: '', ...content } },
    }));
    while (left.length > 0) {
      const { conflicts } = await communities.writeVertices(
        'post',
        left.map((vertex) => ({ vertex, rev: undefined })),
      );
      left = left.filter(({ ref: { id } }) => conflicts.includes(`${workspaceId}.vk.${id}`));
    }
  }

  const stored = async (collection: string, keys: string[]): Promise<string[]> =>
    [...(await bulkGet(db, collection, keys)).keys()].sort();

  it('finds own posts and those that repeat one, and removes them with their edges whatever conflicts', async () => {
    const many = Object.fromEntries(
      Array.from({ length: 40 }, (_, n) => [`107_${n}`, { ownerKind: 'user', ownerId: '107' }]),
    );
    await store({
      ...many,
      '-5_1': { ownerKind: 'group', ownerId: '5', authorId: '107' },
      '1_1': { ownerKind: 'user', ownerId: '1', repostOf: '107_3' },
      '1_2': { ownerKind: 'user', ownerId: '1', repostOf: '107_x_3' },
      '1_3': { ownerKind: 'user', ownerId: '1', repostOf: '-107_3' },
      '1_4': { ownerKind: 'user', ownerId: '1' },
      '-107_1': { ownerKind: 'group', ownerId: '107' },
    });
    const { own, repeating, next } = await erasures.posts(person, undefined);
    expect([...own].sort()).toEqual(['-5_1', ...Object.keys(many)].sort());
    expect(repeating.map(({ ref: { id }, version, rev }) => [id, version, typeof rev])).toEqual([
      ['1_1', 1, 'string'],
    ]);
    expect(next).toBeUndefined();
    expect(await erasures.removePosts(person, own)).toBe(41);
    const keys = [...own, '1_1', '-107_1'].map((id) => `${workspaceId}.vk.${id}`);
    expect(await stored('posts', keys)).toEqual([`${workspaceId}.vk.-107_1`, `${workspaceId}.vk.1_1`]);
    expect(await stored('user_posts', keys)).toEqual([`${workspaceId}.vk.1_1`]);
    expect(await stored('group_posts', keys)).toEqual([`${workspaceId}.vk.-107_1`]);
    expect(await erasures.posts(person, undefined)).toMatchObject({ own: [] });
  });

  it('leaves walks through groups also when no membership leads there', async () => {
    const list = (id: string, ids: string[]) =>
      toMemberList({
        ref: ref(id, workspaceId),
        floor: undefined,
        pages: [aPage('l', 0, 1, ids), aPage('l', 1, 2, ['3'])],
        ends: [],
      });
    const groups = Array.from({ length: 25 }, (_, n) => String(500 + n));
    await put('member_lists', [
      ...groups.map((id) => list(id, ['1', '107', '2'])),
      list('499', ['1070', '7']),
    ]);
    const before = await bulkGet<{ _rev: string }>(db, 'member_lists', [`${workspaceId}.vk.499`]);
    await erasures.removeEdges(person);
    const lists = await bulkGet<{ pages: { ids: string[] }[] }>(
      db,
      'member_lists',
      ['499', ...groups].map((id) => `${workspaceId}.vk.${id}`),
    );
    expect(groups.map((id) => lists.get(`${workspaceId}.vk.${id}`)?.pages.map(({ ids }) => ids))).toEqual(
      groups.map(() => [['1', '2'], ['3']]),
    );
    expect(lists.get(`${workspaceId}.vk.499`)?._rev).toBe(before.get(`${workspaceId}.vk.499`)?._rev);
  });

  it('has every collection compacted that may have held a person, also what exports asked for and were answered', async () => {
    const compacted: string[] = [];
    const collection = (name: string) => ({ compact: async () => void compacted.push(name) });
    await new ArangoErasures({ collection } as never).compact();
    const all = (await db.listCollections()).map(({ name }) => name);
    expect(compacted.filter((name) => !all.includes(name))).toEqual([]);
    expect(all.filter((name) => !compacted.includes(name)).sort()).toEqual(['groups', 'schema_migrations']);
  });

  it('gives erasures by what is to be done about them', async () => {
    const one = (n: number, changes: Partial<Erasure> = {}): Erasure => ({
      ...erasureOf(
        {
          workspaceId,
          network: 'vk',
          mark: `${n}`.padEnd(64, 'a'),
          requestedBy: 'someone',
          personId: `${n}`,
        },
        1_000 - n,
      ),
      ...changes,
    });
    for (const erasure of [
      one(1),
      one(2),
      one(3, { state: 'waiting', checkedAt: 20 }),
      one(4, { state: 'waiting', checkedAt: 10 }),
      one(5, { state: 'waiting' }),
      one(6, { state: 'waiting', personId: undefined }),
      one(7, { state: 'complete', personId: undefined }),
    ])
      await erasures.begin(erasure);
    const first = (found: readonly Erasure[]): string[] => found.map(({ id }) => id.slice(0, 1));
    expect(first(await erasures.erasing(9))).toEqual(['2', '1']);
    expect(first(await erasures.erasing(1))).toEqual(['2']);
    expect(first(await erasures.waiting(9))).toEqual(['5', '4', '3']);
    expect(first(await erasures.waiting(2))).toEqual(['5', '4']);
    expect(first(await erasures.nameless(9))).toEqual(['6']);
    expect(await erasures.open()).toBe(6);
    expect((await erasures.erasing(9)).map(({ rev }) => typeof rev)).toEqual(['string', 'string']);
  });
});
