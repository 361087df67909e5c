import type { Database, RootDatabase } from 'lmdb';
import { ArangoFault, unsupported } from '../faults';
import type { Doc } from './document';
import { afterPrefix, encodeIndexKey, indexable } from './index-keys';

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

/** Entries that go and entries that come; an array index has several of a document. */
export interface EntryMove {
  from: readonly Buffer[];
  to: readonly Buffer[];
}

/** Ends the field of an array index: each element is an entry of its own. */
const EACH = '[*]';

/**
 * One sorted index: encoded values -> document keys, duplicates in key order (LMDB DUPSORT). An array index has one
 * field, `words[*]`, and an entry for each different element that is a scalar.
 */
export class IndexTable {
  readonly #table: Database<string, Buffer>;
  readonly #paths: string[][];
  readonly #ofElements: boolean;

  constructor(
    env: RootDatabase,
    readonly definition: IndexDefinition,
    tableName: string,
    fields: readonly string[] = definition.fields,
  ) {
    this.#ofElements = fields.some((field) => field.includes(EACH));
    const plain = fields.length === 1 && fields[0]!.indexOf(EACH) === fields[0]!.length - EACH.length;
    if (this.#ofElements && (!plain || definition.unique))
      throw unsupported(
        'an array index ([*]) that is unique, or over more than the elements of one attribute',
      );
    this.#paths = fields.map((field) => field.replace(EACH, '').split('.'));
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
    if (before && after && this.#paths.every((path) => same(valueAt(before, path), valueAt(after, path))))
      return undefined;
    const from = before ? this.#entriesOf(before) : [];
    const to = after ? this.#entriesOf(after) : [];
    const gone = without(from, to);
    const fresh = without(to, from);
    if (this.definition.unique) for (const entry of fresh) this.#insistOnUnique(entry, key);
    return gone.length + fresh.length > 0 ? { from: gone, to: fresh } : undefined;
  }

  /** Carries out a plan, inside a transaction. */
  move(key: string, { from, to }: EntryMove): void {
    for (const entry of from) void this.#table.remove(entry, key);
    for (const entry of to) void this.#table.put(entry, key);
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

  #entriesOf(doc: Doc): Buffer[] {
    const values = this.#paths.map((path) => valueAt(doc, path));
    if (this.#ofElements) {
      const elements = Array.isArray(values[0]) ? new Set(values[0] as unknown[]) : [];
      return [...elements].filter(indexable).map((element) => encodeIndexKey([element]));
    }
    if (this.definition.sparse && values.some((value) => value === null || value === undefined)) return [];
    return [encodeIndexKey(values)];
  }
}

/** Of scalars, and of lists of them: encoding a dozen elements twice to find that nothing changed takes longer. */
function same(a: unknown, b: unknown): boolean {
  if (!Array.isArray(a) || !Array.isArray(b)) return a === b;
  return a.length === b.length && a.every((element, at) => element === b[at]);
}

function without(entries: readonly Buffer[], others: readonly Buffer[]): readonly Buffer[] {
  if (others.length === 0 || entries.length === 0) return entries;
  if (entries.length === 1 && others.length === 1) return entries[0]!.equals(others[0]!) ? [] : entries;
  const known = new Set(others.map((entry) => entry.toString('latin1')));
  return entries.filter((entry) => !known.has(entry.toString('latin1')));
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
