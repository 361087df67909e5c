import { inStoreSpan } from '@sociograph/observability';
import type { Database } from 'arangojs';
import { toDomainError } from './errors';

/** One named query: constant text, values through bind parameters only. */
export interface NamedQuery {
  readonly text: string;
  /** Rows per answer of the server; raise it where a result is known to be large. */
  readonly batchSize?: number;
  /** Its name in the catalogue, which `aqlCatalogue` gives it; traces show it. */
  readonly name?: string;
}

export type AqlCatalogue<Name extends string> = Readonly<Record<Name, NamedQuery>>;

/**
 * Declares the queries of a service in one place. Text that could have been put together from input is refused:
 * a query must be written down as a constant, so a template with `${}` in it cannot reach the server.
 */
export function aqlCatalogue<Name extends string>(queries: Record<Name, NamedQuery>): AqlCatalogue<Name> {
  const named = Object.entries<NamedQuery>(queries).map(([name, query]) => [
    name,
    Object.freeze({ ...query, name }),
  ]);
  return Object.freeze(Object.fromEntries(named) as Record<Name, NamedQuery>);
}

/**
 * Runs a query of the catalogue and reads its result to the end. Beyond `maxRuntimeSeconds` the store ends it: the
 * error thrown then has ArangoDB's 1500 as its cause.
 */
export async function runNamed<Row>(
  db: Database,
  query: NamedQuery,
  bindVars: Record<string, unknown>,
  maxRuntimeSeconds?: number,
): Promise<Row[]> {
  try {
    const options = {
      ...(query.batchSize !== undefined && { batchSize: query.batchSize }),
      ...(maxRuntimeSeconds !== undefined && { maxRuntime: maxRuntimeSeconds }),
    };
    return await inStoreSpan('arangodb', query.name ?? 'query', async () => {
      const cursor = await db.query<Row>(query.text, bindVars, options);
      return await cursor.all();
    });
  } catch (error) {
    throw toDomainError(error, query.text.trim().slice(0, 80));
  }
}
