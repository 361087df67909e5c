import { isConflict, toDomainError } from '@sociograph/arango';
import { DomainError, isDomainError } from '@sociograph/kernel';
import { inStoreSpan } from '@sociograph/observability';
import type { Database } from 'arangojs';

const TRIES = 10;

/** One request, a span where its trace is kept; what the database answers with is thrown as a DomainError that says what was tried. */
export async function guarded<T>(what: string, request: () => Promise<T>): Promise<T> {
  try {
    return await inStoreSpan('arangodb', what, request);
  } catch (error) {
    throw toDomainError(error, what);
  }
}

/**
 * One request up to ten times, from its reading on, when another write came between: the database answers that with
 * 1200.
 */
export async function withoutConflict<T>(what: string, request: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await request();
    } catch (error) {
      if (isDomainError(error)) throw error;
      if (attempt === TRIES || !isConflict(error)) throw toDomainError(error, what);
    }
  }
}

/**
 * Removes the documents whose keys `find` gives, until it gives none: a removal that met with a conflict is only noted
 * in the answer, and its key is found again. Ten answers in a row that removed nothing are `unavailable`.
 */
export async function removeFound(
  db: Database,
  collection: string,
  find: () => Promise<string[]>,
): Promise<void> {
  let inVain = 0;
  for (let keys = await find(); keys.length > 0; keys = await find()) {
    const answers: unknown[] = await guarded(`remove from ${collection}`, () =>
      db.collection(collection).removeAll(keys),
    );
    inVain = answers.every((answer) => (answer as { error?: boolean }).error === true) ? inVain + 1 : 0;
    if (inVain === TRIES) throw storeRefused({ collection, documents: keys.length });
  }
}

/** The store answered, but did not do all that it was asked for. */
export function storeRefused(facts: Record<string, string | number>): DomainError {
  return new DomainError({
    code: 'VIEWS.STORE_REFUSED',
    kind: 'unavailable',
    message: 'The store did not take all rows',
    facts,
  });
}
