import type { StoredSpan } from '../src/traces/stored-span';

export const TRACE = 'a'.repeat(32);

/** Of specs: a span of 10 ms that began 1 s after the epoch; its id is the number as 16 hex digits. */
export function aSpan(n: number, parent?: number, rest: Partial<StoredSpan> = {}): StoredSpan {
  return {
    traceId: TRACE,
    spanId: spanId(n),
    ...(parent === undefined ? {} : { parentSpanId: spanId(parent) }),
    name: `span ${n}`,
    kind: 'internal',
    service: 'service-0',
    startMs: 1_000,
    endMs: 1_010,
    failed: false,
    attributes: {},
    links: [],
    ...rest,
  };
}

export function spanId(n: number): string {
  return n.toString(16).padStart(16, '0');
}
