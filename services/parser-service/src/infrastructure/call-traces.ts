import { extractTrace, openSpan } from '@sociograph/observability';
import type { Call } from '../domain/ports';

/**
 * Calls that belong to the trace of the request: those of the first dispatch of its import, at most so many. An import may
 * make a million calls, and nobody reads a trace of them all.
 */
export const CALLS_OF_REQUEST = 10;

/** Where an import comes from, as its row has it at a dispatch. */
export interface ImportTrace {
  /** Of the request that began it; null where that was not traced. */
  traceparent: string | null;
  /** Nothing of it was dispatched before. */
  first: boolean;
}

/**
 * The trace of each call that is dispatched: that of the request for the first ones, a trace of its own for every
 * other, which names the request by a link. By call id, as `traceparent` of the dispatch.
 */
export function tracesOfCalls(
  calls: readonly Pick<Call, 'callId' | 'importId' | 'network'>[],
  imports: ReadonlyMap<string, ImportTrace>,
): Map<string, string> {
  const given = new Map<string, number>();
  const traces = new Map<string, string>();
  for (const { callId, importId, network } of calls) {
    const { traceparent = null, first = false } = imports.get(importId) ?? {};
    const before = given.get(importId) ?? 0;
    given.set(importId, before + 1);
    const belongs = first && before < CALLS_OF_REQUEST && traceparent !== null;
    const span = openSpan('dispatch call', {
      parent: extractTrace(belongs ? { traceparent } : {}),
      links: belongs || traceparent === null ? [] : [traceparent],
      attributes: {
        'sociograph.import.id': importId,
        'sociograph.call.id': callId,
        'sociograph.network': network,
      },
    });
    span.end();
    if (span.traceparent !== undefined) traces.set(callId, span.traceparent);
  }
  return traces;
}
