import { ArangoIdempotencyStore, ensureCollection } from '@sociograph/arango';
import type { Database } from 'arangojs';

/** What exports and the answers to creating requests need; a step of the graph's schema (`MIGRATIONS`). */
export async function makeRoomForExports(db: Database): Promise<void> {
  await ensureCollection(db, 'exports', 'document');
  for (const field of ['workspaceId', 'state.kind', 'expiresAt']) await index(db, 'exports', field);
  await ArangoIdempotencyStore.makeRoom(db);
}

async function index(db: Database, collection: string, field: string): Promise<void> {
  const name = field.replace('.', '_');
  await db.collection(collection).ensureIndex({ type: 'persistent', name, fields: [field] });
}
