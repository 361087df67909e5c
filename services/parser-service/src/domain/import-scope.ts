import type { ItemKind } from './items';

/** What an import may ask for beside the people themselves, who are always imported; `profiles` alone adds nothing. */
export const INCLUSIONS = ['profiles', 'friends', 'groups', 'subscriptions', 'walls', 'members'] as const;
export type Inclusion = (typeof INCLUSIONS)[number];

/** Fields of a profile beyond names and whether it is closed: each is imported only where an import asks for it. */
export const PROFILE_FIELDS = ['sex', 'birthDate', 'city', 'country', 'screenName'] as const;
export type ProfileField = (typeof PROFILE_FIELDS)[number];

/** Posts from a moment on (ms since the epoch), the newest so many, or both; both null: the whole wall. */
export interface WallReach {
  readonly since: number | null;
  readonly last: number | null;
}

/** What an import fetches about whom. */
export interface ImportScope {
  readonly include: readonly Inclusion[];
  readonly fields: readonly ProfileField[];
  readonly walls: WallReach;
  /** Uploads that are read, of a network that is a file. */
  readonly files?: ScopeFiles;
  /** Only people whom the workspace has imported from this network are looked at again. */
  readonly refresh?: RefreshReach;
}

export interface ScopeFiles {
  readonly friendships?: string;
  readonly people?: string;
}

/** What was looked at last before this moment (ms since the epoch) is looked at again; disputed lists whenever. */
export interface RefreshReach {
  readonly before: number;
}

/** Networks limit calls for walls by the day, so a wall that nobody bounded is not read to its end. */
export const USUAL_POSTS = 100;

export const USUAL_SCOPE: ImportScope = {
  include: ['friends'],
  fields: [],
  walls: { since: null, last: null },
};

export type SubjectKind = 'person' | 'group' | 'name';

/** Whom an item is about, by how it is written: `107` a person, `-22822305` a group, `@durov` a name not resolved yet. */
export function subjectKind(subject: string): SubjectKind {
  if (subject.startsWith('@')) return 'name';
  return subject.startsWith('-') ? 'group' : 'person';
}

/** Lists of one person that an import may ask for, with the kind of item that each becomes. */
const LISTS_OF_PERSON = {
  friends: 'friends',
  groups: 'groups',
  subscriptions: 'subscriptions',
  walls: 'wall',
} as const satisfies Partial<Record<Inclusion, ItemKind>>;

/** What is fetched about somebody nearer than the import's depth, the profile aside. */
export function listsOfPerson({ include }: ImportScope): ItemKind[] {
  return Object.entries(LISTS_OF_PERSON).flatMap(([asked, kind]) =>
    include.includes(asked as Inclusion) ? [kind] : [],
  );
}

/** Members and walls are read of the groups that an import begins with; of those it only meets, the group itself. */
export function itemsOfGroup({ include }: ImportScope, depth: number): ItemKind[] {
  const items: ItemKind[] = ['group'];
  if (depth > 0) return items;
  if (include.includes('members')) items.push('members');
  if (include.includes('walls')) items.push('wall');
  return items;
}

/** The first items of an import: everything about its seeds. */
export function firstItems(
  seeds: readonly string[],
  scope: ImportScope,
  depth: number | null,
): { kind: ItemKind; person: string }[] {
  const lists = depth === 0 ? [] : listsOfPerson(scope);
  return seeds.flatMap((person) => {
    const kind = subjectKind(person);
    const kinds: ItemKind[] =
      kind === 'name' ? ['name'] : kind === 'group' ? itemsOfGroup(scope, 0) : ['profile', ...lists];
    return kinds.map((of) => ({ kind: of, person }));
  });
}
