/**
 * An undirected simple graph in compressed sparse rows: 4 bytes per side of a friendship, 12 per person.
 * People are numbered 0..people-1 by ascending id ("index"); ids are as the file has them plus `shift`.
 */
export class NormalGraph {
  constructor(
    /** Ids (shifted), ascending; position = index. */
    readonly ids: Float64Array,
    /** Row of index i is `neighbourIndexes[offsets[i] .. offsets[i + 1])`. */
    readonly offsets: Uint32Array,
    /** Indexes of friends, ascending within a row. */
    readonly neighbourIndexes: Uint32Array,
    /** Added to every id of the file; 0 when all were above 0. */
    readonly shift: number,
  ) {}

  get people(): number {
    return this.ids.length;
  }

  get friendshipCount(): number {
    return this.neighbourIndexes.length / 2;
  }

  /** Every friendship once, as ids with the smaller first, in ascending order. */
  get friendships(): Iterable<readonly [number, number]> {
    return this.pairs();
  }

  /** The index of a person, or -1 when the graph does not know the id. */
  indexOf(id: number): number {
    let low = 0;
    let high = this.ids.length - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const found = this.ids[middle] as number;
      if (found === id) return middle;
      if (found < id) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }

  /** Indexes of the friends of an index: a view, not a copy. */
  row(index: number): Uint32Array {
    return this.neighbourIndexes.subarray(this.offsets[index], this.offsets[index + 1]);
  }

  degree(index: number): number {
    return (this.offsets[index + 1] as number) - (this.offsets[index] as number);
  }

  /** Ids of the friends of a person, ascending; empty for an id that the graph does not know. */
  neighbours(id: number): number[] {
    const index = this.indexOf(id);
    if (index === -1) return [];
    return Array.from(this.row(index), (friend) => this.ids[friend] as number);
  }

  /** The component of every index (numbered by their smallest index), and how many there are. */
  components(): { of: Int32Array; count: number } {
    const of = new Int32Array(this.people).fill(-1);
    const stack = new Uint32Array(this.people);
    let count = 0;
    for (let start = 0; start < this.people; start += 1) {
      if (of[start] !== -1) continue;
      let depth = 0;
      stack[depth++] = start;
      of[start] = count;
      while (depth > 0) {
        for (const friend of this.row(stack[--depth] as number)) {
          if (of[friend] !== -1) continue;
          of[friend] = count;
          stack[depth++] = friend;
        }
      }
      count += 1;
    }
    return { of, count };
  }

  /**
   * One id per component: the person with most friends (the smallest id of several), because a breadth-first
   * import that starts at a hub has work for all keys after its first call.
   */
  componentsSeeds(): number[] {
    const { of, count } = this.components();
    const best = new Int32Array(count).fill(-1);
    for (let index = 0; index < this.people; index += 1) {
      const component = of[index] as number;
      const chosen = best[component] as number;
      if (chosen === -1 || this.degree(index) > this.degree(chosen)) best[component] = index;
    }
    return Array.from(best, (index) => this.ids[index] as number);
  }

  private *pairs(): Generator<readonly [number, number]> {
    for (let index = 0; index < this.people; index += 1) {
      for (const friend of this.row(index)) {
        if (friend > index) yield [this.ids[index] as number, this.ids[friend] as number];
      }
    }
  }
}

/**
 * Builds the graph from people and pairs of their positions in `people` (two entries of `ends` per pair, of
 * which the first `used` count). Pairs may repeat, in both directions, and may be self-loops: both are dropped,
 * the people stay. `people` holds each id once, in any order.
 */
export function buildNormalGraph(
  people: number[],
  ends: Uint32Array,
  used: number,
  shift: number,
): NormalGraph {
  const order = Uint32Array.from(people.keys()).sort((a, b) => (people[a] as number) - (people[b] as number));
  const ids = Float64Array.from(order, (position) => (people[position] as number) + shift);
  const rank = new Uint32Array(people.length);
  order.forEach((position, index) => {
    rank[position] = index;
  });

  const starts = new Uint32Array(people.length + 1);
  for (let at = 0; at < used; at += 2) {
    const a = rank[ends[at] as number] as number;
    const b = rank[ends[at + 1] as number] as number;
    if (a === b) continue;
    starts[a + 1] = (starts[a + 1] as number) + 1;
    starts[b + 1] = (starts[b + 1] as number) + 1;
  }
  for (let index = 0; index < people.length; index += 1) {
    starts[index + 1] = (starts[index + 1] as number) + (starts[index] as number);
  }
  const filled = starts.slice();
  const rows = new Uint32Array(starts[people.length] as number);
  for (let at = 0; at < used; at += 2) {
    const a = rank[ends[at] as number] as number;
    const b = rank[ends[at + 1] as number] as number;
    if (a === b) continue;
    const inA = filled[a] as number;
    rows[inA] = b;
    filled[a] = inA + 1;
    const inB = filled[b] as number;
    rows[inB] = a;
    filled[b] = inB + 1;
  }
  return new NormalGraph(ids, ...withoutRepeats(starts, rows), shift);
}

function withoutRepeats(starts: Uint32Array, rows: Uint32Array): [Uint32Array, Uint32Array] {
  const offsets = new Uint32Array(starts.length);
  let written = 0;
  for (let index = 0; index + 1 < starts.length; index += 1) {
    const row = rows.subarray(starts[index], starts[index + 1]).sort();
    let last = -1;
    for (const friend of row) {
      if (friend === last) continue;
      // Never overtakes the reading position: writing at or before the row that was just sorted.
      rows[written++] = friend;
      last = friend;
    }
    offsets[index + 1] = written;
  }
  return [offsets, rows.slice(0, written)];
}
