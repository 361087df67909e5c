import type { NormalGraph } from './normal-graph';

/** Definitions as in infra/vk-simulator/data/README.md; every figure is a plain recount, nothing incremental. */
export interface GraphStatistics {
  users: number;
  friendships: number;
  /** Each triangle once. */
  triangles: number;
  /** Paths of length two: the sum of d(d-1)/2. */
  wedges: number;
  /** Mean of the local coefficient over ALL users; 0 for those with fewer than two friends. */
  averageClustering: number;
  /** 3T / W; 0 when there is no wedge. */
  transitivity: number;
  /** SNAP's "fraction of closed triangles", T / (W - 2T); 0 when there is no wedge. */
  closedTriangleFraction: number;
  components: number;
  largestComponent: number;
  /** [degree, users of that degree], ascending. */
  degreeDistribution: Array<readonly [number, number]>;
}

/** The exact figures of a graph; the oracle against which the read models are checked. */
export function graphStatistics(graph: NormalGraph): GraphStatistics {
  const perPerson = triangleCounts(graph);
  let corners = 0;
  let wedges = 0;
  let clustering = 0;
  const degrees = new Map<number, number>();
  for (let index = 0; index < graph.people; index += 1) {
    const degree = graph.degree(index);
    const paths = (degree * (degree - 1)) / 2;
    corners += perPerson[index] as number;
    wedges += paths;
    if (paths > 0) clustering += (perPerson[index] as number) / paths;
    degrees.set(degree, (degrees.get(degree) ?? 0) + 1);
  }
  const triangles = corners / 3;
  const { of, count } = graph.components();
  const sizes = new Uint32Array(count);
  for (const component of of) sizes[component] = (sizes[component] as number) + 1;
  return {
    users: graph.people,
    friendships: graph.friendshipCount,
    triangles,
    wedges,
    averageClustering: graph.people === 0 ? 0 : clustering / graph.people,
    transitivity: wedges === 0 ? 0 : (3 * triangles) / wedges,
    closedTriangleFraction: wedges === 0 ? 0 : triangles / (wedges - 2 * triangles),
    components: count,
    largestComponent: sizes.reduce((largest, size) => Math.max(largest, size), 0),
    degreeDistribution: [...degrees].sort((a, b) => a[0] - b[0]),
  };
}

/**
 * Triangles through each person, by index. Each friendship points from the person with fewer friends to the
 * other, so that no row is longer than sqrt(2m): 1.3 million friendships take about a second.
 */
export function triangleCounts(graph: NormalGraph): Float64Array {
  const counts = new Float64Array(graph.people);
  const forward: Uint32Array[] = [];
  for (let index = 0; index < graph.people; index += 1) {
    const degree = graph.degree(index);
    forward.push(
      graph.row(index).filter((friend) => {
        const theirs = graph.degree(friend);
        return theirs > degree || (theirs === degree && friend > index);
      }),
    );
  }
  const marked = new Int32Array(graph.people).fill(-1);
  for (let a = 0; a < graph.people; a += 1) {
    const row = forward[a] as Uint32Array;
    for (const b of row) marked[b] = a;
    for (const b of row) {
      for (const c of forward[b] as Uint32Array) {
        if (marked[c] !== a) continue;
        counts[a] = (counts[a] as number) + 1;
        counts[b] = (counts[b] as number) + 1;
        counts[c] = (counts[c] as number) + 1;
      }
    }
  }
  return counts;
}
