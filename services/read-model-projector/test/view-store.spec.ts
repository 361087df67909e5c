import { connectArango, ensureCollection } from '@sociograph/arango';
import type { Database } from 'arangojs';
import { ArangoViewStore, COLLECTIONS, type ViewCollections } from '../src/infrastructure/arango-view-store';
import { ensureTokenIndex } from '../src/infrastructure/view-migrations';
import { InMemoryViewStore } from '../src/infrastructure/in-memory';
import type { ProfileRow, SearchQuestion, SearchRow, SummaryRow, ViewStore } from '../src/projections/ports';
import { searchable, tokensOf, wantedOf, wordsOf } from '../src/projections/search-text';
import { type OwnStore, ownStore, unique } from './servers';

jest.setTimeout(120_000);

describe.each(['InMemoryViewStore', 'ArangoViewStore'])('%s', (kind) => {
  let own: OwnStore | undefined;
  let db: Database | undefined;
  let store: ViewStore;
  let names: ViewCollections;

  beforeEach(async () => {
    if (kind === 'InMemoryViewStore') {
      store = new InMemoryViewStore();
      return;
    }
    own ??= await ownStore();
    db = own.db;
    names = ownNames();
    for (const name of Object.values(names)) await ensureCollection(db, name, 'document');
    await ensureTokenIndex(db, names.search);
    store = new ArangoViewStore(db, names);
  });

  afterEach(async () => {
    if (db !== undefined) for (const name of Object.values(names)) await db.collection(name).drop();
  });

  afterAll(() => own?.stop());

  it('gives back whole rows as they were written', async () => {
    await store.writeProfiles([profile('1'), profile('2')]);
    await store.writeSummaries([summary]);
    expect(await store.profile('demo.vk.1')).toEqual(profile('1'));
    expect(await store.summary('demo.vk')).toEqual(summary);
    expect(await store.profile('demo.vk.3')).toBeUndefined();
    expect(await store.summary('other.vk')).toBeUndefined();
  });

  it('counts the people of each workspace over its networks', async () => {
    expect(await store.people()).toEqual(new Map());
    await store.writeSummaries([
      summary,
      { ...summary, key: 'demo.ok', network: 'ok', users: 4 },
      { ...summary, key: 'other.vk', workspaceId: 'other', users: 5 },
    ]);
    expect(await store.people()).toEqual(
      new Map([
        ['demo', 7],
        ['other', 5],
      ]),
    );
  });

  it('replaces a row as a whole: what the new one lacks is gone', async () => {
    await store.writeProfiles([
      { ...profile('1'), profile: { firstName: 'A', lastName: 'B', city: 'Omsk' } },
    ]);
    await store.writeProfiles([profile('1')]);
    expect(await store.profile('demo.vk.1')).toEqual(profile('1'));
  });

  it('gives many rows at once, those that there are', async () => {
    await store.writeProfiles([profile('1'), profile('2')]);
    const found = await store.profilesOf(['demo.vk.2', 'demo.vk.404', 'demo.vk.1']);
    expect([...found.keys()].sort()).toEqual(['demo.vk.1', 'demo.vk.2']);
    expect(found.get('demo.vk.2')).toEqual(profile('2'));
    expect((await store.profilesOf([])).size).toBe(0);
  });

  it('writes and removes more rows than conflicts can stop', async () => {
    const rows = Array.from({ length: 1500 }, (_, i) => profile(String(i)));
    await store.writeProfiles(rows);
    await store.writeProfiles(rows.map((row) => ({ ...row, degree: 9 })));
    expect((await store.profile('demo.vk.1499'))?.degree).toBe(9);
    await store.removeProfiles(rows.slice(0, 1000).map(({ key }) => key));
    await store.removeProfiles(rows.slice(0, 1000).map(({ key }) => key));
    expect(await store.profile('demo.vk.999')).toBeUndefined();
    expect(await store.profile('demo.vk.1000')).toBeDefined();
  });

  it('lets a fence be claimed once, and none below it', async () => {
    expect(await store.highestFence()).toBe(0);
    await store.claim(3);
    expect(await store.highestFence()).toBe(3);
    await expect(store.claim(3)).rejects.toMatchObject({ code: 'VIEWS.WRITER_SUPERSEDED', kind: 'conflict' });
    await expect(store.claim(2)).rejects.toMatchObject({ code: 'VIEWS.WRITER_SUPERSEDED' });
    await store.claim(4);
    expect(await store.highestFence()).toBe(4);
  });

  it('removes rows of lower fences, in both views, however many', async () => {
    const old = Array.from({ length: 2100 }, (_, i) => profile(String(i)));
    await store.writeProfiles(old);
    await store.writeSummaries([summary, { ...summary, key: 'new.vk', writer: 2 }]);
    await store.writeProfiles([{ ...profile('7'), writer: 2 }]);
    await store.removeOlderThan(2);
    expect(await store.profile('demo.vk.7')).toBeDefined();
    expect(await store.profile('demo.vk.2099')).toBeUndefined();
    expect(await store.profile('demo.vk.0')).toBeUndefined();
    expect(await store.summary('demo.vk')).toBeUndefined();
    expect(await store.summary('new.vk')).toBeDefined();
  });
});

