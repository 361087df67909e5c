import { ArangoFault, unsupported } from '../faults';
import type { Mischief } from '../mischief';
import type { Collection } from '../store/collection';
import { type Doc, isDocumentId } from '../store/document';
import type { Direction } from './ast';
import type { Budget } from './budget';
import { attribute } from './values';

/** One edge collection and the way it is gone through. */
export interface EdgeSource {
  direction: Direction;
  collection: Collection;
}

export interface TraversalPlan {
  min: number;
  max: number;
  edges: EdgeSource[];
  budget: Budget;
  order: 'dfs' | 'bfs';
  uniqueVertices: 'none' | 'path' | 'global';
  uniqueEdges: 'none' | 'path';
  vertex: (id: string) => Doc | null;
  prune?: (step: Step) => boolean;
}

/** One place reached: the way to it is the chain of `via`. */
export interface Step {
  id: string;
  edge: Doc | null;
  depth: number;
  via: Step | undefined;
}

/** Reads the OPTIONS object of a traversal; what this server does not do is refused, not ignored. */
export function traversalOptions(
  options: unknown,
): Pick<TraversalPlan, 'order' | 'uniqueVertices' | 'uniqueEdges'> {
  const order = attribute(options, 'order') ?? (attribute(options, 'bfs') === true ? 'bfs' : 'dfs');
  const uniqueVertices = attribute(options, 'uniqueVertices') ?? 'none';
  const uniqueEdges = attribute(options, 'uniqueEdges') ?? 'path';
  if (order !== 'dfs' && order !== 'bfs') throw unsupported(`traversal order ${JSON.stringify(order)}`);
  if (uniqueVertices !== 'none' && uniqueVertices !== 'path' && uniqueVertices !== 'global') {
    throw new ArangoFault(10, 'uniqueVertices must be none, path or global');
  }
  if (uniqueEdges !== 'none' && uniqueEdges !== 'path')
    throw new ArangoFault(10, 'uniqueEdges must be none or path');
  if (uniqueVertices === 'global' && order !== 'bfs') {
    throw new ArangoFault(10, 'uniqueVertices: "global" needs order "bfs"');
  }
  return { order, uniqueVertices, uniqueEdges };
}

/** The id that a traversal starts at, or undefined when the value names none (then there are no rows). */
export function startId(start: unknown): string | undefined {
  const id = typeof start === 'string' ? start : attribute(start, '_id');
  return isDocumentId(id) ? id : undefined;
}

export function* traverse(plan: TraversalPlan, start: string, mischief: Mischief): Iterable<Step> {
  const first: Step = { id: start, edge: null, depth: 0, via: undefined };
  const seen = new Set([start]);
  const pending = [first];
  for (;;) {
    const step = plan.order === 'bfs' ? pending.shift() : pending.pop();
    if (!step) return;
    if (step.depth >= plan.min) yield step;
    if (step.depth >= plan.max || plan.prune?.(step)) continue;
    for (const next of mischief.shuffled(expand(plan, step))) {
      if (plan.uniqueVertices === 'global') {
        if (seen.has(next.id)) continue;
        seen.add(next.id);
      }
      pending.push(next);
    }
  }
}

/** Vertices and edges from the start to a step, as the third variable of a traversal shows them. */
export function pathTo(step: Step, vertex: (id: string) => Doc | null): Doc {
  const steps: Step[] = [];
  for (let at: Step | undefined = step; at; at = at.via) steps.unshift(at);
  const edges = steps.flatMap(({ edge }) => (edge ? [edge] : []));
  return { vertices: steps.map(({ id }) => vertex(id)), edges, weights: steps.map(({ depth }) => depth) };
}

function expand(plan: TraversalPlan, step: Step): Step[] {
  const found: Step[] = [];
  for (const { direction, collection } of plan.edges) {
    for (const edge of edgesAt(collection, step.id, direction)) {
      plan.budget.spend();
      const next: Step = { id: otherEnd(edge, step.id), edge, depth: step.depth + 1, via: step };
      if (allowed(plan, next)) found.push(next);
    }
  }
  return found;
}

function otherEnd(edge: Doc, id: string): string {
  return String(edge['_from'] === id ? edge['_to'] : edge['_from']);
}

export function opposite(direction: Direction): Direction {
  return direction === 'ANY' ? 'ANY' : direction === 'OUTBOUND' ? 'INBOUND' : 'OUTBOUND';
}

function* edgesAt(collection: Collection, id: string, direction: Direction): Iterable<Doc> {
  for (const key of edgeKeysAt(collection, id, direction)) {
    const edge = collection.value(key);
    if (edge) yield edge;
  }
}

/** Keys of edges that leave a vertex in that direction, each once. */
export function* edgeKeysAt(collection: Collection, id: string, direction: Direction): Iterable<string> {
  const ends = collection.edgeEnds;
  if (!ends) throw unsupported(`a traversal over ${collection.name}, which holds no edges`);
  const seen = new Set<string>();
  for (const table of direction === 'ANY'
    ? [ends.from, ends.to]
    : direction === 'OUTBOUND'
      ? [ends.from]
      : [ends.to]) {
    for (const key of table.keys({ equal: [id] })) {
      if (seen.has(key)) continue;
      seen.add(key);
      yield key;
    }
  }
}

function allowed(plan: TraversalPlan, next: Step): boolean {
  for (let at = next.via; at; at = at.via) {
    if (plan.uniqueEdges === 'path' && at.edge && at.edge['_id'] === next.edge?.['_id']) return false;
    if (plan.uniqueVertices === 'path' && at.id === next.id) return false;
  }
  return true;
}
