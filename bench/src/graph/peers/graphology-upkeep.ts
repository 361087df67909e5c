import Graph from 'graphology';

/**
 * The figures of a graph kept on every edge over graphology, with the same sums as the projector's: common friends by the
 * smaller neighbourhood, components by a search from both ends where an edge without a common friend goes.
 */
export class GraphologyUpkeep {
  readonly graph = new Graph({ type: 'undirected', multi: false, allowSelfLoops: false });
  readonly #triangles: Float64Array;
  readonly #degrees = new Map<number, number>();
  readonly #componentOf: Int32Array;
  readonly #members = new Map<number, number[]>();
  #nextComponent: number;
  #total = 0;
  #clustering = 0;

  constructor(people: number) {
    this.#triangles = new Float64Array(people);
    this.#componentOf = Int32Array.from({ length: people }, (_, person) => person);
    this.#nextComponent = people;
    this.#degrees.set(0, people);
    for (let person = 0; person < people; person += 1) {
      this.graph.addNode(person);
      this.#members.set(person, [person]);
    }
  }

  get figures() {
    const friendships = this.graph.size;
    const components = this.#members.size;
    const averageClustering = this.#clustering / this.graph.order;
    return { friendships, triangles: this.#total, averageClustering, components };
  }

  /** Begins the friendship where it is not there, ends it where it is. */
  toggle(a: number, b: number): void {
    if (this.graph.hasEdge(a, b)) this.remove(a, b);
    else this.add(a, b);
  }

  add(a: number, b: number): void {
    this.#change(a, b, 1);
    const [large, small] = [this.#componentOf[a] as number, this.#componentOf[b] as number];
    if (large !== small) this.#join(large, small);
  }

  remove(a: number, b: number): void {
    const common = this.#change(a, b, -1);
    if (common === 0) this.#split(a, b);
  }

  #change(a: number, b: number, sign: 1 | -1): number {
    const common = this.#common(a, b);
    for (const person of [a, b, ...common]) this.#clustering -= this.#local(person);
    if (sign === 1) this.graph.addEdge(a, b);
    else this.graph.dropEdge(a, b);
    for (const person of [a, b]) {
      const degree = this.graph.degree(person);
      this.#count(degree - sign, -1);
      this.#count(degree, 1);
      this.#triangles[person] = (this.#triangles[person] as number) + sign * common.length;
    }
    for (const person of common) this.#triangles[person] = (this.#triangles[person] as number) + sign;
    this.#total += sign * common.length;
    for (const person of [a, b, ...common]) this.#clustering += this.#local(person);
    return common.length;
  }

  #common(a: number, b: number): number[] {
    const [few, many] = this.graph.degree(a) <= this.graph.degree(b) ? [a, b] : [b, a];
    const common: number[] = [];
    this.graph.forEachNeighbor(few, (friend) => {
      if (this.graph.hasEdge(friend, many)) common.push(Number(friend));
    });
    return common;
  }

  #local(person: number): number {
    const degree = this.graph.degree(person);
    return degree < 2 ? 0 : (2 * (this.#triangles[person] as number)) / (degree * (degree - 1));
  }

  #count(degree: number, change: number): void {
    this.#degrees.set(degree, (this.#degrees.get(degree) ?? 0) + change);
  }

  #join(one: number, other: number): void {
    const sizeOf = (component: number): number => this.#members.get(component)?.length ?? 0;
    const [into, from] = sizeOf(one) >= sizeOf(other) ? [one, other] : [other, one];
    const members = this.#members.get(into) as number[];
    for (const person of this.#members.get(from) as number[]) {
      this.#componentOf[person] = into;
      members.push(person);
    }
    this.#members.delete(from);
  }

  /** Searches from both ends by turns; whoever runs out first is a component of its own. */
  #split(a: number, b: number): void {
    const sides = [a, b].map((start) => ({ seen: new Set([start]), edge: [start] }));
    for (let turn = 0; ; turn = 1 - turn) {
      const [own, other] = [sides[turn], sides[1 - turn]] as [(typeof sides)[0], (typeof sides)[0]];
      const person = own.edge.pop();
      if (person === undefined) return this.#separate(own.seen);
      let met = false;
      this.graph.forEachNeighbor(person, (name) => {
        const friend = Number(name);
        met ||= other.seen.has(friend);
        if (own.seen.has(friend)) return;
        own.seen.add(friend);
        own.edge.push(friend);
      });
      if (met) return;
    }
  }

  #separate(part: ReadonlySet<number>): void {
    const [first] = part;
    const old = this.#componentOf[first as number] as number;
    const fresh = this.#nextComponent++;
    for (const person of part) this.#componentOf[person] = fresh;
    this.#members.set(fresh, [...part]);
    this.#members.set(
      old,
      (this.#members.get(old) ?? []).filter((person) => !part.has(person)),
    );
  }
}
