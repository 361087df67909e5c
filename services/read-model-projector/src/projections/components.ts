import type { Links } from './links';
import { FLAG_BITS, LIVE, widened } from './links';

const NOBODY = 0xffffffff;

/** One end of a search: people found in order, those before `done` with all their friends. */
interface Side {
  readonly queue: Uint32Array;
  readonly mark: number;
  done: number;
  found: number;
  /** Links looked at. */
  work: number;
}

/**
 * Connected components under additions and removals. Each person carries the label of its component and stands
 * in a ring of its members. Joining relabels the smaller ring (O(n log n) over all additions). Cutting searches
 * from both ends in turn, through the live links, until they meet or one side is exhausted, which then is the
 * new component: cheap where the graph is dense, O(component) where the removed edge was the last short way.
 */
export class Components {
  private labels = new Uint32Array(16).fill(NOBODY);
  private nextOf = new Uint32Array(16);
  private previousOf = new Uint32Array(16);
  private sizes = new Uint32Array(16);
  private seen = new Uint32Array(16);
  private searches = 0;
  private queues: [Uint32Array, Uint32Array] = [new Uint32Array(16), new Uint32Array(16)];
  private readonly freeLabels: number[] = [];
  private labelsGiven = 0;
  private readonly countBySize = new Map<number, number>();
  private total = 0;

  constructor(private readonly links: Links) {}

  get count(): number {
    return this.total;
  }

  /** People in the largest component; 0 when there is nobody. */
  get largest(): number {
    let largest = 0;
    for (const size of this.countBySize.keys()) if (size > largest) largest = size;
    return largest;
  }

  reserve(count: number): void {
    if (count <= this.labels.length) return;
    this.nextOf = widened(this.nextOf, count);
    this.previousOf = widened(this.previousOf, count);
    this.sizes = widened(this.sizes, count);
    this.seen = widened(this.seen, count);
    this.queues = [widened(this.queues[0], count), widened(this.queues[1], count)];
    this.labels = widened(this.labels, count);
  }

  /** A person without live links. */
  add(person: number): void {
    this.nextOf[person] = person;
    this.previousOf[person] = person;
    this.labels[person] = this.newLabel(1);
  }

  /** Forgets a person whose live links are all gone. */
  remove(person: number): void {
    this.dropLabel(this.labels[person]!);
  }

  join(a: number, b: number): void {
    const one = this.labels[a]!;
    const other = this.labels[b]!;
    if (one === other) return;
    const [kept, gone, member] = this.sizes[one]! >= this.sizes[other]! ? [one, other, b] : [other, one, a];
    const size = this.sizes[kept]! + this.sizes[gone]!;
    let person = member;
    do {
      this.labels[person] = kept;
      person = this.nextOf[person]!;
    } while (person !== member);
    this.exchangeNext(a, b);
    this.dropLabel(gone);
    this.resize(kept, size);
  }

  /** The link between a and b, who share no friend, is no longer live. */
  cut(a: number, b: number): void {
    const separated = this.searchBothEnds(a, b);
    if (separated === undefined) return;
    const old = this.labels[a]!;
    const remaining = this.sizes[old]! - separated.length;
    const label = this.newLabel(separated.length);
    let last = NOBODY;
    for (const person of separated) {
      this.unlink(person);
      this.labels[person] = label;
      if (last === NOBODY) {
        this.nextOf[person] = person;
        this.previousOf[person] = person;
      } else {
        this.insertAfter(last, person);
      }
      last = person;
    }
    this.resize(old, remaining);
  }

  /** Everyone on the side that was exhausted first, or undefined when the ends are still connected. */
  private searchBothEnds(a: number, b: number): Uint32Array | undefined {
    const sideOfA = this.sideFrom(a, this.queues[0]);
    const sideOfB = this.sideFrom(b, this.queues[1]);
    for (;;) {
      const ofA = sideOfA.work <= sideOfB.work;
      const side = ofA ? sideOfA : sideOfB;
      if (side.done === side.found) return side.queue.subarray(0, side.found);
      if (this.expand(side, (ofA ? sideOfB : sideOfA).mark)) return undefined;
    }
  }

  private sideFrom(person: number, queue: Uint32Array): Side {
    const mark = this.nextMark();
    queue[0] = person;
    this.seen[person] = mark;
    return { queue, mark, done: 0, found: 1, work: 0 };
  }

  /** Finds the friends of the next one in the queue; true when one of them was met by the other side. */
  private expand(side: Side, othersMark: number): boolean {
    const { seen, links } = this;
    const { queue, mark } = side;
    const { pool } = links;
    const person = queue[side.done++]!;
    const end = links.end(person);
    let found = side.found;
    for (let at = links.begin(person); at < end; at++) {
      const entry = pool[at]!;
      if ((entry & LIVE) === 0) continue;
      const friend = entry >>> FLAG_BITS;
      const met = seen[friend];
      if (met === othersMark) return true;
      if (met === mark) continue;
      seen[friend] = mark;
      queue[found++] = friend;
    }
    side.found = found;
    side.work += end - links.begin(person) + 1;
    return false;
  }

  private nextMark(): number {
    // In pairs: both ends of one search must have marks of the same round.
    if (this.searches >= 0xfffffffe && this.searches % 2 === 0) {
      this.seen.fill(0);
      this.searches = 0;
    }
    return ++this.searches;
  }

  private exchangeNext(a: number, b: number): void {
    const afterA = this.nextOf[a]!;
    const afterB = this.nextOf[b]!;
    this.nextOf[a] = afterB;
    this.previousOf[afterB] = a;
    this.nextOf[b] = afterA;
    this.previousOf[afterA] = b;
  }

  private insertAfter(member: number, person: number): void {
    const after = this.nextOf[member]!;
    this.nextOf[member] = person;
    this.previousOf[person] = member;
    this.nextOf[person] = after;
    this.previousOf[after] = person;
  }

  private unlink(person: number): void {
    const next = this.nextOf[person]!;
    const previous = this.previousOf[person]!;
    this.nextOf[previous] = next;
    this.previousOf[next] = previous;
  }

  private newLabel(size: number): number {
    const label = this.freeLabels.pop() ?? this.labelsGiven++;
    this.sizes[label] = size;
    this.total++;
    this.countSize(size, 1);
    return label;
  }

  private dropLabel(label: number): void {
    this.total--;
    this.countSize(this.sizes[label]!, -1);
    this.freeLabels.push(label);
  }

  private resize(label: number, size: number): void {
    this.countSize(this.sizes[label]!, -1);
    this.sizes[label] = size;
    this.countSize(size, 1);
  }

  private countSize(size: number, by: 1 | -1): void {
    const count = (this.countBySize.get(size) ?? 0) + by;
    if (count === 0) this.countBySize.delete(size);
    else this.countBySize.set(size, count);
  }
}
