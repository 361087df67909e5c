import type { PersonRef } from './observation';
import type { PersonDocument } from './person';
import type { SourcePositions } from './ports';
import type { Subscription, SubscriptionList } from './subscription';
import type { Vertex } from './vertex';

/** Workspace and network: no walk leaves them. */
export type Scope = Pick<PersonRef, 'workspaceId' | 'network'>;

/** A person as a walk meets it. */
export interface Neighbourhood {
  /** Absent while only lists of others name this person. */
  name?: string | undefined;
  /** Ids, each once, in no order. */
  friends: readonly string[];
}

/** What the store may be asked for at a time; beyond it an answer is `QUERY.TOO_COSTLY`. */
export interface Patience {
  limitMs: number;
}

/**
 * Friends of many at once, disputed ones included. Whoever is absent from the answer is not known: neither stored
 * nor on anybody's list (with `at`: not stored, and without a friend at that moment).
 */
export abstract class Neighbours {
  abstract of(
    scope: Scope,
    ids: readonly string[],
    options: Patience & { at?: number | undefined },
  ): Promise<Map<string, Neighbourhood>>;
}

/** How long a page may take that an index gives but not in its order: of a group with a million members it may. */
export const PAGE_LIMIT_MS = 3_000;

export interface SubscriptionPage {
  items: Subscription[];
  /** Key to continue behind; undefined on the last page. */
  next: string | undefined;
}

/** Where a page of posts begins: behind this one, newest first. */
export interface PostPlace {
  publishedAt: number;
  id: string;
}

/** What the REST interface reads of groups, posts and who belongs to what. */
export abstract class CommunityQueries {
  abstract vertex(kind: Vertex['kind'], ref: PersonRef): Promise<Vertex | undefined>;
  /** One list of one person, in the order of keys behind `after`. */
  abstract subscriptionsOf(
    person: PersonRef,
    list: SubscriptionList,
    page: { limit: number; after: string | undefined },
  ): Promise<SubscriptionPage>;
  /** People with this target on one list, in the order of keys behind `after`. */
  abstract subscribersOf(
    target: PersonRef,
    list: SubscriptionList,
    page: { limit: number; after: string | undefined },
  ): Promise<SubscriptionPage>;
  /** Posts on a wall, newest first. */
  abstract postsOf(
    owner: { kind: 'user' | 'group'; ref: PersonRef },
    page: { limit: number; after: PostPlace | undefined },
  ): Promise<{ items: Vertex[]; next: PostPlace | undefined }>;
}

/** What people are looked up by; every one given must hold. */
export interface PeopleFilter {
  /** Beginning of "first last" or of "last first"; capital letters do not matter. Looked up by an index. */
  name?: string | undefined;
  lastName?: string | undefined;
  /** The whole name of the city. Looked up by an index where no name is given. */
  city?: string | undefined;
  state?: string | undefined;
  sex?: string | undefined;
  closed?: boolean | undefined;
  /** People on the own list; nobody where no list was seen. */
  minFriends?: number | undefined;
  maxFriends?: number | undefined;
}

/** A person as a list of people shows it. */
export interface PersonBrief {
  id: string;
  version: number;
  document: (Pick<PersonDocument, 'content'> & { observedAt: number }) | undefined;
}

/** Behind which person a page begins; `name` is that person's as it is looked up, where a name was asked for. */
export interface PeoplePlace {
  id: string;
  name?: string | undefined;
}

export abstract class PeopleSearch {
  /** By name (or last name) where one was given, else by id; `next` is undefined on the last page. */
  abstract find(
    scope: Scope,
    filter: PeopleFilter,
    page: Patience & { limit: number; after: PeoplePlace | undefined },
  ): Promise<{ items: PersonBrief[]; next: PeoplePlace | undefined }>;
}

/** How far the observed topics are stored, by whichever instance. */
export abstract class InputProgress {
  /** Everything below these positions is in the graph; `at`: when that was known, ms since the epoch. */
  abstract reached(): { positions: SourcePositions; at: number };
  /** False when they are not reached in time. */
  abstract waitFor(wanted: SourcePositions, timeoutMs: number): Promise<boolean>;
  /** True when one of them is not written yet; a log that cannot be asked throws `unavailable`. */
  abstract beyond(wanted: SourcePositions): Promise<boolean>;
}
