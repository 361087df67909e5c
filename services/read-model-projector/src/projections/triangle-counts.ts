import { widened } from './links';

/**
 * Degrees and triangles of people and their sums, kept under every edge added or removed. All of it is integers
 * (exact below 2^53), among them the triangles summed per degree, from which the average clustering follows:
 * so every figure depends on the graph alone, never on the order of the events that led to it.
 */
export class TriangleCounts {
  people = 0;
  friendships = 0;
  /** T: every triangle once. */
  triangles = 0;
  /** W: paths of length two, the sum of d(d-1)/2. */
  wedges = 0;
  private degrees = new Uint32Array(16);
  private closed = new Float64Array(16);
  private peopleByDegree = new Float64Array(64);
  private trianglesByDegree = new Float64Array(64);

  reserve(count: number): void {
    if (count <= this.degrees.length) return;
    this.degrees = widened(this.degrees, count);
    this.closed = widened(this.closed, count);
  }

  degreeOf(person: number): number {
    return this.degrees[person]!;
  }

  trianglesOf(person: number): number {
    return this.closed[person]!;
  }

  addPerson(): void {
    this.people++;
    this.peopleByDegree[0]!++;
  }

  /** Forgets a person whose last edge was removed before. */
  removePerson(): void {
    this.people--;
    this.peopleByDegree[0]!--;
  }

  /** Adds an edge; `shared[0..count)` are the people who are friends of both ends. */
  addEdge(a: number, b: number, shared: Uint32Array, count: number): void {
    this.change(shared, count, 1);
    this.friendships++;
    this.triangles += count;
    this.wedges += this.degrees[a]! + this.degrees[b]!;
    this.move(a, 1, count);
    this.move(b, 1, count);
  }

  removeEdge(a: number, b: number, shared: Uint32Array, count: number): void {
    this.change(shared, count, -1);
    this.friendships--;
    this.triangles -= count;
    this.wedges -= this.degrees[a]! + this.degrees[b]! - 2;
    this.move(a, -1, -count);
    this.move(b, -1, -count);
  }

  /** [degree, people, triangles summed over them], ascending, degrees that nobody has left out. */
  *byDegree(): Generator<[degree: number, people: number, triangles: number]> {
    for (let degree = 0; degree < this.peopleByDegree.length; degree++) {
      const people = this.peopleByDegree[degree]!;
      if (people > 0) yield [degree, people, this.trianglesByDegree[degree]!];
    }
  }

  private change(shared: Uint32Array, count: number, by: 1 | -1): void {
    const { degrees, closed, trianglesByDegree } = this;
    for (let i = 0; i < count; i++) {
      const person = shared[i]!;
      closed[person]! += by;
      trianglesByDegree[degrees[person]!]! += by;
    }
  }

  private move(person: number, degreeBy: 1 | -1, trianglesBy: number): void {
    const from = this.degrees[person]!;
    const to = from + degreeBy;
    if (to >= this.peopleByDegree.length) {
      this.peopleByDegree = widened(this.peopleByDegree, to + 1);
      this.trianglesByDegree = widened(this.trianglesByDegree, to + 1);
    }
    const before = this.closed[person]!;
    const after = before + trianglesBy;
    this.peopleByDegree[from]!--;
    this.trianglesByDegree[from]! -= before;
    this.peopleByDegree[to]!++;
    this.trianglesByDegree[to]! += after;
    this.degrees[person] = to;
    this.closed[person] = after;
  }
}
