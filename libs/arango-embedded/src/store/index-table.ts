import type { Database, RootDatabase } from 'lmdb';
import { ArangoFault, unsupported } from '../faults';
import type { Doc } from './document';
import { afterPrefix, encodeIndexKey } from './index-keys';

export interface IndexDefinition {
  readonly id: string;
  readonly name: string;
  readonly type: 'persistent' | 'edge';
  readonly fields: readonly string[];
  readonly unique: boolean;
  readonly sparse: boolean;
}

/** Bounds of one run through an index: equal values of the first fields, then a range of the next one. */
export interface IndexRange {
  readonly equal: readonly unknown[];
  readonly lower?: { value: unknown; inclusive: boolean };
  readonly upper?: { value: unknown; inclusive: boolean };
  /** Only entries with a document key above this one; needs `equal` to name all fields. */
  readonly afterKey?: string;
}

export interface EntryMove {
  from: Buffer | undefined;
  to: Buffer | undefined;
}

/** One sorted index: encoded values -> document keys, duplicates in key order (LMDB DUPSORT). */
export class IndexTable {
  readonly #table: Database<string, Buffer>;
  readonly #paths: string[][];

  constructor(
    env: RootDatabase,
    readonly definition: IndexDefinition,
    tableName: string,
    fields: readonly string[] = definition.fields,
  ) {
    if (fields.some((field) => field.includes('[*]'))) throw unsupported('an array index ([*])');
    this.#paths = fields.map((field) => field.split('.'));
    this.#table = env.openDB<string, Buffer>({
      name: tableName,
      keyEncoding: 'binary',
      encoding: 'ordered-binary',
      dupSort: true,
    });
  }

  /**
   * What a document's change means here; `undefined` stands for "did not exist" and "is gone". Throws 1210 when
   * another document already has these values. Nothing is written, so a document fails as a whole.
   */
  plan(key: string, before: Doc | undefined, after: Doc | undefined): EntryMove | undefined {
    if (before && after && this.#paths.every((path) => valueAt(before, path) === valueAt(after, path)))
      return undefined;
    const from = before && this.#entryOf(before);
    const to = after && this.#entryOf(after);
    if (from && to && from.equals(to)) return undefined;
    if (to && this.definition.unique) this.#insistOnUnique(to, key);
    return from || to ? { from, to } : undefined;
  }

  /** Carries out a plan, inside a transaction. */
  move(key: string, { from, to }: EntryMove): void {
    if (from) void this.#table.remove(from, key);
    if (to) void this.#table.put(to, key);
  }

  /** Document keys in index order. */
  *keys(range: IndexRange, reverse = false): Iterable<string> {
    const prefix = encodeIndexKey(range.equal);
    if (range.equal.length === this.#paths.length) {
      const options = range.afterKey === undefined || reverse ? {} : { start: range.afterKey };
      const values = [...this.#table.getValues(prefix, options)];
      if (reverse) values.reverse();
      for (const key of values) if (range.afterKey === undefined || key > range.afterKey) yield key;
      return;
    }
    const [low, high] = bounds(prefix, range);
    if (!reverse) {
      for (const { value } of this.#table.getRange({ start: low, end: high })) yield value;
      return;
    }
    // Backwards LMDB includes `start` and excludes `end`; here it must be the other way round.
    for (const { key, value } of this.#table.getRange({ start: high, reverse: true })) {
      if (Buffer.compare(key, high) >= 0) continue;
      if (Buffer.compare(key, low) < 0) return;
      yield value;
    }
  }

  clear(): void {
    this.#table.clearSync();
  }

  drop(): void {
    this.#table.dropSync();
  }

  #insistOnUnique(entry: Buffer, key: string): void {
    for (const other of this.#table.getValues(entry, { limit: 2 })) {
      if (other === key) continue;
      throw new ArangoFault(
        1210,
        `unique constraint violated - in index ${this.definition.name} of type persistent over ` +
          `'${this.definition.fields.join(', ')}'; conflicting key: ${other}`,
      );
    }
  }

  #entryOf(doc: Doc): Buffer | undefined {
    const values = this.#paths.map((path) => valueAt(doc, path));
    if (this.definition.sparse && values.some((value) => value === null || value === undefined))
      return undefined;
    return encodeIndexKey(values);
  }
}

function bounds(prefix: Buffer, range: IndexRange): [Buffer, Buffer] {
  let low = prefix;
  let high = afterPrefix(prefix);
  if (range.lower) {
    low = Buffer.concat([prefix, encodeIndexKey([range.lower.value])]);
    if (!range.lower.inclusive) low = afterPrefix(low);
  }
  if (range.upper) {
    high = Buffer.concat([prefix, encodeIndexKey([range.upper.value])]);
    if (range.upper.inclusive) high = afterPrefix(high);
  }
  return [low, high];
}

function valueAt(doc: Doc, path: readonly string[]): unknown {
  let value: unknown = doc;
  for (const name of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Doc)[name];
  }
  return value;
}
