import type { Database } from 'arangojs';
import { CollectionType } from 'arangojs/collections';
import { arangoErrorNum, isConflict } from './errors';

/** One step of the schema. It must be harmless when repeated: a crash may come before it is recorded. */
export interface ArangoMigration {
  /** Rises from 1; never renumbered once released. */
  version: number;
  name: string;
  up(db: Database): Promise<void>;
}

const RECORDS = 'schema_migrations';
const DUPLICATE_NAME = 1207;
const RECORD_ATTEMPTS = 10;

/** Applies the steps of one owner (a service) that its records in `schema_migrations` do not show yet. */
export class ArangoMigrations {
  constructor(
    private readonly db: Database,
    private readonly owner: string,
    private readonly steps: readonly ArangoMigration[],
  ) {}

  /** Versions applied by this call, in order. */
  async run(): Promise<number[]> {
    await ensureCollection(this.db, RECORDS, 'document');
    const applied: number[] = [];
    for (const step of [...this.steps].sort((a, b) => a.version - b.version)) {
      const _key = `${this.owner}-${step.version}`;
      if (await this.db.collection(RECORDS).documentExists(_key)) continue;
      await step.up(this.db);
      await this.#record({ _key, owner: this.owner, version: step.version, name: step.name });
      applied.push(step.version);
    }
    return applied;
  }

  /** A conflict may mean that a second runner was faster, or that the store was busy: looking again tells. */
  async #record(record: { _key: string; owner: string; version: number; name: string }): Promise<void> {
    const records = this.db.collection(RECORDS);
    for (let attempt = 1; !(await records.documentExists(record._key)); attempt++) {
      try {
        await records.save({ ...record, appliedAt: new Date().toISOString() });
      } catch (error) {
        if (!isConflict(error) || attempt >= RECORD_ATTEMPTS) throw error;
      }
    }
  }
}

/** Creates the collection unless it exists. */
export async function ensureCollection(db: Database, name: string, kind: 'document' | 'edge'): Promise<void> {
  if (await db.collection(name).exists()) return;
  try {
    const type = kind === 'edge' ? CollectionType.EDGE_COLLECTION : CollectionType.DOCUMENT_COLLECTION;
    await db.collection(name).create({ type } as never);
  } catch (error) {
    if (arangoErrorNum(error) !== DUPLICATE_NAME) throw error;
  }
}
