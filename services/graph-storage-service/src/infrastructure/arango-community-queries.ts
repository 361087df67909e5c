import { aqlCatalogue, bulkGet, runNamed, type Stored } from '@sociograph/arango';
import { vertexKey } from '@sociograph/contracts';
import type { Database } from 'arangojs';
import type { PersonRef } from '../domain/observation';
import {
  CommunityQueries,
  PAGE_LIMIT_MS,
  type PostPlace,
  type SubscriptionPage,
} from '../domain/query-ports';
import type { SubscriptionList } from '../domain/subscription';
import type { Vertex } from '../domain/vertex';
import { withinTime } from './arango-neighbours';
import {
  COLLECTION_OF,
  fromSubscription,
  fromVertex,
  type SubscriptionDocument,
  type VertexDocument,
} from './community-documents';

const COMMUNITIES = aqlCatalogue({
  subscriptionsOf: {
    text: `
      FOR s IN subscriptions
        FILTER s._from == @person AND s._key > @after
        FILTER s.list == @list
        SORT s._key
        LIMIT @limit
        RETURN s`,
  },
  subscribersOf: {
    text: `
      FOR s IN subscriptions
        FILTER s._to == @target AND s._key > @after
        FILTER s.list == @list
        SORT s._key
        LIMIT @limit
        RETURN s`,
  },
  /** Keyset over the index of walls: first what was published in the same moment. */
  postsOf: {
    text: `
      LET same = (
        FOR p IN posts
          FILTER p.owner == @owner AND p.publishedAt == @before AND p.id < @id
          SORT p.id DESC
          LIMIT @limit
          RETURN p
      )
      LET older = (
        FOR p IN posts
          FILTER p.owner == @owner AND p.publishedAt < @before
          SORT p.publishedAt DESC, p.id DESC
          LIMIT @limit
          RETURN p
      )
      FOR p IN APPEND(same, older)
        SORT p.publishedAt DESC, p.id DESC
        LIMIT @limit
        RETURN p`,
  },
});

export class ArangoCommunityQueries extends CommunityQueries {
  constructor(private readonly db: Database) {
    super();
  }

  async vertex(kind: Vertex['kind'], ref: PersonRef): Promise<Vertex | undefined> {
    const key = keyOf(ref);
    const stored = (await bulkGet<VertexDocument>(this.db, COLLECTION_OF[kind], [key])).get(key);
    return stored && fromVertex(kind, stored);
  }

  async subscriptionsOf(
    person: PersonRef,
    list: SubscriptionList,
    { limit, after }: { limit: number; after: string | undefined },
  ): Promise<SubscriptionPage> {
    const rows = await this.#page<SubscriptionDocument>(COMMUNITIES.subscriptionsOf, {
      person: `users/${keyOf(person)}`,
      list,
      after: after ?? '',
      limit: limit + 1,
    });
    return pageOf(rows, limit);
  }

  async subscribersOf(
    target: PersonRef,
    list: SubscriptionList,
    { limit, after }: { limit: number; after: string | undefined },
  ): Promise<SubscriptionPage> {
    const rows = await this.#page<SubscriptionDocument>(COMMUNITIES.subscribersOf, {
      target: `${list === 'people' ? 'users' : 'groups'}/${keyOf(target)}`,
      list,
      after: after ?? '',
      limit: limit + 1,
    });
    return pageOf(rows, limit);
  }

  async postsOf(
    { kind, ref }: { kind: 'user' | 'group'; ref: PersonRef },
    { limit, after }: { limit: number; after: PostPlace | undefined },
  ): Promise<{ items: Vertex[]; next: PostPlace | undefined }> {
    const rows = await this.#page<VertexDocument>(COMMUNITIES.postsOf, {
      owner: `${kind === 'user' ? 'users' : 'groups'}/${keyOf(ref)}`,
      before: after?.publishedAt ?? Number.MAX_SAFE_INTEGER,
      id: after?.id ?? '',
      limit: limit + 1,
    });
    const items = rows.slice(0, limit);
    const last = items.at(-1);
    return {
      items: items.map((row) => fromVertex('post', row)),
      next: rows.length > limit && last ? { publishedAt: last.publishedAt ?? 0, id: last.id } : undefined,
    };
  }

  #page<T extends object>(
    query: (typeof COMMUNITIES)[keyof typeof COMMUNITIES],
    bindVars: Record<string, unknown>,
  ): Promise<Stored<T>[]> {
    return withinTime(PAGE_LIMIT_MS, (seconds) => runNamed<Stored<T>>(this.db, query, bindVars, seconds));
  }
}

/** One more than asked for was read: it tells whether there is a next page. */
function pageOf(rows: readonly Stored<SubscriptionDocument>[], limit: number): SubscriptionPage {
  const items = rows.slice(0, limit).map(fromSubscription);
  return { items, next: rows.length > limit ? items.at(-1)?.key : undefined };
}

function keyOf({ workspaceId, network, id }: PersonRef): string {
  return vertexKey(workspaceId, network, id);
}
