import type { ObservationStamp } from '@sociograph/kernel';
import type { Friendship } from './friendship';
import type { PersonRef } from './observation';
import type { PastFriendship } from './past-friendship';
import type { MemberList } from './member-list';
import type { Person } from './person';
import type { Subscription } from './subscription';
import type { Vertex } from './vertex';

/** A person or friendship together with the revision under which it may be changed. */
export type Versioned<T> = T & { readonly rev: string };

export interface EdgeWrites {
  /** Keys that were free. */
  create: Friendship[];
  /** Both sides as they shall be; a side without lineage keeps the stored one. */
  replace: Versioned<Friendship>[];
  /** `past` is kept before the friendship goes. */
  remove: { key: string; rev: string; past?: PastFriendship | undefined }[];
}

export interface WriteOutcome {
  written: number;
  /** Keys that another writer changed meanwhile: read again, decide again. */
  conflicts: string[];
}

/** What a dispute is weighed by, read after the writes of a batch. */
export interface DisputeEvidence {
  /** Friendships that only the OTHER side asserts, of the people asked for. */
  unanswered: Versioned<Friendship>[];
  /** Disputed friendships that these people assert alone. */
  disputed: Versioned<Friendship>[];
  /** Key of a person -> stamp of the newest complete list, for the others asked for. */
  completeLists: Map<string, ObservationStamp>;
}

/**
 * The graph's write side. Reads are of one moment, writes check revisions and report conflicts as values; a
 * store that cannot be reached throws `unavailable`. No method is atomic over several documents.
 */
export abstract class GraphStore {
  /** The people of these keys that are stored, and the friendships that others assert about them and they do not. */
  abstract read(
    people: readonly string[],
  ): Promise<{ people: Map<string, Versioned<Person>>; unanswered: Map<string, Versioned<Friendship>> }>;
  abstract friendships(keys: readonly string[]): Promise<Map<string, Versioned<Friendship>>>;
  abstract writeFriendships(writes: EdgeWrites): Promise<WriteOutcome>;
  /** `rev` undefined: the person is new. */
  abstract writePeople(people: readonly { person: Person; rev: string | undefined }[]): Promise<WriteOutcome>;
  abstract disputeEvidence(people: readonly string[], others: readonly string[]): Promise<DisputeEvidence>;
  abstract readonly communities: CommunityStore;
}

export interface SubscriptionWrites {
  create: Subscription[];
  replace: Versioned<Subscription>[];
  remove: { key: string; rev: string }[];
}

/** The write side of groups, posts and subscriptions, under the same rules. */
export abstract class CommunityStore {
  abstract subscriptions(keys: readonly string[]): Promise<Map<string, Versioned<Subscription>>>;
  abstract writeSubscriptions(writes: SubscriptionWrites): Promise<WriteOutcome>;
  abstract vertices(kind: Vertex['kind'], keys: readonly string[]): Promise<Map<string, Versioned<Vertex>>>;
  /** `rev` undefined: it is new. A post's edge from its owner is there before the post is. */
  abstract writeVertices(
    kind: Vertex['kind'],
    vertices: readonly { vertex: Vertex; rev: string | undefined }[],
  ): Promise<WriteOutcome>;
  abstract memberLists(keys: readonly string[]): Promise<Map<string, Versioned<MemberList>>>;
  abstract writeMemberLists(
    lists: readonly { list: MemberList; rev: string | undefined }[],
  ): Promise<WriteOutcome>;
}

/** A page of friendships of one person, in the order of their keys; past ones when a moment was asked for. */
export interface FriendshipPage {
  items: (Friendship | PastFriendship)[];
  /** Key to continue behind; undefined on the last page. */
  next: string | undefined;
}

/** Two moments (milliseconds, pool's clock) to compare, and the place in the list. */
export interface FriendshipSpan {
  from: number;
  to: number;
  limit: number;
  after: string | undefined;
}

export interface ChangedFriendships {
  items: { key: string; lowId: string; highId: string; change: 'added' | 'removed' }[];
  next: string | undefined;
}

/** What the REST interface reads. */
export abstract class GraphQueries {
  abstract person(ref: PersonRef): Promise<Person | undefined>;
  /** Friendships behind the key `after`, those there are or those that were there `at`; the order is that of the keys and stays. */
  abstract friendshipsOf(
    ref: PersonRef,
    page: {
      limit: number;
      after: string | undefined;
      at?: number | undefined;
      /** Only those that are disputed, or only those that are not; of present ones. */
      disputed?: boolean | undefined;
    },
  ): Promise<FriendshipPage>;
  /** Friendships that were there at one of the two moments only. */
  abstract changedFriendships(ref: PersonRef, span: FriendshipSpan): Promise<ChangedFriendships>;
}

/** Tells the world what is now stored, and how far the input is done. */
export abstract class ChangeLog {
  /**
   * All of them are in the log, in this order and in this partition, when it resolves. The last record says that
   * the input is done up to `source`; without any change a marker says it. Groups and posts follow the people.
   */
  abstract publish(
    changes: readonly Person[],
    partition: number,
    source: SourcePositions,
    vertices?: readonly Vertex[],
  ): Promise<void>;
}

/** Topic -> partition -> offset of the next record. */
export type SourcePositions = Record<string, Record<string, number>>;

export type ObservedKind = 'list' | 'person' | 'subscriptions' | 'group' | 'post' | 'members';

/** Counts what happens; labels are bounded. */
export abstract class StorageMeter {
  abstract observation(kind: ObservedKind, fate: string, count: number): void;
  abstract friendships(action: 'created' | 'changed' | 'removed' | 'judged', count: number): void;
  abstract subscriptions(action: 'created' | 'changed' | 'removed', count: number): void;
  abstract conflicts(
    of: 'friendship' | 'person' | 'subscription' | 'vertex' | 'members',
    count: number,
  ): void;
  abstract published(kind: 'change' | 'marker', count: number): void;
}

/** Waiting as a port, so that specs need not wait. */
export abstract class Pause {
  abstract wait(ms: number): Promise<void>;
}

/** A friendship by the keys of its two people. */
export type KeyPair = readonly [low: string, high: string];

/** Present friendships of many, disputed ones included; people are named by their keys and need not be stored. */
export abstract class GraphWalks {
  /** Friendships in which at least one of them stands, at most `limit`, each once, in no order. */
  abstract friendshipsOfMany(people: readonly string[], limit: number): Promise<KeyPair[]>;
  /** Friendships between two of them. */
  abstract friendshipsAmong(people: readonly string[]): Promise<KeyPair[]>;
}
