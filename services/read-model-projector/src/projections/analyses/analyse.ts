import type { AnalysisKind } from './analysis';
import { coreNumbers } from './k-core';
import { louvain } from './louvain';
import { pageRank } from './page-rank';
import { type GraphCopy, type WholeGraph, wholeGraph } from './whole-graph';

/** What an analysis found: everybody in an order with a value, and for communities how many of them each has. */
export interface Findings {
  people: number;
  friendships: number;
  figures: Record<string, number>;
  /** In the order of the result. */
  ids: string[];
  /** Beside each id: number of the community from 1, core number, or score. */
  values: Float64Array;
  /** Of communities: members of each, largest first; they stand one community behind the other. */
  sizes: Uint32Array;
}

/** The whole work on a graph; yields how far it is, 0 to 1. The same graph, kind and seed give the same findings. */
export function* analyse(copy: GraphCopy, kind: AnalysisKind, seed: number): Generator<number, Findings> {
  const graph = wholeGraph(copy);
  yield 0;
  if (kind === 'communities') return yield* communities(graph, seed);
  if (kind === 'k-core') {
    const cores = yield* coreNumbers(graph);
    return ranked(graph, cores, { degeneracy: cores.reduce((most, core) => Math.max(most, core), 0) });
  }
  const { scores, rounds } = yield* pageRank(graph);
  return ranked(graph, scores, { rounds });
}

function* communities(graph: WholeGraph, seed: number): Generator<number, Findings> {
  const { communityOf, count, modularity, levels } = yield* louvain(graph, chanceOf(seed));
  const sizes = new Uint32Array(count);
  const firsts = new Uint32Array(count).fill(0xffffffff);
  for (const [person, community] of communityOf.entries()) {
    sizes[community]!++;
    firsts[community] = Math.min(firsts[community]!, person);
  }
  const bySize = [...sizes.keys()].sort((a, b) => sizes[b]! - sizes[a]! || firsts[a]! - firsts[b]!);
  const numbers = new Uint32Array(count);
  for (const [at, community] of bySize.entries()) numbers[community] = at + 1;
  const order = [...communityOf.keys()].sort(
    (a, b) => numbers[communityOf[a]!]! - numbers[communityOf[b]!]! || a - b,
  );
  return {
    ...sizeOf(graph),
    figures: { communities: count, modularity, levels },
    ids: order.map((person) => graph.ids[person]!),
    values: Float64Array.from(order, (person) => numbers[communityOf[person]!]!),
    sizes: Uint32Array.from(bySize, (community) => sizes[community]!),
  };
}

/** Highest value first, then by id. */
function ranked(
  graph: WholeGraph,
  values: Uint32Array | Float64Array,
  figures: Record<string, number>,
): Findings {
  const order = [...values.keys()].sort((a, b) => values[b]! - values[a]! || a - b);
  return {
    ...sizeOf(graph),
    figures,
    ids: order.map((person) => graph.ids[person]!),
    values: Float64Array.from(order, (person) => values[person]!),
    sizes: new Uint32Array(0),
  };
}

function sizeOf({ ids, friends }: WholeGraph): Pick<Findings, 'people' | 'friendships'> {
  return { people: ids.length, friendships: friends.length / 2 };
}

/** mulberry32: the same sequence for the same seed. */
function chanceOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
