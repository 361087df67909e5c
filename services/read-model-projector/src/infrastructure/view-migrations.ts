import type { ArangoMigration } from '@sociograph/arango';
import { ensureCollection } from '@sociograph/arango';
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
];
