import { ArangoFault } from '../faults';
import { REVISION_LENGTH } from './revisions';

/** A document as AQL and the HTTP interface see it. */
export type Doc = Record<string, unknown>;

/** Two handles of 511 bytes and what stands around them. */
const LONGEST_ENDS = 1_060;

const KEY = /^[A-Za-z0-9_\-.@()+,=;$!*'%:]{1,254}$/;
const HANDLE = /^[A-Za-z_][A-Za-z0-9_-]{0,255}\/[A-Za-z0-9_\-.@()+,=;$!*'%:]{1,254}$/;

export function isDocumentKey(value: unknown): value is string {
  return typeof value === 'string' && KEY.test(value);
}

export function isDocumentId(value: unknown): value is string {
  return typeof value === 'string' && HANDLE.test(value);
}

/**
 * Stored form: revision, then the JSON of the attributes that the key does not say. `_key` is LMDB's key and
 * `_id` follows from it, so both are left out (a sixth of a small edge).
 */
export function storedForm(rev: string, doc: Doc): string {
  const { _key, _id, _rev, ...rest } = doc;
  return rev + JSON.stringify(rest);
}

export function revisionOf(stored: string): string {
  return stored.slice(0, REVISION_LENGTH);
}

/** JSON text of the whole document; no parsing on the way. */
export function documentText(collection: string, key: string, stored: string): string {
  const head = `{"_key":"${key}","_id":"${collection}/${key}","_rev":"${revisionOf(stored)}"`;
  return stored.length === REVISION_LENGTH + 2 ? `${head}}` : `${head},${stored.slice(REVISION_LENGTH + 1)}`;
}

export function documentValue(collection: string, key: string, stored: string): Doc {
  const doc: Doc = { _key: key, _id: `${collection}/${key}`, _rev: revisionOf(stored) };
  return Object.assign(doc, JSON.parse(stored.slice(REVISION_LENGTH)) as Doc);
}

/** Attributes without the system's three; what an index looks at. */
export function attributesOf(stored: string): Doc {
  return JSON.parse(stored.slice(REVISION_LENGTH)) as Doc;
}

const ENDS = /^\{"_from":"([^"\\]+)","_to":"([^"\\]+)"/;

/** Both ends of a stored edge. Edges that were written ends first, as clients do, are not parsed for it. */
export function edgeEndsOf(stored: string): readonly [from: string, to: string] {
  const found = ENDS.exec(stored.slice(REVISION_LENGTH, REVISION_LENGTH + LONGEST_ENDS));
  if (found) return [found[1] as string, found[2] as string];
  const { _from, _to } = attributesOf(stored);
  return [String(_from), String(_to)];
}

/** ArangoDB's PATCH: nested objects are merged, arrays and scalars replaced; `keepNull=false` drops nulls. */
export function patched(old: Doc, patch: Doc, options: { keepNull: boolean; mergeObjects: boolean }): Doc {
  const result: Doc = { ...old };
  for (const [name, value] of Object.entries(patch)) {
    if (name === '_key' || name === '_id' || name === '_rev') continue;
    if (value === null && !options.keepNull) delete result[name];
    else if (options.mergeObjects && isPlain(value) && isPlain(result[name])) {
      result[name] = patched(result[name], value, options);
    } else result[name] = value;
  }
  return result;
}

export function requireEdgeEnds(doc: Doc): void {
  if (!isDocumentId(doc['_from']) || !isDocumentId(doc['_to'])) {
    throw new ArangoFault(1233, 'edge attribute missing or invalid');
  }
}

function isPlain(value: unknown): value is Doc {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
