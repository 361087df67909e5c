import type { StoredSpan } from './stored-span';

/** A span at its place in the tree, in the order in which it is printed. */
export interface TreeRow {
  readonly span: StoredSpan;
  /** 0 for one without a parent here. */
  readonly depth: number;
  /** Of its depth: whether a sibling follows it, and so for each depth above. */
  readonly follows: readonly boolean[];
  readonly parent: StoredSpan | undefined;
  readonly flaw: 'orphan' | 'circle' | undefined;
}

/**
 * The spans of one trace as a forest, siblings by their start. A span whose parent is not here is a root and an `orphan`; spans
 * that are each other's parents belong to no root and come last, flat, as a `circle`. Of a span that came twice the later counts.
 */
export function treeOf(spans: readonly StoredSpan[]): TreeRow[] {
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  const children = new Map<string, StoredSpan[]>();
  const roots: StoredSpan[] = [];
  for (const span of inOrder([...byId.values()])) {
    const parent = parentOf(span, byId);
    if (parent === undefined) roots.push(span);
    else children.set(parent.spanId, [...(children.get(parent.spanId) ?? []), span]);
  }
  const rows: TreeRow[] = [];
  // A stack of its own: a trace may be deeper than calls can be.
  const waiting: TreeRow[] = [];
  const push = (siblings: readonly StoredSpan[], above: TreeRow | undefined): void => {
    for (let place = siblings.length - 1; place >= 0; place -= 1) {
      const span = siblings[place] as StoredSpan;
      waiting.push({
        span,
        depth: above === undefined ? 0 : above.depth + 1,
        follows: [...(above?.follows ?? []), place < siblings.length - 1],
        parent: above?.span,
        flaw: above === undefined && span.parentSpanId !== undefined ? 'orphan' : undefined,
      });
    }
  };
  push(roots, undefined);
  for (let row = waiting.pop(); row !== undefined; row = waiting.pop()) {
    rows.push(row);
    push(children.get(row.span.spanId) ?? [], row);
  }
  const reached = new Set(rows.map(({ span }) => span.spanId));
  for (const span of inOrder([...byId.values()])) {
    if (!reached.has(span.spanId))
      rows.push({ span, depth: 0, follows: [false], parent: parentOf(span, byId), flaw: 'circle' });
  }
  return rows;
}

function parentOf(span: StoredSpan, byId: ReadonlyMap<string, StoredSpan>): StoredSpan | undefined {
  return span.parentSpanId === undefined ? undefined : byId.get(span.parentSpanId);
}

function inOrder(spans: StoredSpan[]): StoredSpan[] {
  return spans.sort((a, b) => a.startMs - b.startMs || b.endMs - a.endMs || (a.spanId < b.spanId ? -1 : 1));
}
