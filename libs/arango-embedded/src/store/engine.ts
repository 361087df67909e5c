import type { Database, RootDatabase } from 'lmdb';
import { ArangoFault, collectionNotFound } from '../faults';
import { Collection, type CollectionRecord } from './collection';
import { Generations, type TableName } from './generations';
import type { IndexDefinition } from './index-table';
import { Revisions } from './revisions';

const DATABASE_NAME = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/;
const COLLECTION_NAME = /^[A-Za-z][A-Za-z0-9_-]{0,255}$/;

interface Meta {
  databases: string[];
  collections: CollectionRecord[];
  nextId: number;
}

/**
 * All databases of one folder. Requests are executed one after another, each in one LMDB transaction that is
 * flushed before the answer: an acknowledged write survives `kill -9` and a loss of power. No document stays in
 * the memory of this process; LMDB's map is the operating system's page cache.
 */
export class Engine {
  readonly #generations: Generations;
  #env: RootDatabase;
  #meta: Database<string, string>;
  readonly #collections = new Map<string, Collection>();
  readonly #revisions: Revisions;
  #state: Meta;
  #inGroup = false;

  constructor(dataDir: string) {
    this.#generations = new Generations(dataDir);
    this.#env = this.#generations.open();
    this.#meta = this.#env.openDB<string, string>({ name: 'meta', encoding: 'string' });
    const stored = this.#meta.get('state');
    this.#state = stored
      ? (JSON.parse(stored) as Meta)
      : { databases: ['_system'], collections: [], nextId: 100 };
    this.#revisions = new Revisions(Number(this.#meta.get('revision') ?? 0));
    for (const record of this.#state.collections) this.#open(record);
  }

  /** One flushed unit. The function must not return a promise (LMDB would wait for it, uncommitted). */
  write<R>(change: () => R): R {
    if (this.#inGroup) return change();
    let result: R | undefined;
    this.#env.transactionSync(() => {
      result = change();
      void this.#meta.put('revision', String(this.#revisions.last));
    });
    return result as R;
  }

  /**
   * Group commit: everything written by these jobs is flushed once, at the end. A job must not throw after it
   * wrote something; the routes for documents decide before they write.
   */
  writeGroup(jobs: readonly (() => void)[]): void {
    this.write(() => {
      this.#inGroup = true;
      try {
        for (const job of jobs) job();
      } finally {
        this.#inGroup = false;
      }
    });
  }

  databases(): readonly string[] {
    return this.#state.databases;
  }

  createDatabase(name: string): void {
    if (!DATABASE_NAME.test(name)) throw new ArangoFault(1229, 'database name invalid');
    if (this.#state.databases.includes(name)) throw new ArangoFault(1207, 'duplicate name');
    this.#save({ ...this.#state, databases: [...this.#state.databases, name] });
  }

  dropDatabase(name: string): void {
    if (name === '_system' || !this.#state.databases.includes(name))
      throw new ArangoFault(1228, 'database not found');
    for (const collection of this.collections(name)) this.dropCollection(name, collection.name);
    this.#save({ ...this.#state, databases: this.#state.databases.filter((other) => other !== name) });
  }

  collections(database: string): Collection[] {
    return [...this.#collections.values()].filter((collection) => collection.record.database === database);
  }

  collection(database: string, name: string): Collection {
    const found = this.#collections.get(`${database}/${name}`);
    if (!found) throw collectionNotFound(name);
    return found;
  }

  hasCollection(database: string, name: string): boolean {
    return this.#collections.has(`${database}/${name}`);
  }

  createCollection(database: string, name: string, type: 2 | 3, waitForSync = false): Collection {
    if (!COLLECTION_NAME.test(name)) throw new ArangoFault(1208, 'illegal collection name');
    if (this.hasCollection(database, name)) throw new ArangoFault(1207, 'duplicate name');
    const record: CollectionRecord = {
      id: String(this.#state.nextId),
      name,
      type,
      database,
      waitForSync,
      indexes: [],
    };
    const collection = this.#open(record);
    this.#save({
      ...this.#state,
      collections: [...this.#state.collections, record],
      nextId: this.#state.nextId + 1,
    });
    return collection;
  }

  dropCollection(database: string, name: string): void {
    const collection = this.collection(database, name);
    this.#collections.delete(`${database}/${name}`);
    // The record goes first: a crash between the two leaves unused tables, never a collection without them.
    const collections = this.#state.collections.filter((record) => record.id !== collection.record.id);
    this.#save({ ...this.#state, collections });
    collection.drop();
  }

  renameCollection(database: string, name: string, next: string): Collection {
    const collection = this.collection(database, name);
    if (!COLLECTION_NAME.test(next)) throw new ArangoFault(1208, 'illegal collection name');
    if (this.hasCollection(database, next)) throw new ArangoFault(1207, 'duplicate name');
    const record = { ...collection.record, name: next };
    const collections = this.#state.collections.map((other) => (other.id === record.id ? record : other));
    this.#collections.delete(`${database}/${name}`);
    this.#save({ ...this.#state, collections });
    return this.#open(record);
  }

  createIndex(collection: Collection, definition: Omit<IndexDefinition, 'id'>): IndexDefinition {
    const complete = { ...definition, id: String(this.#state.nextId) };
    this.#state = { ...this.#state, nextId: this.#state.nextId + 1 };
    collection.addIndex(complete);
    this.#save(this.#state);
    return complete;
  }

  removeIndex(collection: Collection, id: string): void {
    collection.removeIndex(id);
    this.#save(this.#state);
  }

  /**
   * Writes everything that is there into a new file and removes the old one, so that deleted bytes are gone; nothing is
   * done when the collection lost nothing since the last time. All requests wait meanwhile.
   */
  rewrite(collection: Collection): void {
    if (!collection.hasLeftovers) return;
    const old = this.#env;
    this.#env = this.#generations.next(old, this.#tables());
    this.#meta = this.#env.openDB<string, string>({ name: 'meta', encoding: 'string' });
    for (const { record } of [...this.#collections.values()]) this.#open(record).withoutLeftovers();
    void old.close().then(() => this.#generations.removeOthers());
  }

  async close(): Promise<void> {
    await this.#env.close();
  }

  #tables(): TableName[] {
    const tables = this.#state.collections.flatMap(({ id, type, indexes }) => [
      { name: `c${id}`, several: false },
      ...(type === 3 ? ['f', 't'].map((kind) => ({ name: `${kind}${id}`, several: true })) : []),
      ...indexes.map((index) => ({ name: `i${index.id}`, several: true })),
    ]);
    return [{ name: 'meta', several: false }, ...tables];
  }

  #open(record: CollectionRecord): Collection {
    const collection = new Collection(this.#env, record, this.#revisions);
    this.#collections.set(`${record.database}/${record.name}`, collection);
    return collection;
  }

  #save(state: Meta): void {
    this.#state = state;
    this.write(() => void this.#meta.put('state', JSON.stringify(state)));
  }
}
