import { buildNormalGraph, graphStatistics, type GraphStatistics } from '@sociograph/graph-file';

/** People to a circle of acquaintances. */
const CIRCLE = 200;
/** Of the friendships, how many are within a circle: there are triangles. */
const NEAR = 0.6;

export interface WorldSize {
  /** Those who are friends of each other: both lists say so. */
  people: number;
  /** How many friends each of them has, on average. */
  friends: number;
  /** Who never show a list of their own. */
  silent: number;
  /** Whose friends are all silent ones: nobody's list but their own has to do with their degree. */
  hermits: number;
  /** The same, with long lists. */
  hubs: number;
  hubFriends: number;
}

/** People numbered from 0 (people, silent ones, hermits, hubs), each with the list of friends that this person shows. */
export class World {
  readonly hermits: readonly number[];
  readonly hubs: readonly number[];
  readonly #friends: Set<number>[];

  constructor(
    readonly size: WorldSize,
    private readonly random: () => number,
  ) {
    const { people, friends, silent, hermits, hubs, hubFriends } = size;
    this.hermits = Array.from({ length: hermits }, (_, n) => people + silent + n);
    this.hubs = Array.from({ length: hubs }, (_, n) => people + silent + hermits + n);
    this.#friends = Array.from({ length: people + silent + hermits + hubs }, () => new Set());
    for (let made = 0; made < (people * friends) / 2; made += 1) this.#befriend(this.#below(people));
    for (const hermit of this.hermits) this.#fill(hermit, friends);
    for (const hub of this.hubs) this.#fill(hub, hubFriends);
  }

  get everybody(): number {
    return this.#friends.length;
  }

  showsList(person: number): boolean {
    return person < this.size.people || person >= this.size.people + this.size.silent;
  }

  idOf(person: number): string {
    return String(1_000_000 + person);
  }

  /** Ids on the list that this person shows. */
  list(person: number): string[] {
    return [...this.#of(person)].map((friend) => this.idOf(friend));
  }

  /** Friends of a person who shows a list; silent ones have others whom their own list would not tell. */
  degreeOf(person: number): number {
    return this.#of(person).size;
  }

  /** One friendship of a person ends, or one begins where there are not more than usual. Returns the other. */
  changeOne(person: number): number {
    const own = this.#of(person);
    if (own.size <= this.size.friends) return this.#befriend(person);
    const other = [...own][this.#below(own.size)] as number;
    own.delete(other);
    this.#of(other).delete(person);
    return other;
  }

  /** A hermit or hub loses one friend, or gets one more: whichever of both lengths the list does not have. */
  toggleOne(person: number, usual: number): void {
    const own = this.#of(person);
    if (own.size >= usual) own.delete([...own][0] as number);
    else this.#fill(person, usual);
  }

  /** All figures, by a plain recount of what the lists say. */
  statistics(): GraphStatistics {
    const ends: number[] = [];
    for (const [person, friends] of this.#friends.entries())
      for (const friend of friends) ends.push(person, friend);
    const people = this.#friends.map((_, person) => person + 1);
    return graphStatistics(buildNormalGraph(people, Uint32Array.from(ends), ends.length, 0));
  }

  #of(person: number): Set<number> {
    const own = this.#friends[person];
    if (own === undefined) throw new Error(`there is no person ${person}`);
    return own;
  }

  #below(count: number): number {
    return Math.floor(this.random() * count);
  }

  #befriend(person: number): number {
    const { people } = this.size;
    const circle = person - (person % CIRCLE);
    for (;;) {
      const near = this.random() < NEAR;
      const other = near ? circle + this.#below(Math.min(CIRCLE, people - circle)) : this.#below(people);
      if (other === person || this.#of(person).has(other)) continue;
      this.#of(person).add(other);
      this.#of(other).add(person);
      return other;
    }
  }

  #fill(person: number, count: number): void {
    const { people, silent } = this.size;
    const own = this.#of(person);
    while (own.size < count) own.add(people + this.#below(silent));
  }
}
