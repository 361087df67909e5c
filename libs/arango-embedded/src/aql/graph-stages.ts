import type { Mischief } from '../mischief';
import type { Doc } from '../store/document';
import type { Budget } from './budget';
import type { Evaluate, Frame } from './scope';
import { shortestPath } from './shortest-path';
import type { QueryStats, Stage } from './stages';
import { type EdgeSource, pathTo, startId, type Step, traversalOptions, traverse } from './traversal';
import { isTrue, toNumber } from './values';

/** What a walk over the graph needs of the query that it belongs to. */
export interface Surroundings {
  vertex: (id: string) => Doc | null;
  mischief: Mischief;
  budget: Budget;
  stats: QueryStats;
}

export interface TraversalStage {
  start: Evaluate;
  min: Evaluate;
  max: Evaluate;
  prune: Evaluate | undefined;
  edges: EdgeSource[];
  options: unknown;
  /** Vertex, edge and path; those that the query names. */
  slots: readonly (number | undefined)[];
}

/** `FOR v, e, p IN min..max DIRECTION start edges`. */
export function traversalRows(stage: TraversalStage, around: Surroundings): Stage {
  const { start, min, max, prune, edges, slots } = stage;
  const { vertex, mischief, budget, stats } = around;
  const [vertexSlot, edgeSlot, pathSlot] = slots;
  const options = traversalOptions(stage.options);
  const place = (frame: Frame, step: Step): Frame => {
    if (vertexSlot !== undefined) frame[vertexSlot] = vertex(step.id);
    if (edgeSlot !== undefined) frame[edgeSlot] = step.edge;
    if (pathSlot !== undefined) frame[pathSlot] = pathTo(step, vertex);
    return frame;
  };
  return function* (input) {
    for (const frame of input) {
      const id = startId(start(frame));
      if (id === undefined) continue;
      const plan = {
        ...options,
        edges,
        vertex,
        budget,
        min: toNumber(min(frame)),
        max: toNumber(max(frame)),
      };
      const pruned = prune && ((step: Step) => isTrue(prune(place(frame, step))));
      for (const step of traverse({ ...plan, ...(pruned && { prune: pruned }) }, id, mischief)) {
        stats.scannedIndex += 1;
        yield place(frame, step);
      }
    }
  };
}

/** `FOR v, e IN DIRECTION SHORTEST_PATH from TO to edges`: a row for each vertex of the path, in its order. */
export function shortestPathRows(
  { from, to, edges, slots }: { from: Evaluate; to: Evaluate } & Pick<TraversalStage, 'edges' | 'slots'>,
  { vertex, mischief, budget, stats }: Surroundings,
): Stage {
  const [vertexSlot, edgeSlot] = slots;
  return function* (input) {
    for (const frame of input) {
      const [first, last] = [startId(from(frame)), startId(to(frame))];
      if (first === undefined || last === undefined) continue;
      for (const { id, edge } of shortestPath(edges, first, last, mischief, budget)) {
        stats.scannedIndex += 1;
        if (vertexSlot !== undefined) frame[vertexSlot] = vertex(id);
        if (edgeSlot !== undefined) frame[edgeSlot] = edge;
        yield frame;
      }
    }
  };
}
