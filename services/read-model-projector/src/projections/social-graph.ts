import type { GraphCopy } from './analyses/whole-graph';
import { Components } from './components';
import { IdIndex } from './id-index';
import { FLAG_BITS, LIVE, Links, OTHER, OWN, widened } from './links';
import { SharedFriends } from './shared-friends';
import { TriangleCounts } from './triangle-counts';

/** Hears of every id that gets a number, and of every name that enters or leaves an own list. */
export interface ListWitness {
  interned(person: number, id: string): void;
  named(person: number, friend: number): void;
  unnamed(person: number, friend: number): void;
}

const NOBODY: ListWitness = { interned: () => {}, named: () => {}, unnamed: () => {} };

/**
 * One workspace's graph of one network, in memory. A PERSON is somebody whose document is stored; a friendship
 * counts while at least one of two people's own lists names the other. Names in a list whose document is not
 * stored (beyond an import's limit) are remembered, but are no people and their friendships do not count until
 * they become people.
 */
export class SocialGraph {
  readonly counts = new TriangleCounts();
  private readonly ids = new IdIndex();
  private readonly links = new Links();
  readonly components = new Components(this.links);
  private present = new Uint8Array(16);
  private touched = new Uint8Array(16);
  private touchedPeople: number[] = [];
  private readonly shared = new SharedFriends(this.links, this.counts);

  constructor(private readonly witness: ListWitness = NOBODY) {}

  /** Number of the person called `id`, as `counts` knows them; undefined when nobody named them. */
  numberOf(id: string): number | undefined {
    return this.ids.find(id);
  }

  /** Numbers given out; people and those who are only named. */
  get size(): number {
    return this.ids.size;
  }

  nameOf(person: number): string {
    return this.ids.nameOf(person);
  }

  isPerson(person: number): boolean {
    return this.present[person] === 1;
  }

  /** The number of `id`, given out now if it is new. */
  intern(id: string): number {
    const known = this.ids.size;
    const person = this.ids.intern(id);
    if (person >= this.present.length) this.reserve(person + 1);
    if (person === known) this.witness.interned(person, id);
    return person;
  }

  /** Gives out a number that stands for nobody: whoever had it is forgotten. */
  skip(): void {
    const person = this.ids.skip();
    if (person >= this.present.length) this.reserve(person + 1);
  }

  /** Whether the person has a list that names anybody, or stands in one. */
  isNamed(person: number): boolean {
    return this.links.end(person) > this.links.begin(person);
  }

  /** The document of this person is stored. Returns how many friendships begin to count. */
  addPerson(person: number): number {
    if (this.isPerson(person)) return 0;
    this.present[person] = 1;
    this.counts.addPerson();
    this.components.add(person);
    this.touch(person);
    return this.connect(
      person,
      this.linked(person, (friend, flags) => (flags & LIVE) === 0 && this.isPerson(friend)),
    );
  }

  /** The document is gone. Returns how many friendships end to count. */
  removePerson(person: number): number {
    if (!this.isPerson(person)) return 0;
    const ended = this.disconnect(
      person,
      this.linked(person, (_, flags) => (flags & LIVE) !== 0),
    );
    this.present[person] = 0;
    this.counts.removePerson();
    this.components.remove(person);
    this.touch(person);
    return ended;
  }

  /**
   * The person's own list is now exactly `friends` (their own id and repeats in it are ignored). Returns how
   * many friendships began or ended to count: what the other side still asserts stays.
   */
  setFriends(person: number, friends: readonly string[]): number {
    return this.setFriendNumbers(person, this.internAll(person, friends));
  }

  /** The same with numbers, ascending, each once, without the person. */
  setFriendNumbers(person: number, wanted: readonly number[]): number {
    const retracted: number[] = [];
    const fresh: number[] = [];
    const { pool } = this.links;
    let at = this.links.begin(person);
    const end = this.links.end(person);
    for (const friend of wanted) {
      for (; at < end && pool[at]! >>> FLAG_BITS < friend; at++)
        if (pool[at]! & OWN) retracted.push(pool[at]! >>> FLAG_BITS);
      if (at < end && pool[at]! >>> FLAG_BITS === friend) {
        if ((pool[at]! & OWN) === 0) fresh.push(friend);
        at++;
      } else {
        fresh.push(friend);
      }
    }
    for (; at < end; at++) if (pool[at]! & OWN) retracted.push(pool[at]! >>> FLAG_BITS);
    return this.retract(person, retracted) + this.assert(person, fresh);
  }

  /** People whose row changed since the last call. */
  takeTouched(): number[] {
    const people = this.touchedPeople;
    this.touchedPeople = [];
    for (const person of people) this.touched[person] = 0;
    return people;
  }

  /** Whether this person's row, or anybody's, changed since the last call of `takeTouched`. */
  isTouched(person: number): boolean {
    return this.touched[person] === 1;
  }

  get hasTouched(): boolean {
    return this.touchedPeople.length > 0;
  }

