import { unsupported } from '../faults';
import type { Mischief } from '../mischief';
import type { Collection } from '../store/collection';
import type { Doc } from '../store/document';
import type { Budget } from './budget';
import { edgeKeysAt, type EdgeSource, opposite } from './traversal';
import { attribute } from './values';

/** A vertex on the path, and the edge that led to it; the first has none. */
export interface Stop {
  id: string;
  edge: Doc | null;
}

/** Reads the OPTIONS object; weights are refused, not ignored. */
export function insistOnUnweighted(options: unknown): void {
  if (attribute(options, 'weightAttribute') != null) throw unsupported('a weighted SHORTEST_PATH');
}

/** The edge by which a vertex was reached, and from where; read only when it lies on the path. */
interface Reached {
  from: string;
  collection: Collection;
  key: string;
}

interface Side {
  readonly reached: Map<string, Reached | undefined>;
  frontier: string[];
  readonly sources: readonly EdgeSource[];
}

/**
 * One of the shortest paths by number of edges, or nothing. Searched from both ends, layer by layer, always on the
 * side with fewer vertices to expand: in a social graph that meets in the middle after few of them.
 */
export function shortestPath(
  sources: readonly EdgeSource[],
  from: string,
  to: string,
  mischief: Mischief,
  budget: Budget,
): Stop[] {
  if (from === to) return [{ id: from, edge: null }];
  const reversed = sources.map((source) => ({ ...source, direction: opposite(source.direction) }));
  const forward: Side = { reached: new Map([[from, undefined]]), frontier: [from], sources };
  const backward: Side = { reached: new Map([[to, undefined]]), frontier: [to], sources: reversed };
  while (forward.frontier.length > 0 && backward.frontier.length > 0) {
    const [own, other] =
      forward.frontier.length <= backward.frontier.length ? [forward, backward] : [backward, forward];
    const meeting = expandLayer(own, other, mischief, budget);
    if (meeting !== undefined) return pathThrough(meeting, forward, backward);
  }
  return [];
}

/** Layers are complete on both sides, so the first vertex that both have reached lies on a shortest path. */
function expandLayer(own: Side, other: Side, mischief: Mischief, budget: Budget): string | undefined {
  const next: string[] = [];
  for (const from of mischief.shuffled([...own.frontier])) {
    for (const { collection, direction } of own.sources) {
      for (const key of edgeKeysAt(collection, from, direction)) {
        budget.spend();
        const [low, high] = collection.ends(key) ?? [from, from];
        const id = low === from ? high : low;
        if (own.reached.has(id)) continue;
        own.reached.set(id, { from, collection, key });
        if (other.reached.has(id)) return id;
        next.push(id);
      }
    }
  }
  own.frontier = next;
  return undefined;
}

function pathThrough(meeting: string, forward: Side, backward: Side): Stop[] {
  const path: Stop[] = [];
  for (let at = meeting, step = forward.reached.get(at); ; at = step.from, step = forward.reached.get(at)) {
    path.unshift({ id: at, edge: edgeOf(step) });
    if (!step) break;
  }
  for (let step = backward.reached.get(meeting); step; step = backward.reached.get(step.from)) {
    path.push({ id: step.from, edge: edgeOf(step) });
  }
  return path;
}

function edgeOf(step: Reached | undefined): Doc | null {
  return step?.collection.value(step.key) ?? null;
}
