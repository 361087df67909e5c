import { bulkGet, bulkWrite, runNamed, type BulkOutcome, type Stored } from '@sociograph/arango';
import { vertexKey } from '@sociograph/contracts';
import type { ObservationStamp } from '@sociograph/kernel';
import type { Database } from 'arangojs';
import type { Friendship } from '../domain/friendship';
import type { PersonRef } from '../domain/observation';
import type { PastFriendship } from '../domain/past-friendship';
import type { Person } from '../domain/person';
import {
  GraphQueries,
  GraphStore,
  type ChangedFriendships,
  type DisputeEvidence,
  type EdgeWrites,
  type FriendshipPage,
  type FriendshipSpan,
  type Versioned,
  type WriteOutcome,
} from '../domain/ports';
import { PAGE_LIMIT_MS } from '../domain/query-ports';
import { QUERIES } from './aql';
import { ArangoCommunities } from './arango-communities';
import { withinTime } from './arango-neighbours';
import {
  changeOf,
  fromBrief,
  fromFriendship,
  fromPast,
  fromUser,
  toFriendship,
  toPast,
  toUser,
  type BriefFriendship,
  type FriendshipDocument,
  type PastFriendshipDocument,
  type UserDocument,
} from './arango-documents';

/** Counts requests by what they are for; the metric behind "store requests per 1,000 changed edges". */
export type RequestCounter = (operation: string, count: number) => void;

export class ArangoGraph extends GraphStore {
  readonly communities: ArangoCommunities;

  constructor(
    private readonly db: Database,
    private readonly count: RequestCounter = () => undefined,
  ) {
    super();
    this.communities = new ArangoCommunities(db, count);
  }

  async read(people: readonly string[]): ReturnType<GraphStore['read']> {
    this.count('read', 1);
    const [row] = await runNamed<{ people: Stored<UserDocument>[]; unanswered: BriefFriendship[] }>(
      this.db,
      QUERIES.readBatch,
      { people },
    );
    return {
      people: new Map(row?.people.map((user) => [user._key, fromUser(user)])),
      unanswered: new Map(row?.unanswered.map((edge) => [edge.key, fromBrief(edge)])),
    };
  }

  async friendships(keys: readonly string[]): Promise<Map<string, Versioned<Friendship>>> {
    this.count('read-friendships', 1);
    const found = await bulkGet<FriendshipDocument>(this.db, 'friendships', keys);
    return new Map([...found].map(([key, edge]) => [key, fromFriendship(edge)]));
  }

  async writeFriendships({ create, replace, remove }: EdgeWrites): Promise<WriteOutcome> {
    const notKept = await this.#keepPast(remove.flatMap(({ past }) => past ?? []));
    const outcome = await bulkWrite<FriendshipDocument>(this.db, 'friendships', {
      inserts: inOrder(create).map(toFriendship),
      updates: inOrder(replace).map(changeOf),
      removes: inOrder(remove)
        .filter(({ key }) => !notKept.has(key))
        .map(({ key, rev }) => ({ _key: key, _rev: rev })),
    });
    const { written, conflicts } = this.#outcome('write-friendships', outcome);
    return { written, conflicts: [...conflicts, ...notKept] };
  }

