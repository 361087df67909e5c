import { ensureCollection } from '@sociograph/arango';
import type { Database } from 'arangojs';

/** The receipts of erasures, and how open ones are found; a step of the graph's schema (`MIGRATIONS`). */
export async function makeRoomForErasures(db: Database): Promise<void> {
  const { name } = db.collection('erasures');
  await ensureCollection(db, name, 'document');
  await db
    .collection(name)
    .ensureIndex({ type: 'persistent', name: 'open', fields: ['open', 'requestedAt'] });
  await db.collection(name).ensureIndex({ type: 'persistent', name: 'workspace', fields: ['workspaceId'] });
}
