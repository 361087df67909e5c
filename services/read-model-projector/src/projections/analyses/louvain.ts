import type { WholeGraph } from './whole-graph';

/** A pass that improves the modularity by less than this is the last one of its level. */
const LEAST_GAIN = 1e-7;
const MOST_PASSES = 100;
const STEPS = 20_000;

export interface Communities {
  /** By person, from 0; no particular order of communities. */
  communityOf: Uint32Array;
  count: number;
  modularity: number;
  levels: number;
}

/** Vertices that stand for communities of the level below; both directions of an edge are there. */
interface Level {
  starts: Uint32Array;
  targets: Uint32Array;
  weights: Float64Array;
  /** Both directions of what is inside a vertex. */
  inside: Float64Array;
}

/**
 * Louvain's communities (Blondel et al. 2008): everybody moves to the neighbouring community that raises the modularity
 * most, in an order drawn from the seed, until nothing moves; then each community is a vertex, and again. The same graph
 * and seed give the same communities. About 40 bytes a friendship. Yields how far it is, 0 to 1, roughly.
 */
export function* louvain(graph: WholeGraph, chance: () => number): Generator<number, Communities> {
  const people = graph.starts.length - 1;
  let level: Level = {
    starts: graph.starts,
    targets: graph.friends,
    weights: new Float64Array(graph.friends.length).fill(1),
    inside: new Float64Array(people),
  };
  const communityOf = Uint32Array.from({ length: people }, (_, person) => person);
  let count = people;
  let levels = 0;
  const total = graph.friends.length;
  while (total > 0) {
    const moved = yield* moveVertices(level, total, chance, levels);
    const found = numbered(moved);
    if (found.count === count) break;
    for (let person = 0; person < people; person++)
      communityOf[person] = found.communityOf[communityOf[person]!]!;
    count = found.count;
    level = merged(level, found.communityOf, count);
    levels++;
  }
  return { communityOf, count, modularity: modularityOf(graph, communityOf, count), levels };
}

function* moveVertices(
  { starts, targets, weights, inside }: Level,
  total: number,
  chance: () => number,
  levels: number,
): Generator<number, Uint32Array> {
  const vertices = inside.length;
  const communities = Uint32Array.from({ length: vertices }, (_, vertex) => vertex);
  const degrees = Float64Array.from(inside);
  for (let vertex = 0; vertex < vertices; vertex++)
    for (let at = starts[vertex]!; at < starts[vertex + 1]!; at++) degrees[vertex]! += weights[at]!;
  const sums = Float64Array.from(degrees);
  const order = shuffled(vertices, chance);
  const towards = new Float64Array(vertices);
  const near: number[] = [];
  for (let pass = 0; pass < MOST_PASSES; pass++) {
    let gained = 0;
    for (let place = 0; place < vertices; place++) {
      if (place % STEPS === 0) yield Math.min(0.99, 1 - 1 / (2 + levels + pass / 10 + place / vertices / 10));
      const vertex = order[place]!;
      const own = communities[vertex]!;
      near.length = 0;
      for (let at = starts[vertex]!; at < starts[vertex + 1]!; at++) {
        const community = communities[targets[at]!]!;
        if (towards[community] === 0) near.push(community);
        towards[community]! += weights[at]!;
      }
      const degree = degrees[vertex]!;
      sums[own]! -= degree;
      const stay = towards[own]! - (sums[own]! * degree) / total;
      let best = own;
      let bestGain = stay;
      for (const community of near) {
        const gain = towards[community]! - (sums[community]! * degree) / total;
        if (gain > bestGain + 1e-12) [best, bestGain] = [community, gain];
      }
      sums[best]! += degree;
      communities[vertex] = best;
      gained += (2 * (bestGain - stay)) / total;
      for (const community of near) towards[community] = 0;
    }
    if (gained < LEAST_GAIN) break;
  }
  return communities;
}

/** The same communities, numbered from 0 in the order in which they first occur. */
function numbered(communities: Uint32Array): { communityOf: Uint32Array; count: number } {
  const numbers = new Uint32Array(communities.length);
  let count = 0;
  const communityOf = communities.map((community) => {
    if (numbers[community] === 0) numbers[community] = ++count;
    return numbers[community]! - 1;
  });
  return { communityOf, count };
}

function merged({ starts, targets, weights, inside }: Level, communityOf: Uint32Array, count: number): Level {
  const members: number[][] = Array.from({ length: count }, () => []);
  for (let vertex = 0; vertex < communityOf.length; vertex++) members[communityOf[vertex]!]!.push(vertex);
  const next: Level = {
    starts: new Uint32Array(count + 1),
    targets: new Uint32Array(targets.length),
    weights: new Float64Array(targets.length),
    inside: new Float64Array(count),
  };
  const towards = new Float64Array(count);
  let used = 0;
  for (let community = 0; community < count; community++) {
    const near: number[] = [];
    for (const vertex of members[community]!) {
      next.inside[community]! += inside[vertex]!;
      for (let at = starts[vertex]!; at < starts[vertex + 1]!; at++) {
        const other = communityOf[targets[at]!]!;
        if (other === community) next.inside[community]! += weights[at]!;
        else {
          if (towards[other] === 0) near.push(other);
          towards[other]! += weights[at]!;
        }
      }
    }
    near.sort((a, b) => a - b);
    for (const other of near) {
      next.targets[used] = other;
      next.weights[used++] = towards[other]!;
      towards[other] = 0;
    }
    next.starts[community + 1] = used;
  }
  return { ...next, targets: next.targets.slice(0, used), weights: next.weights.slice(0, used) };
}

/** The share of friendships inside communities above what chance would put there; 0 without friendships. */
export function modularityOf(
  { starts, friends }: WholeGraph,
  communityOf: Uint32Array,
  count: number,
): number {
  const inside = new Float64Array(count);
  const degrees = new Float64Array(count);
  for (let person = 0; person < communityOf.length; person++) {
    const community = communityOf[person]!;
    degrees[community]! += starts[person + 1]! - starts[person]!;
    for (let at = starts[person]!; at < starts[person + 1]!; at++)
      if (communityOf[friends[at]!] === community) inside[community]!++;
  }
  const total = friends.length;
  if (total === 0) return 0;
  let modularity = 0;
  for (let community = 0; community < count; community++)
    modularity += inside[community]! / total - (degrees[community]! / total) ** 2;
  return modularity;
}

function shuffled(count: number, chance: () => number): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, at) => at);
  for (let at = count - 1; at > 0; at--) {
    const other = Math.floor(chance() * (at + 1));
    [order[at], order[other]] = [order[other]!, order[at]!];
  }
  return order;
}