  /** Says that something of this person beyond the graph changed, e.g. the document. */
  touch(person: number): void {
    if (this.touched[person] === 1) return;
    this.touched[person] = 1;
    this.touchedPeople.push(person);
  }

  /** Every id that was ever named, by number. */
  names(): string[] {
    return this.ids.all();
  }

  /** Everything as it stands now, for another thread. Costs a copy of the adjacency and the ids. */
  copy(): GraphCopy {
    const present = this.present.slice(0, this.ids.size);
    return { ids: this.ids.all(), present, ...this.links.copy(), shift: FLAG_BITS, live: LIVE };
  }

  /** The own lists as they stand now, by number: changes after this call do not show. Costs a copy of the adjacency. */
  ownLists(): (person: number) => number[] {
    return this.links.frozen((flags) => (flags & OWN) !== 0);
  }

  /** Every person with their own list: what a full recount starts from. */
  *assertions(): Generator<{ id: string; person: boolean; friends: string[] }> {
    for (let vertex = 0; vertex < this.ids.size; vertex++) {
      const friends = this.linked(vertex, (_, flags) => (flags & OWN) !== 0).map((friend) =>
        this.nameOf(friend),
      );
      if (this.isPerson(vertex) || friends.length > 0)
        yield { id: this.nameOf(vertex), person: this.isPerson(vertex), friends };
    }
  }

  private retract(person: number, friends: number[]): number {
    const ending = friends.filter((friend) => {
      const flags = this.links.flagsOf(person, friend);
      return (flags & LIVE) !== 0 && (flags & OTHER) === 0;
    });
    const ended = this.disconnect(person, ending);
    for (const friend of friends) {
      this.witness.unnamed(person, friend);
      this.links.put(person, friend, this.links.flagsOf(person, friend) & ~OWN);
      this.links.put(friend, person, this.links.flagsOf(friend, person) & ~OTHER);
    }
    return ended;
  }

  private assert(person: number, friends: number[]): number {
    const beginning: number[] = [];
    for (const friend of friends) {
      this.witness.named(person, friend);
      const flags = this.links.flagsOf(person, friend);
      this.links.put(person, friend, flags | OWN);
      this.links.put(friend, person, this.links.flagsOf(friend, person) | OTHER);
      if ((flags & LIVE) === 0 && this.isPerson(person) && this.isPerson(friend)) beginning.push(friend);
    }
    return this.connect(person, beginning);
  }

  /** Makes links of one person live, one after the other. */
  private connect(person: number, friends: readonly number[]): number {
    this.shared.begin(person, friends.length);
    for (const friend of friends) {
      this.shared.find(friend);
      this.setLive(person, friend, LIVE);
      this.counts.addEdge(person, friend, this.shared.people, this.shared.count);
      this.components.join(person, friend);
      this.touchAround(person, friend);
      this.shared.befriended(friend);
    }
    return friends.length;
  }

  private disconnect(person: number, friends: readonly number[]): number {
    this.shared.begin(person, friends.length);
    for (const friend of friends) {
      this.setLive(person, friend, 0);
      this.shared.parted(friend);
      this.shared.find(friend);
      this.counts.removeEdge(person, friend, this.shared.people, this.shared.count);
      if (this.shared.count === 0) this.components.cut(person, friend);
      this.touchAround(person, friend);
    }
    return friends.length;
  }

  private setLive(a: number, b: number, live: typeof LIVE | 0): void {
    this.links.put(a, b, (this.links.flagsOf(a, b) & ~LIVE) | live);
    this.links.put(b, a, (this.links.flagsOf(b, a) & ~LIVE) | live);
  }

  private touchAround(a: number, b: number): void {
    this.touch(a);
    this.touch(b);
    const { people, count } = this.shared;
    for (let i = 0; i < count; i++) this.touch(people[i]!);
  }

  private linked(vertex: number, wanted: (neighbour: number, flags: number) => boolean): number[] {
    const found: number[] = [];
    const { pool } = this.links;
    const end = this.links.end(vertex);
    for (let at = this.links.begin(vertex); at < end; at++) {
      const neighbour = pool[at]! >>> FLAG_BITS;
      if (wanted(neighbour, pool[at]!)) found.push(neighbour);
    }
    return found;
  }

  /** Numbers of the named friends, ascending, each once, without the person. */
  private internAll(person: number, friends: readonly string[]): number[] {
    const numbers = new Uint32Array(friends.length);
    for (let i = 0; i < friends.length; i++) numbers[i] = this.intern(friends[i]!);
    numbers.sort();
    const distinct: number[] = [];
    let last = -1;
    for (const number of numbers) {
      if (number !== last && number !== person) distinct.push(number);
      last = number;
    }
    return distinct;
  }

  private reserve(count: number): void {
    this.present = widened(this.present, count);
    this.touched = widened(this.touched, this.present.length);
    this.shared.reserve(this.present.length);
    this.links.reserve(this.present.length);
    this.counts.reserve(this.present.length);
    this.components.reserve(this.present.length);
  }
}
