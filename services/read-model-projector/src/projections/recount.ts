import type { GraphSummary } from './graph-summary';
import { localClustering } from './graph-summary';

export interface Assertion {
  id: string;
  /** False for somebody of whom only a list is known. */
  person: boolean;
  friends: readonly string[];
}

export interface PersonFigures {
  degree: number;
  triangles: number;
}

/**
 * All figures from nothing, by other means than the incremental ones (sets, a search per component): the oracle
 * that the incremental figures are checked against. O(sum of squared degrees) and a Set per person.
 */
export function recount(assertions: Iterable<Assertion>): {
  summary: GraphSummary;
  people: Map<string, PersonFigures>;
} {
  const friendsOf = friendships(assertions);
  const people = new Map<string, PersonFigures>();
  const distribution = new Map<number, { people: number; triangles: number }>();
  let degrees = 0;
  let wedges = 0;
  let corners = 0;
  for (const [id, friends] of friendsOf) {
    const degree = friends.size;
    const triangles = trianglesAround(friends, friendsOf);
    people.set(id, { degree, triangles });
    const row = distribution.get(degree) ?? { people: 0, triangles: 0 };
    distribution.set(degree, { people: row.people + 1, triangles: row.triangles + triangles });
    degrees += degree;
    wedges += (degree * (degree - 1)) / 2;
    corners += triangles;
  }
  const rows = [...distribution].sort(([a], [b]) => a - b);
  const triangles = corners / 3;
  const clustering = rows.reduce((sum, [degree, row]) => sum + localClustering(degree, row.triangles), 0);
  const sizes = componentSizes(friendsOf);
  return {
    people,
    summary: {
      users: friendsOf.size,
      friendships: degrees / 2,
      triangles,
      wedges,
      averageClustering: friendsOf.size === 0 ? 0 : clustering / friendsOf.size,
      transitivity: wedges === 0 ? 0 : (3 * triangles) / wedges,
      closedTriangleFraction: wedges === 0 ? 0 : triangles / (wedges - 2 * triangles),
      components: sizes.length,
      largestComponent: Math.max(0, ...sizes),
      degreeDistribution: rows.map(([degree, row]) => [degree, row.people]),
    },
  };
}

function friendships(assertions: Iterable<Assertion>): Map<string, Set<string>> {
  const all = [...assertions];
  const friendsOf = new Map(all.filter(({ person }) => person).map(({ id }) => [id, new Set<string>()]));
  for (const { id, friends } of all) {
    for (const friend of friends) {
      if (friend === id) continue;
      const [one, other] = [friendsOf.get(id), friendsOf.get(friend)];
      if (one === undefined || other === undefined) continue;
      one.add(friend);
      other.add(id);
    }
  }
  return friendsOf;
}

function trianglesAround(friends: Set<string>, friendsOf: Map<string, Set<string>>): number {
  let closedTwice = 0;
  for (const friend of friends) {
    for (const further of friendsOf.get(friend)!) if (friends.has(further)) closedTwice++;
  }
  return closedTwice / 2;
}

function componentSizes(friendsOf: Map<string, Set<string>>): number[] {
  const sizes: number[] = [];
  const seen = new Set<string>();
  for (const start of friendsOf.keys()) {
    if (seen.has(start)) continue;
    seen.add(start);
    const found = [start];
    for (let i = 0; i < found.length; i++) {
      for (const friend of friendsOf.get(found[i]!)!) {
        if (seen.has(friend)) continue;
        seen.add(friend);
        found.push(friend);
      }
    }
    sizes.push(found.length);
  }
  return sizes;
}
