import { readSpans } from './span-ring';
import type { StoredSpan } from './stored-span';

const TRACE_ID = /^[0-9a-f]{32}$/;
const TRACEPARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/;
/** Whatever the fleet gives out as an id. */
const ID = /^[A-Za-z0-9._-]{1,64}$/;

/** Attributes by whose value a trace is found. */
const NAMED_BY = [
  'sociograph.correlation.id',
  'sociograph.import.id',
  'sociograph.call.id',
  'sociograph.lease.id',
] as const;

/** A line begins with `{"traceId":"`, and the id. */
const BEFORE_TRACE_ID = '{"traceId":"'.length;

/** True for what may be asked for at all. */
export function isTraceQuery(text: string): boolean {
  return ID.test(text);
}

/**
 * The traces that an id leads to, by trace id, the one that began first first: a trace id or `traceparent`, else the
 * correlation id, import, call or lease that a span names.
 */
export function findTraces(folder: string, id: string): Map<string, StoredSpan[]> {
  const wanted = id.toLowerCase();
  const traceId = TRACEPARENT.exec(wanted)?.[1] ?? (TRACE_ID.test(wanted) ? wanted : undefined);
  const own = traceId === undefined ? new Map<string, StoredSpan[]>() : tracesOf(folder, new Set([traceId]));
  return own.size > 0 ? own : tracesOf(folder, tracesNaming(folder, id));
}

function tracesNaming(folder: string, id: string): Set<string> {
  const text = JSON.stringify(id);
  const found = new Set<string>();
  for (const { traceId, attributes } of readSpans(folder, (line) => line.includes(text))) {
    if (NAMED_BY.some((name) => attributes[name] === id)) found.add(traceId);
  }
  return found;
}

function tracesOf(folder: string, ids: ReadonlySet<string>): Map<string, StoredSpan[]> {
  const traces = new Map<string, StoredSpan[]>();
  if (ids.size === 0) return traces;
  const isOne = (line: string): boolean => ids.has(line.slice(BEFORE_TRACE_ID, BEFORE_TRACE_ID + 32));
  for (const span of readSpans(folder, isOne)) {
    const known = traces.get(span.traceId);
    if (known === undefined) traces.set(span.traceId, [span]);
    else known.push(span);
  }
  const began = (spans: readonly StoredSpan[]): number => Math.min(...spans.map(({ startMs }) => startMs));
  return new Map([...traces].sort(([, a], [, b]) => began(a) - began(b)));
}
