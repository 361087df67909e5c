import type { WholeGraph } from './whole-graph';

/** Steps between two signs of progress. */
const STEPS = 50_000;

/**
 * Everybody's core number: the largest k for which the person is in a subgraph where everybody has at least k friends.
 * Batagelj and Zaversnik's order by remaining degree, O(people + friendships). Yields how far it is, 0 to 1.
 */
export function* coreNumbers({ starts, friends }: WholeGraph): Generator<number, Uint32Array> {
  const people = starts.length - 1;
  const cores = new Uint32Array(people);
  let most = 0;
  for (let person = 0; person < people; person++) {
    cores[person] = starts[person + 1]! - starts[person]!;
    most = Math.max(most, cores[person]!);
  }
  // People sorted by degree; `begins[d]` is where those of remaining degree d begin.
  const begins = new Uint32Array(most + 2);
  for (const degree of cores) begins[degree + 1]!++;
  for (let degree = 0; degree <= most; degree++) begins[degree + 1]! += begins[degree]!;
  const next = begins.slice();
  const order = new Uint32Array(people);
  const places = new Uint32Array(people);
  for (let person = 0; person < people; person++) {
    places[person] = next[cores[person]!]!++;
    order[places[person]!] = person;
  }
  for (let at = 0; at < people; at++) {
    const person = order[at]!;
    for (let link = starts[person]!; link < starts[person + 1]!; link++) {
      const friend = friends[link]!;
      const degree = cores[friend]!;
      if (degree <= cores[person]!) continue;
      // The friend loses a link: it changes places with the first of its degree, who stays where the degree begins.
      const first = begins[degree]!;
      const other = order[first]!;
      order[places[friend]!] = other;
      places[other] = places[friend]!;
      order[first] = friend;
      places[friend] = first;
      begins[degree]!++;
      cores[friend] = degree - 1;
    }
    if (at % STEPS === STEPS - 1) yield at / people;
  }
  return cores;
}
