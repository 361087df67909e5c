import { comparePersonIds } from '@sociograph/contracts';
import { localClustering } from './graph-summary';
import type { SocialGraph } from './social-graph';

export const RANKED_BY = ['degree', 'triangles', 'clustering'] as const;
export type RankedBy = (typeof RANKED_BY)[number];

/** People of each ranking. */
export const MOST_RANKED = 1000;

/** One person's place in a ranking, and the figures that it comes from. */
export type Ranked = [id: string, degree: number, triangles: number];

/** What the order of a ranking goes by. */
interface Place {
  value: number;
  degree: number;
  id: string;
}

/**
 * The first thousand people of one graph by each figure, those with 0 left out, exact after every change: what changed
 * is compared with who is in and with the last of them, and only where that matters is the whole graph looked through
 * again (one pass over the people, and a sort of those who can be among them). Ties: clustering by the higher degree;
 * then the shorter id, then by code point.
 */
export class Rankings {
  private readonly tops = new Map<RankedBy, { people: number[]; members: Set<number> }>();

  constructor(
    private readonly graph: SocialGraph,
    private readonly most = MOST_RANKED,
  ) {}

  /** Takes in that these people's figures may be others; returns the rankings that may be others now. */
  refresh(touched: readonly number[]): RankedBy[] {
    return RANKED_BY.filter((by) => {
      if (!this.concerns(by, touched)) return false;
      const people = this.count(by);
      this.tops.set(by, { people, members: new Set(people) });
      return true;
    });
  }

  /** The next `refresh` returns all of them. */
  forget(): void {
    this.tops.clear();
  }

  /** As of the last `refresh`. */
  top(by: RankedBy): Ranked[] {
    const { counts } = this.graph;
    return (this.tops.get(by)?.people ?? []).map((person) => [
      this.graph.nameOf(person),
      counts.degreeOf(person),
      counts.trianglesOf(person),
    ]);
  }

  private concerns(by: RankedBy, touched: readonly number[]): boolean {
    const top = this.tops.get(by);
    if (top === undefined) return true;
    const last = top.people.length < this.most ? undefined : top.people.at(-1);
    const least = last === undefined ? undefined : this.placeOf(by, last);
    return touched.some(
      (person) =>
        top.members.has(person) ||
        (this.valueOf(by, person) > 0 &&
          (least === undefined || byPlace(this.placeOf(by, person), least) < 0)),
    );
  }

  private count(by: RankedBy): number[] {
    const people: number[] = [];
    for (let person = 0; person < this.graph.size; person++)
      if (this.valueOf(by, person) > 0) people.push(person);
    return this.candidates(by, people)
      .map((person) => ({ person, ...this.placeOf(by, person) }))
      .sort(byPlace)
      .slice(0, this.most)
      .map(({ person }) => person);
  }

  /** Everybody who is not below so many others by the figure, or where that is equal by the degree. */
  private candidates(by: RankedBy, people: number[]): number[] {
    if (people.length <= this.most) return people;
    const values = Float64Array.from(people, (person) => this.valueOf(by, person));
    const least = nthLargest(values, this.most);
    const above = people.filter((person) => this.valueOf(by, person) > least);
    const level = people.filter((person) => this.valueOf(by, person) === least);
    const room = this.most - above.length;
    if (by !== 'clustering' || level.length === room) return [...above, ...level];
    const degreeOf = (person: number): number => this.graph.counts.degreeOf(person);
    const leastDegree = nthLargest(Float64Array.from(level, degreeOf), room);
    return [...above, ...level.filter((person) => degreeOf(person) >= leastDegree)];
  }

  private placeOf(by: RankedBy, person: number): Place {
    return {
      value: this.valueOf(by, person),
      degree: by === 'clustering' ? this.graph.counts.degreeOf(person) : 0,
      id: this.graph.nameOf(person),
    };
  }

  private valueOf(by: RankedBy, person: number): number {
    const { counts } = this.graph;
    if (by === 'degree') return counts.degreeOf(person);
    const triangles = counts.trianglesOf(person);
    return by === 'triangles' ? triangles : localClustering(counts.degreeOf(person), triangles);
  }
}

function byPlace(a: Place, b: Place): number {
  return b.value - a.value || b.degree - a.degree || comparePersonIds(a.id, b.id);
}

/** The value that so many are not below (1: the largest); the values change places. Hoare's selection. */
function nthLargest(values: Float64Array, wanted: number): number {
  const at = values.length - wanted;
  let [low, high] = [0, values.length - 1];
  while (low < high) {
    const pivot = values[(low + high) >>> 1]!;
    let [left, right] = [low, high];
    while (left <= right) {
      while (values[left]! < pivot) left++;
      while (values[right]! > pivot) right--;
      if (left > right) break;
      [values[left], values[right]] = [values[right]!, values[left]!];
      left++;
      right--;
    }
    if (at <= right) high = right;
    else if (at >= left) low = left;
    else break;
  }
  return values[at]!;
}
