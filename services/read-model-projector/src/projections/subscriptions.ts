import { comparePersonIds } from '@sociograph/contracts';
import { IdIndex } from './id-index';

/** What a person shows of themselves besides friends: memberships, and pages and people that they follow. */
export const OWN_LISTS = ['follows', 'groups', 'pages'] as const;
export type OwnListName = (typeof OWN_LISTS)[number];
export type OwnLists = Partial<Record<OwnListName, readonly string[]>>;

/**
 * These lists of everybody in one graph, about 4 bytes a name. Each is kept in one order, whatever order it came in:
 * shorter ids first, then by code point. A name once given stays known as a number, like those of people.
 */
export class Subscriptions {
  private readonly ids = new IdIndex();
  private readonly lists = new Map<number, Partial<Record<OwnListName, Uint32Array>>>();

  /** The list is now exactly `ids`. False when that is what it was. */
  set(person: number, name: OwnListName, ids: readonly string[]): boolean {
    const wanted = ordered(ids);
    const before = this.of(person, name);
    if (before.length === wanted.length && before.every((id, at) => id === wanted[at])) return false;
    const lists = { ...this.lists.get(person) };
    if (wanted.length === 0) delete lists[name];
    else lists[name] = Uint32Array.from(wanted, (id) => this.ids.intern(id));
    if (Object.keys(lists).length === 0) this.lists.delete(person);
    else this.lists.set(person, lists);
    return true;
  }

  has(person: number): boolean {
    return this.lists.has(person);
  }

  of(person: number, name: OwnListName): string[] {
    return Array.from(this.lists.get(person)?.[name] ?? [], (number) => this.ids.nameOf(number));
  }

  /** The first names of a list, and how many it has. */
  head(person: number, name: OwnListName, most: number): { ids: string[]; total: number } {
    const list = this.lists.get(person)?.[name];
    if (list === undefined) return { ids: [], total: 0 };
    return {
      ids: Array.from(list.subarray(0, most), (number) => this.ids.nameOf(number)),
      total: list.length,
    };
  }

  /** Lists as they stand now, by person; changes after this call do not show. */
  frozen(): (person: number) => OwnLists {
    const lists = new Map(this.lists);
    return (person) => {
      const found: OwnLists = {};
      for (const name of OWN_LISTS) {
        const list = lists.get(person)?.[name];
        if (list !== undefined) found[name] = Array.from(list, (number) => this.ids.nameOf(number));
      }
      return found;
    };
  }
}

/** What a list counts as in the state's hash. */
export function listText(name: OwnListName, ids: readonly string[]): string {
  return `${name}:${ids.join(',')}`;
}

function ordered(ids: readonly string[]): string[] {
  return [...new Set(ids)].sort(comparePersonIds);
}
