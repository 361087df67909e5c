import { ensureCollection } from '@sociograph/arango';
import type { Database } from 'arangojs';
import { ArangoCheckpointStore } from '../src/infrastructure/arango-checkpoint-store';
import { InMemoryCheckpointStore } from '../src/infrastructure/in-memory-jobs';
import { withoutConflict } from '../src/infrastructure/store-requests';
import type { CheckpointHead } from '../src/projections/checkpoint';
import type { CheckpointStore } from '../src/projections/ports';
import { type OwnStore, ownStore, unique } from './servers';

jest.setTimeout(120_000);

const head = (id: string, chunks: number): CheckpointHead => ({
  id,
  format: 1,
  chunks,
  hashes: ['00ff'],
  reached: [{ partition: 0, positions: { 'sociograph.graph.changes.v1': { '0': 12 } } }],
  at: 5,
});

async function all(store: CheckpointStore, of: CheckpointHead): Promise<string[]> {
  const chunks: string[] = [];
  for await (const chunk of store.chunks(of)) chunks.push(chunk);
  return chunks;
}

describe.each(['InMemoryCheckpointStore', 'ArangoCheckpointStore'])('%s', (kind) => {
  let own: OwnStore | undefined;
  let db: Database | undefined;
  let store: CheckpointStore;
  let names: { chunks: string; state: string };

  beforeEach(async () => {
    if (kind === 'InMemoryCheckpointStore') {
      store = new InMemoryCheckpointStore();
      return;
    }
    own ??= await ownStore();
    db = own.db;
    const prefix = unique('spec');
    names = { chunks: `${prefix}-chunks`, state: `${prefix}-state` };
    for (const name of Object.values(names)) await ensureCollection(db, name, 'document');
    store = new ArangoCheckpointStore(db, names);
  });

  afterEach(async () => {
    if (db !== undefined) for (const name of Object.values(names)) await db.collection(name).drop();
  });

  afterAll(() => own?.stop());

  it('gives back the newest checkpoint, whole and in order, and removes the chunks of all others', async () => {
    expect(await store.head()).toBeUndefined();
    await store.writeChunk('a', 0, 'old');
    await store.commit(head('a', 1));
    const texts = Array.from({ length: 12 }, (_, number) => `{"ids":["Ж${number}"]}\n`.repeat(20_000));
    for (const [number, text] of texts.entries()) await store.writeChunk('b', number, text);
    expect(await store.head()).toEqual(head('a', 1));
    await store.commit(head('b', 12));
    expect(await store.head()).toEqual(head('b', 12));
    expect(await all(store, head('b', 12))).toEqual(texts);
    await expect(all(store, head('a', 1))).rejects.toThrow();
  });

  it('throws for a chunk that is missing', async () => {
    await store.writeChunk('a', 0, 'text');
    await expect(all(store, head('a', 2))).rejects.toThrow();
  });

  if (kind === 'ArangoCheckpointStore') {
    it('notices a chunk or a head that was changed in the database', async () => {
      await store.writeChunk('a', 0, 'text');
      await store.writeChunk('b', 0, 'other text');
      await store.commit(head('a', 1));
      const chunks = db!.collection(names.chunks);
      // The stand-in plays conflicts in test mode, one request in a hundred.
      const change = (name: string, key: string, fields: object) =>
        withoutConflict('change a checkpoint', () => db!.collection(name).update(key, fields));
      await store.writeChunk('b', 0, 'other text');
      const other = (await chunks.document('b.0')) as { data: string };
      await change(names.chunks, 'a.0', { data: other.data });
      await expect(all(store, head('a', 1))).rejects.toMatchObject({ code: 'VIEWS.CHECKPOINT_BROKEN' });
      await change(names.chunks, 'a.0', { data: 'AAAA' });
      await expect(all(store, head('a', 1))).rejects.toThrow();
      const state = db!.collection(names.state);
      const { text } = (await state.document('checkpoint')) as { text: string };
      await change(names.state, 'checkpoint', { text: text.replace('"0":12', '"0":13') });
      await expect(store.head()).rejects.toMatchObject({ code: 'VIEWS.CHECKPOINT_BROKEN' });
    });
  }
});
