import { ensureCollection, type ArangoMigration } from '@sociograph/arango';
import type { Database } from 'arangojs';
import { makeRoomForErasures } from './erasure-migrations';
import { makeRoomForExports } from './export-migrations';

const VERTICES = ['users', 'groups', 'posts'];
const EDGES = ['friendships', 'subscriptions', 'group_posts', 'user_posts'];

/** The schema of the graph; steps are harmless when repeated. */
export const MIGRATIONS: readonly ArangoMigration[] = [
  {
    version: 1,
    name: 'vertices and edges',
    async up(db) {
      for (const name of VERTICES) await ensureCollection(db, name, 'document');
      for (const name of EDGES) await ensureCollection(db, name, 'edge');
    },
  },
  {
    version: 2,
    name: 'friendships that one side does not assert, and disputed ones',
    async up(db) {
      await sparseIndex(db, 'friendships', 'openSide');
      await sparseIndex(db, 'friendships', 'disputedSide');
    },
  },
  {
    version: 3,
    name: 'friendships that are over',
    async up(db) {
      await ensureCollection(db, 'past_friendships', 'edge');
    },
  },
  {
    version: 4,
    name: 'members of groups, walls, people by name and city',
    async up(db) {
      await ensureCollection(db, 'member_lists', 'document');
      await index(db, 'posts', ['owner', 'publishedAt', 'id']);
      for (const field of ['name', 'lastName', 'city']) await index(db, 'users', ['scope', field, 'id']);
    },
  },
  {
    version: 5,
    name: 'exports',
    up: makeRoomForExports,
  },
  {
    version: 6,
    name: 'erasures',
    up: makeRoomForErasures,
  },
];

async function index(db: Database, collection: string, fields: string[]): Promise<void> {
  await db.collection(collection).ensureIndex({ type: 'persistent', name: fields.join('-'), fields });
}

async function sparseIndex(db: Database, collection: string, field: string): Promise<void> {
  await db
    .collection(collection)
    .ensureIndex({ type: 'persistent', name: field, fields: [field], sparse: true });
}
