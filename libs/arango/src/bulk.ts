import { DomainError } from '@sociograph/kernel';
import { inStoreSpan } from '@sociograph/observability';
import type { Database } from 'arangojs';
import { isConflictNumber, toDomainError } from './errors';

/** A document as it is stored: `_key`, `_rev` and whatever the collection holds. */
export type Stored<T extends object> = T & { _key: string; _rev: string };
/** A document to be written; edges bring `_from` and `_to` with them. */
export type Keyed<T extends object> = T & { _key: string };

export interface BulkChange<T extends object> {
  inserts?: Keyed<T>[];
  /** Written whether or not the key is taken, as a whole: for documents whose key says what they must hold. */
  puts?: Keyed<T>[];
  /** Written only while `_rev` is still the stored one. */
  replaces?: Stored<T>[];
  /** Merged into the stored document (nested objects too; null removes an attribute), `_rev` checked likewise. */
  updates?: Change<T>[];
  removes?: { _key: string; _rev: string }[];
}

/** Some attributes of a stored document; null takes one away. */
export type Change<T extends object> = { _key: string; _rev: string } & { [A in keyof T]?: unknown };

export interface BulkOutcome {
  written: number;
  /** Keys that another writer changed, made or removed meanwhile: read them again and decide anew. */
  conflicts: string[];
  /** Keys written, with their new revision (removed ones are absent). */
  revisions: Map<string, string>;
  requests: number;
}

/** Documents a request may carry: about 2 MB of edges. */
const CHUNK = 5000;

interface Reply {
  error?: true;
  errorNum?: number;
  errorMessage?: string;
  _rev?: string;
}

/** The stored documents of those keys that exist, in no order; one request for each 5,000 keys. */
export async function bulkGet<T extends object>(
  db: Database,
  collection: string,
  keys: readonly string[],
): Promise<Map<string, Stored<T>>> {
  const found = new Map<string, Stored<T>>();
  const answers = await Promise.all(
    chunks(keys).map(async (chunk) => {
      try {
        return (await inStoreSpan('arangodb', `read ${collection}`, () =>
          db.collection(collection).documents([...chunk]),
        )) as unknown as (Stored<T> & Reply)[];
      } catch (error) {
        throw toDomainError(error, `read ${collection}`);
      }
    }),
  );
  for (const doc of answers.flat()) if (doc.error !== true) found.set(doc._key, doc);
  return found;
}

/**
 * Writes with revisions checked. Not atomic: every element succeeds, conflicts, or (any other error) makes the
 * call throw after the other requests were sent, so the caller must be able to repeat all of it.
 */
export async function bulkWrite<T extends object>(
  db: Database,
  collection: string,
  change: BulkChange<T>,
): Promise<BulkOutcome> {
  const target = db.collection(collection);
  const outcome: BulkOutcome = { written: 0, conflicts: [], revisions: new Map(), requests: 0 };
  const send = async <D extends { _key: string }>(
    documents: D[],
    request: (chunk: D[]) => Promise<unknown>,
  ): Promise<void> => {
    outcome.requests += 1;
    let replies: Reply[];
    try {
      replies = (await inStoreSpan('arangodb', `write ${collection}`, () => request(documents))) as Reply[];
    } catch (error) {
      throw toDomainError(error, `write ${collection}`);
    }
    settle(documents, replies, outcome);
  };
  await Promise.all([
    ...chunks(change.inserts ?? []).map((part) => send(part, (docs) => target.saveAll(docs))),
    ...chunks(change.puts ?? []).map((part) =>
      send(part, (docs) => target.saveAll(docs, { overwriteMode: 'replace' })),
    ),
    ...chunks(change.replaces ?? []).map((part) =>
      send(part, (docs) => target.replaceAll(docs, { ignoreRevs: false })),
    ),
    ...chunks(change.updates ?? []).map((part) =>
      send(part, (docs) =>
        target.updateAll(docs as never, { ignoreRevs: false, keepNull: false, mergeObjects: true }),
      ),
    ),
    ...chunks(change.removes ?? []).map((part) =>
      send(part, (docs) => target.removeAll(docs, { ignoreRevs: false } as object)),
    ),
  ]);
  return outcome;
}

function settle(documents: { _key: string }[], replies: Reply[], outcome: BulkOutcome): void {
  documents.forEach(({ _key }, i) => {
    const reply = replies[i];
    if (reply?.error !== true) {
      outcome.written += 1;
      if (reply?._rev !== undefined) outcome.revisions.set(_key, reply._rev);
    } else if (isConflictNumber(reply.errorNum ?? 0)) outcome.conflicts.push(_key);
    else throw refused(reply);
  });
}

function refused({ errorNum, errorMessage }: Reply): DomainError {
  return new DomainError({
    code: 'ARANGO.REQUEST_REFUSED',
    kind: 'bug',
    message: 'The graph store refused a document',
    facts: { errorNum: errorNum ?? null, detail: errorMessage ?? null },
  });
}

function chunks<T>(items: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(items.length / CHUNK) }, (_, i) =>
    items.slice(i * CHUNK, (i + 1) * CHUNK),
  );
}
