import { bulkGet, bulkWrite, runNamed, type Keyed, type Stored } from '@sociograph/arango';
import { vertexKey, wallOwnerOf } from '@sociograph/contracts';
import type { Database } from 'arangojs';
import type { Erasure } from '../domain/erasure';
import { Erasures } from '../domain/erasure-ports';
import type { PersonRef } from '../domain/observation';
import type { Person } from '../domain/person';
import type { Versioned } from '../domain/ports';
import type { Vertex } from '../domain/vertex';
import { fromUser, type UserDocument } from './arango-documents';
import { fromVertex, type MemberListDocument, type VertexDocument } from './community-documents';
import { QUERIES } from './erasure-queries';

/** People looked at in one request, with their lists: about 30 ms at the stand-in. */
const PEOPLE_PER_LOOK = 500;
/** Edges removed in one request. */
const EDGES_PER_REMOVAL = 2_000;
/** Walks through groups looked at in one request: the store has them in memory, 13 MB for a million members. */
const WALKS_PER_LOOK = 5;

/** Collections whose documents may have held a person. */
const HOLDING = [
  'users',
  'posts',
  'friendships',
  'past_friendships',
  'subscriptions',
  'user_posts',
  'group_posts',
  'member_lists',
  'erasures',
  'exports',
  'idempotency_keys',
];

type StoredErasure = Erasure & { open: boolean };

/** Receipts in the collection `erasures`; an open one is found by an index. */
export class ArangoErasures extends Erasures {
  constructor(private readonly db: Database) {
    super();
  }

  async begin(erasure: Erasure): Promise<Erasure> {
    await bulkWrite<StoredErasure>(this.db, 'erasures', { inserts: [toDocument(erasure)] });
    // Whoever was first: a conflict is a receipt that is there.
    return (await this.#stored(erasure.id)) ?? this.begin(erasure);
  }

  async find(workspaceId: string, id: string): Promise<Erasure | undefined> {
    const found = await this.#stored(id);
    return found?.workspaceId === workspaceId ? found : undefined;
  }

  async page(workspaceId: string, limit: number, after: string | undefined): Promise<Erasure[]> {
    const rows = await runNamed<Stored<StoredErasure>>(this.db, QUERIES.page, {
      workspaceId,
      limit,
      after: after ?? '',
    });
    return rows.map(fromDocument);
  }

  erasing(limit: number): Promise<Versioned<Erasure>[]> {
    return this.#all(QUERIES.erasing, limit);
  }

  waiting(limit: number): Promise<Versioned<Erasure>[]> {
    return this.#all(QUERIES.waiting, limit);
  }

  nameless(limit: number): Promise<Versioned<Erasure>[]> {
    return this.#all(QUERIES.nameless, limit);
  }

  async open(): Promise<number> {
    return (await runNamed<number>(this.db, QUERIES.open, {}))[0] ?? 0;
  }

  async save(erasure: Erasure, rev: string): Promise<string | undefined> {
    const replaces = [{ ...toDocument(erasure), _rev: rev }];
    return (await bulkWrite<StoredErasure>(this.db, 'erasures', { replaces })).revisions.get(erasure.id);
  }

  async holders(
    { workspaceId, network, id }: PersonRef,
    after: string | undefined,
  ): Promise<{ people: Versioned<Person>[]; next: string | undefined }> {
    const rows = await runNamed<{ key: string; user: Stored<UserDocument> | null }>(
      this.db,
      QUERIES.holders,
      {
        ...range(workspaceId, network, after),
        id,
        limit: PEOPLE_PER_LOOK,
      },
    );
    return {
      people: rows.flatMap(({ user }) => (user === null ? [] : [fromUser(user)])),
      next: rows.length < PEOPLE_PER_LOOK ? undefined : rows.at(-1)?.key,
    };
  }

  async people(keys: readonly string[]): Promise<Map<string, Versioned<Person>>> {
    const found = await bulkGet<UserDocument>(this.db, 'users', keys);
    return new Map([...found].map(([key, user]) => [key, fromUser(user)]));
  }

  async removeEdges(person: PersonRef): Promise<number> {
    const vertex = `users/${keyOf(person)}`;
    await this.#leaveWalks(person);
    const friendships = await this.#removeAll('friendships', vertex);
    return friendships + (await this.#removeAll('subscriptions', vertex));
  }

  async removeHistory(person: PersonRef): Promise<number> {
    return this.#removeAll('past_friendships', `users/${keyOf(person)}`);
  }

  async posts(
    { workspaceId, network, id }: PersonRef,
    after: string | undefined,
  ): Promise<{ own: string[]; repeating: Versioned<Vertex>[]; next: string | undefined }> {
    const rows = await runNamed<{
      key: string;
      id: string;
      own: boolean;
      repeating: Stored<VertexDocument> | null;
    }>(this.db, QUERIES.posts, {
      ...range(workspaceId, network, after),
      id,
      prefix: `${id}_`,
      limit: PEOPLE_PER_LOOK,
    });
    return {
      own: rows.filter(({ own }) => own).map((row) => row.id),
      repeating: rows.flatMap(({ repeating }) =>
        repeating !== null && repeatsOneOf(repeating, id) ? [fromVertex('post', repeating)] : [],
      ),
      next: rows.length < PEOPLE_PER_LOOK ? undefined : rows.at(-1)?.key,
    };
  }

  async removePosts(person: PersonRef, ids: readonly string[]): Promise<number> {
    const { workspaceId, network } = person;
    const keys = ids.map((id) => vertexKey(workspaceId, network, id));
    // The edge from a wall to a post has the post's key.
    await this.#removeKeys('user_posts', keys);
    await this.#removeKeys('group_posts', keys);
    await this.#removeAll('user_posts', `users/${keyOf(person)}`);
    return this.#removeKeys('posts', keys);
  }

  async removeVertex(person: PersonRef): Promise<number> {
    const key = keyOf(person);
    for (let removed = 0; ;) {
      const stored = (await bulkGet<UserDocument>(this.db, 'users', [key])).get(key);
      if (stored === undefined) return removed;
      removed += (await bulkWrite(this.db, 'users', { removes: [{ _key: key, _rev: stored._rev }] })).written;
    }
  }

  async compact(): Promise<void> {
    for (const name of HOLDING) await this.db.collection(name).compact();
  }

  /** Pages of walks through groups, without the id. */
  async #leaveWalks({ workspaceId, network, id }: PersonRef): Promise<void> {
    let after: string | undefined;
    do {
      const looked: { key: string; holds: boolean }[] = await runNamed(this.db, QUERIES.walks, {
        ...range(workspaceId, network, after),
        id,
        limit: WALKS_PER_LOOK,
      });
      for (const { key, holds } of looked) if (holds) await this.#leaveWalk(key, id);
      after = looked.length < WALKS_PER_LOOK ? undefined : looked.at(-1)?.key;
    } while (after !== undefined);
  }

  async #leaveWalk(key: string, id: string): Promise<void> {
    for (let pending = [key]; pending.length > 0;) {
      const lists = await bulkGet<MemberListDocument>(this.db, 'member_lists', pending);
      const replaces = [...lists.values()].map(({ pages, ...list }) => ({
        ...list,
        pages: pages.map((page) => ({ ...page, ids: page.ids.filter((other) => other !== id) })),
      }));
      pending = (await bulkWrite<MemberListDocument>(this.db, 'member_lists', { replaces })).conflicts;
    }
  }

