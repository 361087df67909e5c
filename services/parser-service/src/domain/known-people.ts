import { type ImportScope, listsOfPerson } from './import-scope';
import type { GapCause, ItemKind } from './items';

/** Something to fetch again, disputed lists at distance 0, so that they are taken first. */
export interface RefreshItem {
  readonly kind: ItemKind;
  readonly person: string;
  readonly depth: number;
}

export interface RefreshPlan {
  readonly items: RefreshItem[];
  readonly people: number;
  readonly lists: number;
  /** Of the lists: those of people whose friendship the newer list of the other end does not have. */
  readonly disputed: number;
}

/** Gaps of these causes are looks: the network answered. */
export const LOOKED_AT: readonly GapCause[] = [
  'private',
  'hidden',
  'deleted',
  'unknown',
  'partial',
  'unreadable',
];

/**
 * When a look was stored is up to so much later than when it was made (ms): of two looks so close together the stored
 * times do not tell which was first, and the list in doubt is fetched once more.
 */
export const STORED_LATE_MS = 5_000;

interface KnownList {
  /** Places of friends, rising. */
  readonly friends: Int32Array;
  readonly complete: boolean;
  readonly observedAt: number;
}

/** What an import fetches about people and groups, whoever they are. */
export function kindsOf(scope: ImportScope): ItemKind[] {
  const { include } = scope;
  const asked = (of: ImportScope['include'][number]): boolean => include.includes(of);
  const groups = asked('groups') || asked('subscriptions') || asked('members');
  return [
    'profile',
    ...listsOfPerson(scope),
    ...(groups ? (['group'] as const) : []),
    ...(asked('members') ? (['members'] as const) : []),
  ];
}

/**
 * What a workspace knows of one network, and since when: friend lists as the graph has them, and when each item was
 * looked at last, which an unchanged list does not tell. About 8 bytes a friendship and 200 a person.
 */
export class KnownPeople {
  private readonly places = new Map<string, number>();
  private readonly ids: string[] = [];
  private readonly lists = new Map<number, KnownList>();
  private readonly looks = new Map<ItemKind, Map<number, number>>();
  /** Friend lists that came whole, by the time at which that was stored. */
  private readonly confirmed = new Map<number, number>();

  /** Of several looks the last one counts; `whole`: it was a list, and all of it. Times in ms since the epoch. */
  looked(kind: ItemKind, person: string, at: number, whole = false): void {
    const looks = this.looks.get(kind) ?? new Map<number, number>();
    this.looks.set(kind, looks);
    const place = this.placeOf(person);
    looks.set(place, Math.max(at, looks.get(place) ?? at));
    if (whole && kind === 'friends') this.confirmed.set(place, Math.max(at, this.confirmed.get(place) ?? at));
  }

  /** A person's friends as the graph has them now; replaces what was said before. */
  listed(person: string, friends: readonly string[], complete: boolean, observedAt: number): void {
    const places = Int32Array.from(friends, (id) => this.placeOf(id)).sort();
    this.lists.set(this.placeOf(person), { friends: places, complete, observedAt });
    this.looked('friends', person, observedAt);
  }

  /** The person was taken out of the graph. */
  forget(person: string): void {
    const place = this.placeOf(person);
    this.lists.delete(place);
    this.confirmed.delete(place);
    for (const looks of this.looks.values()) looks.delete(place);
  }

  /** People who assert a friendship that the other end's newer complete list lacks, in the order of their ids. */
  disputed(): string[] {
    const found: string[] = [];
    for (const [person, list] of this.lists) {
      const looked = this.looks.get('friends')?.get(person) ?? 0;
      const sure = Math.max(list.observedAt, looked - STORED_LATE_MS);
      if (list.friends.some((other) => this.denies(other, person, sure)))
        found.push(this.ids[person] as string);
    }
    return found.sort();
  }

  /**
   * What was looked at last before a moment, the oldest first, and whatever is disputed before all of it; of so many
   * people at most.
   */
  toRefresh(kinds: readonly ItemKind[], before: number, mostPeople = Infinity): RefreshPlan {
    const disputed = new Set(kinds.includes('friends') ? this.disputed() : []);
    const stale = kinds.flatMap((kind) =>
      [...(this.looks.get(kind) ?? [])]
        .filter(([, at]) => at < before)
        .map(([place, at]) => ({ kind, person: this.ids[place] as string, at })),
    );
    const ages = new Map<string, number>();
    for (const { person, at } of stale) ages.set(person, Math.min(at, ages.get(person) ?? at));
    const byAge = [...ages].sort(([a, older], [b, younger]) => older - younger || (a < b ? -1 : 1));
    const wanted = new Set([...disputed, ...byAge.map(([person]) => person)]);
    const chosen = new Set([...wanted].slice(0, mostPeople));
    const items: RefreshItem[] = [...disputed]
      .filter((person) => chosen.has(person))
      .map((person) => ({ kind: 'friends', person, depth: 0 }));
    const first = items.length;
    for (const { kind, person } of stale)
      if (chosen.has(person) && !(kind === 'friends' && disputed.has(person)))
        items.push({ kind, person, depth: 1 });
    const people = items.filter(({ kind }) => kind === 'profile').length;
    return { items, people, lists: items.length - people, disputed: first };
  }

  private denies(other: number, person: number, assertedAt: number): boolean {
    const list = this.lists.get(other);
    if (list === undefined || !list.complete) return false;
    const at = Math.max(list.observedAt, this.confirmed.get(other) ?? 0);
    return at > assertedAt && !holds(list.friends, person);
  }

  private placeOf(person: string): number {
    const known = this.places.get(person);
    if (known !== undefined) return known;
    this.places.set(person, this.ids.length);
    return this.ids.push(person) - 1;
  }
}

function holds(rising: Int32Array, wanted: number): boolean {
  let low = 0;
  let high = rising.length - 1;
  while (low <= high) {
    const middle = (low + high) >>> 1;
    const found = rising[middle] as number;
    if (found === wanted) return true;
    if (found < wanted) low = middle + 1;
    else high = middle - 1;
  }
  return false;
}
