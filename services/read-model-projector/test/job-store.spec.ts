import { ensureCollection } from '@sociograph/arango';
import type { Database } from 'arangojs';
import { ArangoJobStore } from '../src/infrastructure/arango-job-store';
import { InMemoryJobStore } from '../src/infrastructure/in-memory-jobs';
import type { Job } from '../src/projections/jobs';
import type { JobStore } from '../src/projections/ports';
import { type OwnStore, ownStore, unique } from './servers';

jest.setTimeout(120_000);

const job = (id: string, requestedAt: number, state: Job['state'] = 'waiting'): Job => ({
  id,
  kind: 'recount',
  workspaceId: 'demo',
  network: 'vk',
  state,
  requestedAt,
});

describe.each(['InMemoryJobStore', 'ArangoJobStore'])('%s', (kind) => {
  let own: OwnStore | undefined;
  let db: Database | undefined;
  let store: JobStore;
  let collection: string;

  beforeEach(async () => {
    if (kind === 'InMemoryJobStore') {
      store = new InMemoryJobStore();
      return;
    }
    own ??= await ownStore();
    db = own.db;
    collection = unique('spec-jobs');
    await ensureCollection(db, collection, 'document');
    store = new ArangoJobStore(db, collection);
  });

  afterEach(async () => {
    if (db !== undefined) await db.collection(collection).drop();
  });

  afterAll(() => own?.stop());

  it('gives a job back as it was put, and nothing for an unknown id', async () => {
    const differences = [{ what: 'triangles', kept: 2, counted: 1, ids: ['107'] }];
    const recounts = [
      { workspaceId: 'demo', network: 'vk', users: 1, friendships: 0, differences, tookMs: 3 },
    ];
    const done: Job = { ...job('a', 5, 'done'), finishedAt: 9, recounts };
    await store.put(job('a', 5));
    await store.put(done);
    expect(await store.find('a')).toEqual(done);
    expect(await store.find('b')).toBeUndefined();
  });

  it('leaves a job as it is when one of that id is created again', async () => {
    await store.create(job('a', 5, 'running'));
    await store.create(job('a', 6));
    expect(await store.find('a')).toEqual(job('a', 5, 'running'));
  });

  it('gives those that wait or run, oldest first', async () => {
    await store.create(job('late', 9));
    await store.create(job('done', 1, 'done'));
    await store.create(job('failed', 2, 'failed'));
    await store.create(job('early', 3, 'running'));
    expect((await store.open()).map(({ id }) => id)).toEqual(['early', 'late']);
  });

  it('removes what was requested before', async () => {
    for (const [id, at] of [['old', 4], ['edge', 5], ['new', 6]] as const) await store.create(job(id, at)); // prettier-ignore
    await store.removeRequestedBefore(5);
    expect(await Promise.all(['old', 'edge', 'new'].map(async (id) => (await store.find(id))?.id))).toEqual([
      undefined,
      'edge',
      'new',
    ]);
  });
});
