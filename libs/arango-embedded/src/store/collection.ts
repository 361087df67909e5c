import type { Database, RootDatabase } from 'lmdb';
import { ArangoFault, documentNotFound } from '../faults';
import {
  attributesOf,
  type Doc,
  documentText,
  documentValue,
  edgeEndsOf,
  isDocumentKey,
  patched,
  requireEdgeEnds,
  revisionOf,
  storedForm,
} from './document';
import { type IndexDefinition, IndexTable } from './index-table';
import type { Revisions } from './revisions';

export interface CollectionRecord {
  readonly id: string;
  readonly name: string;
  /** 2 holds documents, 3 holds edges. */
  readonly type: 2 | 3;
  readonly database: string;
  /** Everything is flushed anyway; the flag decides between 201 and 202 as on a real server. */
  readonly waitForSync?: boolean;
  indexes: IndexDefinition[];
}

export interface Written {
  readonly key: string;
  readonly rev: string;
  readonly old?: string | undefined;
  /** Stored forms, for returnOld and returnNew. */
  readonly before?: string | undefined;
  readonly after?: string | undefined;
}

/** Documents and indexes of one collection. Every writing method runs inside the caller's transaction. */
export class Collection {
  readonly #documents: Database<string, string>;
  readonly #indexes: IndexTable[] = [];
  #leftovers = true;
  readonly #edgeEnds: { from: IndexTable; to: IndexTable } | undefined;

