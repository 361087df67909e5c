import { ensureCollection } from '@sociograph/arango';
import type { Database } from 'arangojs';
import type { Analysis, AnalysisStore, PersonEntry } from '../src/projections/analyses/analysis';
import { CHUNK } from '../src/projections/analyses/analysis';
import { ArangoAnalysisStore } from '../src/infrastructure/arango-analysis-store';
import { InMemoryAnalysisStore } from '../src/infrastructure/in-memory-analyses';
import { type OwnStore, ownStore, unique } from './servers';

jest.setTimeout(120_000);

const analysis = (id: string, details: Partial<Analysis> = {}): Analysis => ({
  id,
  kind: 'k-core',
  workspaceId: 'demo',
  network: 'vk',
  seed: 1,
  state: 'waiting',
  progress: 0,
  requestedAt: 100,
  attempts: 0,
  ...details,
});

describe.each(['InMemoryAnalysisStore', 'ArangoAnalysisStore'])('%s', (kind) => {
  let own: OwnStore | undefined;
  let db: Database | undefined;
  let store: AnalysisStore;
  let names: { analyses: string; results: string };

  beforeEach(async () => {
    store = new InMemoryAnalysisStore();
    if (kind === 'InMemoryAnalysisStore') return;
    own ??= await ownStore();
    db = own.db;
    names = { analyses: unique('spec-analyses'), results: unique('spec-results') };
    for (const name of Object.values(names)) await ensureCollection(db, name, 'document');
    store = new ArangoAnalysisStore(db, names, 2);
  });

  afterEach(async () => {
    if (db !== undefined) for (const name of Object.values(names)) await db.collection(name).drop();
  });

  afterAll(() => own?.stop());

  const end = (id: string): Promise<Analysis | undefined> =>
    store.change(id, (kept) => ({ ...kept, state: 'done' }));

  it('keeps one that waits or runs for each workspace', async () => {
    expect(await store.create(analysis('a'))).toBe(true);
    expect(await store.create(analysis('b', { network: 'ok' }))).toBe(false);
    expect(await store.find('b')).toBeUndefined();
    expect(await store.create(analysis('c', { workspaceId: 'other', requestedAt: 50 }))).toBe(true);
    expect((await store.open()).map(({ id }) => id)).toEqual(['c', 'a']);
    await end('a');
    expect((await store.open()).map(({ id }) => id)).toEqual(['c']);
    expect(await store.create(analysis('d'))).toBe(true);
    expect(await store.find('a')).toEqual(analysis('a', { state: 'done' }));
    expect([await store.find('none'), await store.find('turn.demo')]).toEqual([undefined, undefined]);
  });

  it('lets one of twenty begin at the same time', async () => {
    const all = await Promise.all(Array.from({ length: 20 }, (_, i) => store.create(analysis(`a${i}`))));
    expect(all.filter(Boolean)).toHaveLength(1);
    expect(await store.open()).toHaveLength(1);
  });

  it('loses no change of many at the same time, and leaves it when there is none', async () => {
    await store.create(analysis('a'));
    const raise = (kept: Analysis): Analysis => ({ ...kept, progress: kept.progress + 1 });
    await Promise.all(Array.from({ length: 5 }, () => store.change('a', raise)));
    expect((await store.change('a', () => undefined))?.progress).toBe(5);
    expect(await store.change('none', raise)).toBeUndefined();
  });

  it('gives entries over the bounds of chunks, of one attempt and part', async () => {
    const one = analysis('a', { attempts: 1 });
    const entries = Array.from({ length: CHUNK + 7 }, (_, i): PersonEntry => [String(i), i]);
    await store.writeChunk(one, 'people', 0, entries.slice(0, CHUNK));
    await store.writeChunk(one, 'people', 1, entries.slice(CHUNK));
    await store.writeChunk(one, 'communities', 0, [[0, 3]]);
    await store.writeChunk({ ...one, attempts: 2 }, 'people', 0, [['other', 1]]);
    expect(await store.entries(one, 'people', 998, 4)).toEqual(entries.slice(998, 1002));
    expect(await store.entries(one, 'people', CHUNK, 100)).toEqual(entries.slice(CHUNK));
    expect(await store.entries(one, 'people', 5000, 10)).toEqual([]);
    expect(await store.entries(one, 'people', 0, 0)).toEqual([]);
    expect(await store.entries(one, 'communities', 0, 10)).toEqual([[0, 3]]);
    expect(CHUNK).toBe(1000);
  });

  it('removes those that ended with their results, of a graph or of long ago', async () => {
    await store.create(analysis('a', { requestedAt: 10 }));
    await store.writeChunk(analysis('a'), 'people', 0, [['1', 1]]);
    await store.removeEnded({ graph: 'demo.vk' });
    expect(await store.find('a')).toBeDefined();
    await end('a');
    await store.removeEnded({ graph: 'demo.ok' });
    await store.removeEnded({ requestedBefore: 10 });
    expect(await store.entries(analysis('a'), 'people', 0, 1)).toEqual([['1', 1]]);
    await store.removeEnded({ requestedBefore: 11 });
    expect([await store.find('a'), await store.entries(analysis('a'), 'people', 0, 1)]).toEqual([
      undefined,
      [],
    ]);
    // More than the store is asked for at once.
    for (const id of ['b', 'c', 'd', 'e', 'f']) {
      await store.create(analysis(id));
      await store.writeChunk(analysis(id), 'people', 0, [['1', 1]]);
      await end(id);
    }
    await store.removeEnded({ graph: 'demo.vk' });
    for (const id of ['b', 'c', 'd', 'e', 'f'])
      expect([await store.find(id), await store.entries(analysis(id), 'people', 0, 1)]).toEqual([
        undefined,
        [],
      ]);
  });
});
