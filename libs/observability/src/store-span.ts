import { openKeptSpan } from './tracing';

/**
 * Runs one piece of work at a store (`arangodb`, `postgresql`) in a span of its own where the trace at hand is kept; elsewhere it
 * costs nothing. `operation` is the name of a query or of what is done with which collection: never a key or a value. The
 * span is a leaf: what the work announces follows from the span above it.
 */
export async function inStoreSpan<R>(system: string, operation: string, work: () => Promise<R>): Promise<R> {
  const attributes = { 'db.system.name': system, 'db.operation.name': operation };
  const span = openKeptSpan(`${system} ${operation}`, { kind: 'client', attributes });
  try {
    const result = await work();
    span?.end();
    return result;
  } catch (error) {
    span?.end(error);
    throw error;
  }
}
