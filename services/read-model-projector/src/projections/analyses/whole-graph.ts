import { comparePersonIds } from '@sociograph/contracts';

/** A graph's memory as it stood at one moment, fit to be handed to another thread. */
export interface GraphCopy {
  /** By number; empty for nobody. */
  ids: string[];
  present: Uint8Array;
  /** `friend << shift | flags`; those of v stand in entries[starts[v] .. starts[v] + sizes[v]). */
  entries: Uint32Array;
  starts: Uint32Array;
  sizes: Uint32Array;
  shift: number;
  /** The flag of links that count. */
  live: number;
}

/** People by ascending id and their friends, ascending: the same whatever order the events came in. */
export interface WholeGraph {
  ids: string[];
  /** The friends of v stand in friends[starts[v] .. starts[v + 1]). */
  starts: Uint32Array;
  friends: Uint32Array;
}

/** Numbers people anew in the order of their ids; about 12 bytes a friendship. */
export function wholeGraph({ ids, present, entries, starts, sizes, shift, live }: GraphCopy): WholeGraph {
  const people: number[] = [];
  for (let person = 0; person < ids.length; person++) if (present[person] === 1) people.push(person);
  people.sort((a, b) => comparePersonIds(ids[a]!, ids[b]!));
  const places = new Uint32Array(ids.length);
  for (const [place, person] of people.entries()) places[person] = place;
  const begins = new Uint32Array(people.length + 1);
  for (const [place, person] of people.entries()) {
    let degree = 0;
    for (let at = starts[person]!; at < starts[person]! + sizes[person]!; at++)
      if ((entries[at]! & live) !== 0) degree++;
    begins[place + 1] = begins[place]! + degree;
  }
  const friends = new Uint32Array(begins[people.length]!);
  for (const [place, person] of people.entries()) {
    let into = begins[place]!;
    for (let at = starts[person]!; at < starts[person]! + sizes[person]!; at++)
      if ((entries[at]! & live) !== 0) friends[into++] = places[entries[at]! >>> shift]!;
    friends.subarray(begins[place]!, into).sort();
  }
  return { ids: people.map((person) => ids[person]!), starts: begins, friends };
}