  /** Until none of them is stored. How many were. */
  async #removeKeys(collection: 'posts' | 'user_posts' | 'group_posts', keys: string[]): Promise<number> {
    let removed = 0;
    for (let pending = keys; pending.length > 0;) {
      const stored = await bulkGet<object>(this.db, collection, pending);
      const { written, conflicts } = await bulkWrite(this.db, collection, {
        removes: bare([...stored.values()]),
      });
      removed += written;
      pending = conflicts;
    }
    return removed;
  }

  /** Until none is found: what another writer changed meanwhile is read again. */
  async #removeAll(collection: EdgeCollection, vertex: string): Promise<number> {
    for (let removed = 0; ;) {
      const found = await runNamed<Found>(this.db, QUERIES[collection], {
        person: vertex,
        limit: EDGES_PER_REMOVAL,
      });
      if (found.length === 0) return removed;
      removed += (await bulkWrite(this.db, collection, { removes: bare(found) })).written;
    }
  }

  async #all(
    query: (typeof QUERIES)['erasing' | 'waiting' | 'nameless'],
    limit: number,
  ): Promise<Versioned<Erasure>[]> {
    const rows = await runNamed<Stored<StoredErasure>>(this.db, query, { limit });
    return rows.map((row) => ({ ...fromDocument(row), rev: row._rev }));
  }

  async #stored(id: string): Promise<Erasure | undefined> {
    const found = (await bulkGet<StoredErasure>(this.db, 'erasures', [id])).get(id);
    return found && fromDocument(found);
  }
}

type EdgeCollection = 'friendships' | 'past_friendships' | 'subscriptions' | 'user_posts';
interface Found {
  _key: string;
  _rev: string;
}

function keyOf({ workspaceId, network, id }: PersonRef): string {
  return vertexKey(workspaceId, network, id);
}

/** Keys of one workspace and network: a slash follows the dot and stands in no key. */
function range(
  workspaceId: string,
  network: string,
  after: string | undefined,
): { after: string; end: string } {
  return { after: after ?? `${workspaceId}.${network}.`, end: `${workspaceId}.${network}/` };
}

/** The query looks at the beginning only, and ids of people may hold underscores. */
function repeatsOneOf({ document }: VertexDocument, personId: string): boolean {
  const { repostOf } = (document?.content ?? {}) as { repostOf?: string };
  return repostOf !== undefined && wallOwnerOf(repostOf) === personId;
}

function bare(found: readonly Found[]): Found[] {
  return found.map(({ _key, _rev }) => ({ _key, _rev }));
}

function toDocument(erasure: Erasure): Keyed<StoredErasure> {
  return { _key: erasure.id, ...erasure, open: erasure.state !== 'complete' };
}

function fromDocument({ _key, _rev, open: _, ...rest }: Stored<StoredErasure>): Erasure {
  const { _id: __, ...erasure } = rest as Erasure & { _id?: string };
  return { ...erasure, personId: erasure.personId ?? undefined };
}
