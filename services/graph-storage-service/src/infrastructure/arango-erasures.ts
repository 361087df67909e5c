import { aqlCatalogue, bulkGet, bulkWrite, runNamed, type Keyed, type Stored } from '@sociograph/arango';
import { vertexKey } from '@sociograph/contracts';
import type { Database } from 'arangojs';
import type { Erasure } from '../domain/erasure';
import { Erasures } from '../domain/erasure-ports';
import type { PersonRef } from '../domain/observation';
import type { Person } from '../domain/person';
import type { Versioned } from '../domain/ports';
import { fromUser, type UserDocument } from './arango-documents';
import type { MemberListDocument } from './community-documents';

/** People looked at in one request, with their lists: about 30 ms at the stand-in. */
const PEOPLE_PER_LOOK = 500;
/** Edges removed in one request. */
const EDGES_PER_REMOVAL = 2_000;

const edgesOf = (collection: string): { text: string } => ({
  text: `
    LET outgoing = (FOR e IN ${collection} FILTER e._from == @person LIMIT @limit RETURN { _key: e._key, _rev: e._rev })
    LET incoming = (FOR e IN ${collection} FILTER e._to == @person LIMIT @limit RETURN { _key: e._key, _rev: e._rev })
    FOR e IN UNION(outgoing, incoming) RETURN e`,
});

const QUERIES = aqlCatalogue({
  unfinished: {
    text: `FOR e IN erasures FILTER e.open == true SORT e.requestedAt, e._key LIMIT @limit RETURN e`,
  },
  page: {
    text: `
      FOR e IN erasures FILTER e.workspaceId == @workspaceId AND e._key > @after
        SORT e._key LIMIT @limit RETURN e`,
  },
  /** Everybody behind a key, and whether a list of theirs holds the person; edges might have been lost by a crash. */
  holders: {
    text: `
      LET looked = (FOR u IN users FILTER u._key > @after AND u._key < @end SORT u._key LIMIT @limit RETURN u)
      FOR u IN looked
        LET lists = [u.list, u.subscriptions.people]
        LET holding = (
          FOR l IN lists
            FILTER l != null
            FILTER @id IN (l.base.ids == null ? [] : l.base.ids) OR HAS(l.added == null ? {} : l.added, @id)
            RETURN 1
        )
        SORT u._key
        RETURN { key: u._key, user: LENGTH(holding) > 0 ? u : null }`,
  },
  friendships: edgesOf('friendships'),
  past_friendships: edgesOf('past_friendships'),
  subscriptions: edgesOf('subscriptions'),
  user_posts: edgesOf('user_posts'),
  group_posts: edgesOf('group_posts'),
  /** Posts on the person's wall, by their edges, and posts that the person wrote elsewhere. */
  /** Groups that the person belongs to: walks through their members may hold the id. */
  groupsOf: {
    text: `
      FOR e IN subscriptions FILTER e._from == @person AND e.list == "groups"
        RETURN DISTINCT SUBSTRING(e._to, LENGTH("groups/"))`,
  },
  posts: {
    text: `
      LET own = (FOR e IN user_posts FILTER e._from == @person LIMIT @limit RETURN e._to)
      FOR p IN posts FILTER p._id IN own RETURN { _key: p._key, _rev: p._rev }`,
  },
  writings: {
    text: `
      LET looked = (FOR p IN posts FILTER p._key > @after AND p._key < @end SORT p._key LIMIT @limit RETURN p)
      FOR p IN looked
        LET content = p.document.content
        SORT p._key
        RETURN {
          _key: p._key, _rev: p._rev,
          own: content.authorId == @id OR (content.ownerKind == "user" AND content.ownerId == @id)
        }`,
  },
});

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
];

type StoredErasure = Erasure & { open: boolean };

/** Receipts in the collection `erasures`; an open one is found by an index. */
export class ArangoErasures extends Erasures {
  constructor(private readonly db: Database) {
    super();
  }

  async open(erasure: Erasure): Promise<Erasure> {
    await bulkWrite<StoredErasure>(this.db, 'erasures', { inserts: [toDocument(erasure)] });
    // Whoever was first: a conflict is a receipt that is there.
    return (await this.#stored(erasure.id)) ?? this.open(erasure);
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

  async unfinished(limit: number): Promise<Versioned<Erasure>[]> {
    const rows = await runNamed<Stored<StoredErasure>>(this.db, QUERIES.unfinished, { limit });
    return rows.map((row) => ({ ...fromDocument(row), rev: row._rev }));
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
    await this.#leaveWalks(vertex, person.id);
    const friendships = await this.#removeAll('friendships', vertex);
    return friendships + (await this.#removeAll('subscriptions', vertex));
  }

  async removeHistory(person: PersonRef): Promise<number> {
    return this.#removeAll('past_friendships', `users/${keyOf(person)}`);
  }

  async removePosts({ workspaceId, network, id }: PersonRef): Promise<string[]> {
    const removed: string[] = [];
    const person = `users/${keyOf({ workspaceId, network, id })}`;
    for (;;) {
      const own = await runNamed<Found>(this.db, QUERIES.posts, { person, limit: EDGES_PER_REMOVAL });
      if (own.length === 0) break;
      removed.push(...(await this.#removePosts(own)));
    }
    await this.#removeAll('user_posts', person);
    for (let after: string | undefined = range(workspaceId, network, undefined).after; after !== undefined;) {
      const looked: (Found & { own: boolean })[] = await runNamed(this.db, QUERIES.writings, {
        ...range(workspaceId, network, after),
        id,
        limit: PEOPLE_PER_LOOK,
      });
      removed.push(...(await this.#removePosts(looked.filter(({ own }) => own))));
      after = looked.length < PEOPLE_PER_LOOK ? undefined : looked.at(-1)?._key;
    }
    return removed.map((key) => key.slice(`${workspaceId}.${network}.`.length));
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

  /** Pages of walks through groups, without the id. While the edges are there they say which groups. */
  async #leaveWalks(person: string, id: string): Promise<void> {
    const groups = await runNamed<string>(this.db, QUERIES.groupsOf, { person });
    for (let pending = groups; pending.length > 0;) {
      const lists = await bulkGet<MemberListDocument>(this.db, 'member_lists', pending);
      const replaces = [...lists.values()]
        .filter(({ pages }) => pages.some(({ ids }) => ids.includes(id)))
        .map(({ pages, ...list }) => ({
          ...list,
          pages: pages.map((page) => ({ ...page, ids: page.ids.filter((other) => other !== id) })),
        }));
      pending = (await bulkWrite<MemberListDocument>(this.db, 'member_lists', { replaces })).conflicts;
    }
  }

  async #removePosts(found: readonly Found[]): Promise<string[]> {
    for (const { _key } of found) {
      await this.#removeAll('user_posts', `posts/${_key}`);
      await this.#removeAll('group_posts', `posts/${_key}`);
    }
    const { conflicts } = await bulkWrite(this.db, 'posts', { removes: bare(found) });
    const kept = new Set(conflicts);
    return found.map(({ _key }) => _key).filter((key) => !kept.has(key));
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

  async #stored(id: string): Promise<Erasure | undefined> {
    const found = (await bulkGet<StoredErasure>(this.db, 'erasures', [id])).get(id);
    return found && fromDocument(found);
  }
}

type EdgeCollection = 'friendships' | 'past_friendships' | 'subscriptions' | 'user_posts' | 'group_posts';
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