  constructor(
    private readonly env: RootDatabase,
    readonly record: CollectionRecord,
    private readonly revisions: Revisions,
  ) {
    this.#documents = env.openDB<string, string>({ name: `c${record.id}`, encoding: 'string' });
    if (record.type === 3) {
      const definition = edgeIndex(record.name);
      this.#edgeEnds = {
        from: new IndexTable(env, definition, `f${record.id}`, ['_from']),
        to: new IndexTable(env, definition, `t${record.id}`, ['_to']),
      };
    }
    for (const definition of record.indexes) this.#indexes.push(this.#open(definition));
  }

  get name(): string {
    return this.record.name;
  }

  /** Keys of edges that begin or end at a vertex. */
  get edgeEnds(): { from: IndexTable; to: IndexTable } | undefined {
    return this.#edgeEnds;
  }

  get persistentIndexes(): readonly IndexTable[] {
    return this.#indexes;
  }

  /** The file may still hold bytes of documents that were replaced or removed. */
  get hasLeftovers(): boolean {
    return this.#leftovers;
  }

  /** For a collection that was just written anew. */
  withoutLeftovers(): this {
    this.#leftovers = false;
    return this;
  }

  count(): number {
    return (this.#documents.getStats() as { entryCount: number }).entryCount;
  }

  text(key: string): string | undefined {
    const stored = this.#documents.get(key);
    return stored === undefined ? undefined : documentText(this.name, key, stored);
  }

  stored(key: string): string | undefined {
    return this.#documents.get(key);
  }

  /** Both ends of an edge, undefined when it does not exist. */
  ends(key: string): readonly [from: string, to: string] | undefined {
    const stored = this.#documents.get(key);
    return stored === undefined ? undefined : edgeEndsOf(stored);
  }

  value(key: string): Doc | undefined {
    const stored = this.#documents.get(key);
    return stored === undefined ? undefined : documentValue(this.name, key, stored);
  }

  /** All documents in key order, or those between the bounds. */
  *scan(
    range: { after?: string; from?: string; before?: string; to?: string; reverse?: boolean } = {},
  ): Iterable<Doc> {
    const { reverse } = range;
    const low = range.after ?? range.from;
    const high = range.before ?? range.to;
    const run = this.#documents.getRange(
      reverse
        ? { ...(high === undefined ? {} : { start: high }), reverse: true }
        : { ...(low === undefined ? {} : { start: low }) },
    );
    for (const { key, value } of run) {
      if (outsideLow(key, range)) {
        if (reverse) return;
        continue;
      }
      if (outsideHigh(key, range)) {
        if (reverse) continue;
        return;
      }
      yield documentValue(this.name, key, value);
    }
  }

  /** Makes the document; the caller has seen to it that the key is free or to be overwritten. */
  write(key: string, doc: Doc, before: string | undefined): Written {
    return this.#write(key, doc, before, this.#indexedBefore(before));
  }

  patch(
    key: string,
    patch: Doc,
    before: string,
    options: { keepNull: boolean; mergeObjects: boolean },
  ): Written {
    const old = attributesOf(before);
    return this.#write(key, patched(old, patch, options), before, old);
  }

  remove(key: string, before: string): Written {
    this.#leftovers = true;
    this.#reindex(key, this.#indexedBefore(before), undefined);
    void this.#documents.remove(key);
    return { key, rev: revisionOf(before), before };
  }

  /** The stored form of a key that must exist and, when `rev` is given, must have that revision. */
  require(key: string, rev: string | undefined): string {
    if (!isDocumentKey(key)) throw new ArangoFault(1221, 'illegal document key');
    const stored = this.#documents.get(key);
    if (stored === undefined) throw documentNotFound();
    if (rev !== undefined && rev !== revisionOf(stored)) {
      throw new ArangoFault(1200, 'conflict, _rev values do not match', undefined, {
        _id: `${this.name}/${key}`,
        _key: key,
        _rev: revisionOf(stored),
      });
    }
    return stored;
  }

  truncate(): void {
    this.#leftovers = true;
    this.#documents.clearSync();
    for (const index of this.#all()) index.clear();
  }

  drop(): void {
    this.#documents.dropSync();
    for (const index of this.#all()) index.drop();
  }

  /** Fills a new index from the documents; throws 1210 when a unique one cannot hold them. */
  addIndex(definition: IndexDefinition): void {
    const index = this.#open(definition);
    try {
      this.env.transactionSync(() => {
        for (const { key, value } of this.#documents.getRange()) {
          const plan = index.plan(key, undefined, attributesOf(value));
          if (plan) index.move(key, plan);
        }
      });
    } catch (error) {
      index.drop();
      throw error;
    }
    this.#indexes.push(index);
    this.record.indexes = [...this.record.indexes, definition];
  }

  removeIndex(id: string): void {
    const at = this.#indexes.findIndex((index) => index.definition.id === id);
    this.#indexes.splice(at, 1)[0]?.drop();
    this.record.indexes = this.record.indexes.filter((definition) => definition.id !== id);
  }

  #open(definition: IndexDefinition): IndexTable {
    return new IndexTable(this.env, definition, `i${definition.id}`);
  }

  #all(): IndexTable[] {
    return this.#edgeEnds ? [this.#edgeEnds.from, this.#edgeEnds.to, ...this.#indexes] : this.#indexes;
  }

  /** Parsing what was there costs more than the write, and only indexes look at it. */
  #indexedBefore(before: string | undefined): Doc | undefined {
    return before === undefined || this.#all().length === 0 ? undefined : attributesOf(before);
  }

  #write(key: string, doc: Doc, before: string | undefined, old: Doc | undefined): Written {
    if (this.record.type === 3) requireEdgeEnds(doc);
    if (before !== undefined) this.#leftovers = true;
    const rev = this.revisions.next();
    const after = storedForm(rev, doc);
    this.#reindex(key, old, doc);
    void this.#documents.put(key, after);
    return { key, rev, before, after, old: before && revisionOf(before) };
  }

  #reindex(key: string, old: Doc | undefined, after: Doc | undefined): void {
    const indexes = this.#all();
    if (indexes.length === 0) return;
    const plans = indexes.map((index) => index.plan(key, old, after));
    indexes.forEach((index, i) => {
      const plan = plans[i];
      if (plan) index.move(key, plan);
    });
  }
}

function edgeIndex(collection: string): IndexDefinition {
  return {
    id: `${collection}/1`,
    name: 'edge',
    type: 'edge',
    fields: ['_from', '_to'],
    unique: false,
    sparse: false,
  };
}

function outsideLow(key: string, range: { after?: string; from?: string }): boolean {
  return (range.after !== undefined && key <= range.after) || (range.from !== undefined && key < range.from);
}

function outsideHigh(key: string, range: { before?: string; to?: string }): boolean {
  return (range.before !== undefined && key >= range.before) || (range.to !== undefined && key > range.to);
}
