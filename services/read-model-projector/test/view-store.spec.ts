import { connectArango, ensureCollection } from '@sociograph/arango';
import type { Database } from 'arangojs';
import { ArangoViewStore } from '../src/infrastructure/arango-view-store';
import { InMemoryViewStore } from '../src/infrastructure/in-memory';
import type { ProfileRow, SummaryRow, ViewStore } from '../src/projections/ports';
import { connectViews, unique } from './servers';

describe.each(['InMemoryViewStore', 'ArangoViewStore'])('%s', (kind) => {
  let db: Database | undefined;
  let store: ViewStore;
  let names: { profiles: string; summaries: string; state: string };

  beforeEach(async () => {
    if (kind === 'InMemoryViewStore') {
      store = new InMemoryViewStore();
      return;
    }
    db ??= connectViews();
    const prefix = unique('spec');
    names = { profiles: `${prefix}-profiles`, summaries: `${prefix}-summaries`, state: `${prefix}-state` };
    for (const name of Object.values(names)) await ensureCollection(db, name, 'document');
    store = new ArangoViewStore(db, names);
  });

  afterEach(async () => {
    if (db !== undefined) for (const name of Object.values(names)) await db.collection(name).drop();
  });

  afterAll(() => db?.close());

  it('gives back whole rows as they were written', async () => {
    await store.writeProfiles([profile('1'), profile('2')]);
    await store.writeSummaries([summary]);
    expect(await store.profile('demo.vk.1')).toEqual(profile('1'));
    expect(await store.summary('demo.vk')).toEqual(summary);
    expect(await store.profile('demo.vk.3')).toBeUndefined();
    expect(await store.summary('other.vk')).toBeUndefined();
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

describe('ArangoViewStore without a server', () => {
  it('says that the store is away', async () => {
    const db = connectArango({ url: 'http://127.0.0.1:1', database: 'views', username: 'u', password: 'p' });
    const store = new ArangoViewStore(db);
    await expect(store.writeSummaries([summary])).rejects.toMatchObject({ kind: 'unavailable' });
    await expect(store.highestFence()).rejects.toMatchObject({ kind: 'unavailable' });
    db.close();
  });
});

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
    writer: 1,
    writtenAt: 5,
  };
}