describe.each(['InMemoryViewStore', 'ArangoViewStore'])('rows beside people in %s', (kind) => {
  let own: OwnStore | undefined;
  let db: Database | undefined;
  let store: ViewStore;
  let names: ViewCollections;

  beforeEach(async () => {
    store = new InMemoryViewStore();
    if (kind === 'InMemoryViewStore') return;
    own ??= await ownStore();
    db = own.db;
    names = ownNames();
    for (const name of Object.values(names)) await ensureCollection(db, name, 'document');
    await ensureTokenIndex(db, names.search);
    store = new ArangoViewStore(db, names);
  });

  afterEach(async () => {
    if (db !== undefined) for (const name of Object.values(names)) await db.collection(name).drop();
  });

  afterAll(() => own?.stop());

  it('are given back as they were written, and gone when they are removed', async () => {
    const group = {
      key: 'demo.vk.7',
      workspaceId: 'demo',
      network: 'vk',
      id: '7',
      observedAt: 1,
      writer: 1,
      writtenAt: 2,
    };
    const rows = [
      { ...group, state: 'active' as const, profile: { name: 'Chess' } },
      { ...group, key: 'demo.vk.8', id: '8', state: 'banned' as const, profile: { name: 'Go' } },
    ];
    await store.writeRows('groups', rows);
    expect([...(await store.rowsOf('groups', ['demo.vk.7', 'none', 'demo.vk.8'])).values()]).toEqual(rows);
    await store.removeRows('groups', ['demo.vk.7', 'none']);
    expect([...(await store.rowsOf('groups', ['demo.vk.7', 'demo.vk.8'])).keys()]).toEqual(['demo.vk.8']);
    expect((await store.rowsOf('groups', [])).size).toBe(0);
    await store.removeOlderThan(2);
    expect((await store.rowsOf('groups', ['demo.vk.8'])).size).toBe(0);
  });

  const search = (id: string, text: string, details: Partial<SearchRow> = {}): SearchRow => {
    const row = { graph: 'demo.vk', kind: 'user' as const, id, at: 0, writer: 1, writtenAt: 1, ...details };
    const words = wordsOf(text);
    const key = `${row.graph}.${row.kind}.${id}`;
    return { ...row, key, text: searchable(words), tokens: tokensOf(row.graph, words) };
  };
  const found = async (query: string, asked: Partial<SearchQuestion> = {}): Promise<string[]> => {
    const question = { graph: 'demo.vk', kind: 'user' as const, limit: 10, ...asked };
    const rows = await store.search({ ...question, ...wantedOf(question.graph, query)! });
    return rows.map(({ id }) => id);
  };

  it('find words by their beginnings, all of them, in one graph and of one kind', async () => {
    await store.writeRows('search', [
      search('1', 'Артём Александров'),
      search('2', 'Artem Alexandrov y'),
      search('3', 'Александра Ёлкина'),
      search('4', 'Артем', { graph: 'other.vk' }),
      search('5', 'Артем', { kind: 'post' }),
    ]);
    expect(await found('артем')).toEqual(['1']);
    expect(await found('АЛЕКСАНДР')).toEqual(['1', '3']);
    expect(await found('александра')).toEqual(['3']);
    expect(await found('елк алек')).toEqual(['3']);
    expect(await found('елк арт')).toEqual([]);
    expect(await found('y')).toEqual(['2']);
    expect(await found('a')).toEqual([]);
    expect(await found('арт', { graph: 'other.vk' })).toEqual(['4']);
    expect(await found('арт', { kind: 'post' })).toEqual(['5']);
    await store.writeRows('search', [search('1', 'Пётр')]);
    expect([await found('артем'), await found('петр')]).toEqual([[], ['1']]);
    await store.removeRows('search', ['demo.vk.user.1']);
    expect(await found('петр')).toEqual([]);
  });

  it('come newest first, then by key, and go on behind the last one', async () => {
    const rows = [5, 7, 7, 9, 1].map((at, i) => search(`${i}`, 'снег', { kind: 'post', at }));
    await store.writeRows('search', rows);
    expect(await found('снег', { kind: 'post' })).toEqual(['3', '1', '2', '0', '4']);
    expect(await found('снег', { kind: 'post', limit: 2 })).toEqual(['3', '1']);
    const after = { at: 7, key: 'demo.vk.post.1' };
    expect(await found('снег', { kind: 'post', limit: 2, after })).toEqual(['2', '0']);
  });

  it.each(["' || true //", '" RETURN 1', '@token', '${1}', '\u0000x', '*/ REMOVE row IN search'])(
    'take what looks like a query for words: %p',
    async (query) => {
      await store.writeRows('search', [search('1', 'Vera')]);
      if (wantedOf('demo.vk', query) !== undefined) expect(await found(query)).toEqual([]);
      expect(await found('vera')).toEqual(['1']);
    },
  );
});

