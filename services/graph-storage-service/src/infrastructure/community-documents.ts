import type { Keyed, Stored } from '@sociograph/arango';
import { vertexKey } from '@sociograph/contracts';
import type { ObservationStamp } from '@sociograph/kernel';
import type { SideAssertion } from '../domain/friendship';
import type { MemberList } from '../domain/member-list';
import type { Versioned } from '../domain/ports';
import type { Subscription, SubscriptionList } from '../domain/subscription';
import type { Vertex } from '../domain/vertex';
import { deep, flat, type SeenAt } from './arango-documents';

/** A group or post; of a post also what its wall is read by. */
export interface VertexDocument {
  workspaceId: string;
  network: string;
  id: string;
  version: number;
  changedAt: number;
  document?: { content: unknown } & SeenAt;
  /** `users/...` or `groups/...`: on whose wall a post stands. Indexed with `publishedAt` and `id`. */
  owner?: string;
  publishedAt?: number;
}

/** From a person to a group, page or person, in the collection `subscriptions`. */
export interface SubscriptionDocument {
  _from: string;
  _to: string;
  list: SubscriptionList;
  own?: SideAssertion;
  members?: SideAssertion;
  since: number;
}

/** Pages of walks that count, in the collection `member_lists`; key of the group. */
export interface MemberListDocument {
  workspaceId: string;
  network: string;
  id: string;
  floor?: ObservationStamp;
  pages: ({ listId: string; part: number; ids: readonly string[] } & SeenAt)[];
  ends: ({ listId: string; parts: number } & ObservationStamp)[];
}

/** From the owner of a wall to a post, in `user_posts` or `group_posts`. */
export interface WallDocument {
  _from: string;
  _to: string;
}

export const COLLECTION_OF = { group: 'groups', post: 'posts' } as const satisfies Record<
  Vertex['kind'],
  string
>;

export function toVertex({ kind, ref, version, changedAt, document }: Vertex): Keyed<VertexDocument> {
  const wall = kind === 'post' ? wallOf(ref, document?.content) : undefined;
  return {
    _key: vertexKey(ref.workspaceId, ref.network, ref.id),
    ...ref,
    version,
    changedAt,
    ...(document && { document: { content: document.content, ...flat(document) } }),
    ...wall,
  };
}

export function fromVertex(kind: Vertex['kind'], stored: Stored<VertexDocument>): Versioned<Vertex> {
  const { workspaceId, network, id, version, changedAt, document } = stored;
  return {
    kind,
    ref: { workspaceId, network, id },
    version,
    changedAt,
    document: document && { content: document.content, ...deep(document) },
    rev: stored._rev,
  };
}

function wallOf(ref: Vertex['ref'], content: unknown): { owner: string; publishedAt: number } | undefined {
  const { ownerKind, ownerId, publishedAt } = (content ?? {}) as {
    ownerKind?: string;
    ownerId?: string;
    publishedAt?: number;
  };
  if (ownerId === undefined) return undefined;
  const collection = ownerKind === 'group' ? 'groups' : 'users';
  return {
    owner: `${collection}/${vertexKey(ref.workspaceId, ref.network, ownerId)}`,
    publishedAt: publishedAt ?? 0,
  };
}

export function toSubscription(subscription: Subscription): Keyed<SubscriptionDocument> {
  const { key, list, personId, targetId, own, members, since } = subscription;
  const [workspaceId = '', network = ''] = key.split('.');
  const target = vertexKey(workspaceId, network, targetId);
  return {
    _key: key,
    _from: `users/${vertexKey(workspaceId, network, personId)}`,
    _to: `${list === 'people' ? 'users' : 'groups'}/${target}`,
    list,
    ...(own && { own }),
    ...(members && { members }),
    since,
  };
}

export function fromSubscription(stored: Stored<SubscriptionDocument>): Versioned<Subscription> {
  const { _key: key, list, own, members, since } = stored;
  const [, , personId = '', , targetId = ''] = key.split('.');
  return { key, list, personId, targetId, own, members, since, rev: stored._rev };
}

export function toMemberList({ ref, floor, pages, ends }: MemberList): Keyed<MemberListDocument> {
  return {
    _key: vertexKey(ref.workspaceId, ref.network, ref.id),
    ...ref,
    ...(floor && { floor }),
    pages: pages.map((page) => ({
      listId: page.listId,
      part: page.part,
      ids: page.ids,
      ...flat(page),
    })),
    ends: ends.map(({ listId, parts, stamp }) => ({ listId, parts, ...stamp })),
  };
}

export function fromMemberList(stored: Stored<MemberListDocument>): Versioned<MemberList> {
  const { workspaceId, network, id, floor, pages, ends } = stored;
  return {
    ref: { workspaceId, network, id },
    floor,
    pages: pages.map((page) => ({ listId: page.listId, part: page.part, ids: page.ids, ...deep(page) })),
    ends: ends.map(({ listId, parts, observedAt, fence }) => ({
      listId,
      parts,
      stamp: { observedAt, fence },
    })),
    rev: stored._rev,
  };
}
