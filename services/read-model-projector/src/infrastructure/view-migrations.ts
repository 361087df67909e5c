import type { ArangoMigration } from '@sociograph/arango';
import { ArangoIdempotencyStore, arangoErrorNum, ensureCollection } from '@sociograph/arango';
import type { Database } from 'arangojs';
import { ANALYSIS_COLLECTIONS } from './arango-analysis-store';
import { CHECKPOINT_CHUNKS } from './arango-checkpoint-store';
import { JOBS } from './arango-job-store';
import { COLLECTIONS } from './arango-view-store';

/** The schema of the views' database, step by step. */
export const VIEW_MIGRATIONS: readonly ArangoMigration[] = [
  {
    version: 1,
    name: 'collections of the views',
    up: async (db) => {
      for (const name of Object.values(COLLECTIONS)) await ensureCollection(db, name, 'document');
    },
  },
  {
    version: 2,
    name: 'chunks of checkpoints',
    up: (db) => ensureCollection(db, CHECKPOINT_CHUNKS, 'document'),
  },
  {
    version: 3,
    name: 'recounts and rebuilds',
    up: (db) => ensureCollection(db, JOBS, 'document'),
  },
  {
    version: 4,
    name: 'groups, posts, search and rankings',
    up: async (db) => {
      for (const name of Object.values(COLLECTIONS)) await ensureCollection(db, name, 'document');
      await ensureTokenIndex(db, COLLECTIONS.search);
    },
  },
  {
    version: 5,
    name: 'analyses and their results',
    up: async (db) => {
      for (const name of Object.values(ANALYSIS_COLLECTIONS)) await ensureCollection(db, name, 'document');
      await db
        .collection(ANALYSIS_COLLECTIONS.results)
        .ensureIndex({ type: 'persistent', name: 'analysis', fields: ['analysis'] });
    },
  },
  { version: 6, name: 'answers to creating requests', up: (db) => ArangoIdempotencyStore.makeRoom(db) },
];

const NOT_IMPLEMENTED = 9;

/** What searches go through. A stand-in from before it had array indexes answers them all the same, by a scan. */
export async function ensureTokenIndex(db: Database, collection: string): Promise<void> {
  try {
    await db
      .collection(collection)
      .ensureIndex({ type: 'persistent', name: 'tokens', fields: ['tokens[*]'] });
  } catch (error) {
    if (arangoErrorNum(error) !== NOT_IMPLEMENTED) throw error;
  }
}