describe('ArangoViewStore without a server', () => {
  it('says that the store is away', async () => {
    const db = connectArango({ url: 'http://127.0.0.1:1', database: 'views', username: 'u', password: 'p' });
    const store = new ArangoViewStore(db);
    await expect(store.writeSummaries([summary])).rejects.toMatchObject({ kind: 'unavailable' });
    await expect(store.highestFence()).rejects.toMatchObject({ kind: 'unavailable' });
    db.close();
  });
});

function ownNames(): ViewCollections {
  const prefix = unique('spec');
  const names = Object.entries(COLLECTIONS).map(([kind, name]) => [kind, `${prefix}-${name}`] as const);
  return Object.fromEntries(names) as unknown as ViewCollections;
}

const summary: SummaryRow = {
  key: 'demo.vk',
  workspaceId: 'demo',
  network: 'vk',
  users: 3,
  friendships: 3,
  triangles: 1,
  wedges: 3,
  averageClustering: 1,
  transitivity: 1,
  closedTriangleFraction: 1,
  components: 1,
  largestComponent: 3,
  degreeDistribution: [[2, 3]],
  writer: 1,
  writtenAt: 5,
};

function profile(id: string): ProfileRow {
  return {
    key: `demo.vk.${id}`,
    workspaceId: 'demo',
    network: 'vk',
    id,
    state: 'active',
    profile: { firstName: 'A', lastName: 'B' },
    observedAt: 1,
    degree: 2,
    triangles: 1,
    localClustering: 1,
    lists: { groups: { ids: ['7'], total: 9 } },
    lastPosts: ['1_2'],
    writer: 1,
    writtenAt: 5,
  };
}
