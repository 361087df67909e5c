import { bulkGet, bulkWrite, type BulkOutcome } from '@sociograph/arango';
import type { Database } from 'arangojs';
import type { MemberList } from '../domain/member-list';
import { CommunityStore, type SubscriptionWrites, type Versioned, type WriteOutcome } from '../domain/ports';
import type { Subscription } from '../domain/subscription';
import type { Vertex } from '../domain/vertex';
import type { RequestCounter } from './arango-graph';
import {
  COLLECTION_OF,
  fromMemberList,
  fromSubscription,
  fromVertex,
  toMemberList,
  toSubscription,
  toVertex,
  type MemberListDocument,
  type SubscriptionDocument,
  type VertexDocument,
  type WallDocument,
} from './community-documents';

/** Groups, posts and subscriptions by the document API, with versions. */
export class ArangoCommunities extends CommunityStore {
  constructor(
    private readonly db: Database,
    private readonly count: RequestCounter,
  ) {
    super();
  }

  async subscriptions(keys: readonly string[]): Promise<Map<string, Versioned<Subscription>>> {
    this.count('read-subscriptions', 1);
    const found = await bulkGet<SubscriptionDocument>(this.db, 'subscriptions', keys);
    return new Map([...found].map(([key, edge]) => [key, fromSubscription(edge)]));
  }

  async writeSubscriptions({ create, replace, remove }: SubscriptionWrites): Promise<WriteOutcome> {
    const outcome = await bulkWrite<SubscriptionDocument>(this.db, 'subscriptions', {
      inserts: create.map(toSubscription),
      replaces: replace.map((one) => ({ ...toSubscription(one), _rev: one.rev })),
      removes: remove.map(({ key, rev }) => ({ _key: key, _rev: rev })),
    });
    return this.#outcome('write-subscriptions', outcome);
  }

  async vertices(kind: Vertex['kind'], keys: readonly string[]): Promise<Map<string, Versioned<Vertex>>> {
    this.count(`read-${COLLECTION_OF[kind]}`, 1);
    const found = await bulkGet<VertexDocument>(this.db, COLLECTION_OF[kind], keys);
    return new Map([...found].map(([key, stored]) => [key, fromVertex(kind, stored)]));
  }

  async writeVertices(
    kind: Vertex['kind'],
    vertices: readonly { vertex: Vertex; rev: string | undefined }[],
  ): Promise<WriteOutcome> {
    const documents = vertices.map(({ vertex, rev }) => ({ document: toVertex(vertex), rev }));
    const unhung = await this.#hang(
      documents.flatMap(({ document, rev }) => (rev === undefined ? document : [])),
    );
    const ready = documents.filter(({ document }) => !unhung.includes(document._key));
    const outcome = await bulkWrite<VertexDocument>(this.db, COLLECTION_OF[kind], {
      inserts: ready.flatMap(({ document, rev }) => (rev === undefined ? document : [])),
      replaces: ready.flatMap(({ document, rev }) => (rev === undefined ? [] : { ...document, _rev: rev })),
    });
    const { written, conflicts } = this.#outcome(`write-${COLLECTION_OF[kind]}`, outcome);
    return { written, conflicts: [...conflicts, ...unhung] };
  }

  async memberLists(keys: readonly string[]): Promise<Map<string, Versioned<MemberList>>> {
    this.count('read-members', 1);
    const found = await bulkGet<MemberListDocument>(this.db, 'member_lists', keys);
    return new Map([...found].map(([key, stored]) => [key, fromMemberList(stored)]));
  }

  async writeMemberLists(
    lists: readonly { list: MemberList; rev: string | undefined }[],
  ): Promise<WriteOutcome> {
    const outcome = await bulkWrite<MemberListDocument>(this.db, 'member_lists', {
      inserts: lists.flatMap(({ list, rev }) => (rev === undefined ? toMemberList(list) : [])),
      replaces: lists.flatMap(({ list, rev }) =>
        rev === undefined ? [] : { ...toMemberList(list), _rev: rev },
      ),
    });
    return this.#outcome('write-members', outcome);
  }

  /** Hangs new posts on their walls; the edge's key is the post's, so a repetition writes the same. Keys that failed. */
  async #hang(posts: readonly (VertexDocument & { _key: string })[]): Promise<string[]> {
    const failed: string[] = [];
    for (const [collection, owners] of [
      ['user_posts', 'users/'],
      ['group_posts', 'groups/'],
    ] as const) {
      const puts = posts.flatMap(({ _key, owner }) =>
        owner?.startsWith(owners) === true ? { _key, _from: owner, _to: `posts/${_key}` } : [],
      );
      if (puts.length === 0) continue;
      const outcome = await bulkWrite<WallDocument>(this.db, collection, { puts });
      failed.push(...this.#outcome('write-walls', outcome).conflicts);
    }
    return failed;
  }

  #outcome(operation: string, { written, conflicts, requests }: BulkOutcome): WriteOutcome {
    this.count(operation, requests);
    return { written, conflicts };
  }
}