  /**
   * History comes first: a process that dies in between leaves a friendship and its ending side by side, and ends
   * it again when the observation returns. An ending whose friendship another writer saved stays; the reading passes
   * over it (`byLastingLonger`). Keys of friendships whose ending could not be written.
   */
  async #keepPast(past: readonly PastFriendship[]): Promise<Set<string>> {
    if (past.length === 0) return new Set();
    const puts = inOrder(past).map(toPast);
    const { conflicts } = this.#outcome(
      'write-past',
      await bulkWrite<PastFriendshipDocument>(this.db, 'past_friendships', { puts }),
    );
    const lost = new Set(conflicts);
    return new Set(puts.filter(({ _key }) => lost.has(_key)).map(({ friendship }) => friendship));
  }

  async writePeople(people: readonly { person: Person; rev: string | undefined }[]): Promise<WriteOutcome> {
    const outcome = await bulkWrite<UserDocument>(this.db, 'users', {
      inserts: people.filter(({ rev }) => rev === undefined).map(({ person }) => toUser(person)),
      replaces: people.flatMap(({ person, rev }) =>
        rev === undefined ? [] : [{ ...toUser(person), _rev: rev }],
      ),
    });
    return this.#outcome('write-people', outcome);
  }

  async disputeEvidence(people: readonly string[], others: readonly string[]): Promise<DisputeEvidence> {
    this.count('read-evidence', 1);
    const [row] = await runNamed<{
      unanswered: BriefFriendship[];
      disputed: BriefFriendship[];
      complete: ({ key: string } & ObservationStamp)[];
    }>(this.db, QUERIES.disputeEvidence, { people, others });
    return {
      unanswered: row?.unanswered.map(fromBrief) ?? [],
      disputed: row?.disputed.map(fromBrief) ?? [],
      completeLists: new Map(row?.complete.map(({ key, observedAt, fence }) => [key, { observedAt, fence }])),
    };
  }

  #outcome(operation: string, { written, conflicts, requests }: BulkOutcome): WriteOutcome {
    this.count(operation, requests);
    return { written, conflicts };
  }
}

export class ArangoGraphQueries extends GraphQueries {
  constructor(private readonly db: Database) {
    super();
  }

  async person({ workspaceId, network, id }: PersonRef): Promise<Person | undefined> {
    const key = vertexKey(workspaceId, network, id);
    const stored = (await bulkGet<UserDocument>(this.db, 'users', [key])).get(key);
    return stored && fromUser(stored);
  }

  /** One more than asked for is read: it tells whether there is a next page. */
  async friendshipsOf(
    { workspaceId, network, id }: PersonRef,
    { limit, after, at, disputed }: Parameters<GraphQueries['friendshipsOf']>[1],
  ): Promise<FriendshipPage> {
    const person = `users/${vertexKey(workspaceId, network, id)}`;
    if (at !== undefined) return this.#friendshipsAt(person, { limit, after, at });
    const edges = await this.#page<Stored<FriendshipDocument>>(QUERIES.friendshipsOf, {
      person,
      after: after ?? '',
      disputed: disputed ?? null,
      limit: limit + 1,
    });
    const items = edges.slice(0, limit).map(fromFriendship);
    return { items, next: edges.length > limit ? items.at(-1)?.key : undefined };
  }

  async changedFriendships(
    { workspaceId, network, id }: PersonRef,
    { from, to, limit, after }: FriendshipSpan,
  ): Promise<ChangedFriendships> {
    const rows = await this.#page<{ key: string; added: boolean }>(QUERIES.changedFriendships, {
      person: `users/${vertexKey(workspaceId, network, id)}`,
      after: after ?? '',
      from,
      to,
      limit: limit + 1,
    });
    const items = rows.slice(0, limit).map(({ key, added }) => {
      const [, , lowId = '', highId = ''] = key.split('.');
      return { key, lowId, highId, change: added ? ('added' as const) : ('removed' as const) };
    });
    return { items, next: rows.length > limit ? items.at(-1)?.key : undefined };
  }

  async #friendshipsAt(
    person: string,
    { limit, after, at }: { limit: number; after: string | undefined; at: number },
  ): Promise<FriendshipPage> {
    const rows = await this.#page<{
      key: string;
      stretch: Stored<FriendshipDocument | PastFriendshipDocument>;
    }>(QUERIES.friendshipsAt, { person, after: after ?? '', at, limit: limit + 1 });
    const items = rows
      .slice(0, limit)
      .map(({ stretch }) => ('friendship' in stretch ? fromPast(stretch) : fromFriendship(stretch)));
    return { items, next: rows.length > limit ? items.at(-1)?.key : undefined };
  }

  #page<Row>(
    query: (typeof QUERIES)[keyof typeof QUERIES],
    bindVars: Record<string, unknown>,
  ): Promise<Row[]> {
    return withinTime(PAGE_LIMIT_MS, (seconds) => runNamed<Row>(this.db, query, bindVars, seconds));
  }
}

/** By key: neighbouring keys share pages of the store, and parallel writers meet in one order. */
function inOrder<T extends { key: string }>(items: readonly T[]): T[] {
  return [...items].sort((a, b) => (a.key < b.key ? -1 : 1));
}
