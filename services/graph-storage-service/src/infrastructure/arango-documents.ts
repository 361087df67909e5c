import type { Change, Keyed, Stored } from '@sociograph/arango';
import { vertexKey } from '@sociograph/contracts';
import { idOf, loneSide, otherSide, type Friendship, type SideAssertion } from '../domain/friendship';
import type { Lineage } from '../domain/observation';
import type { OwnList } from '../domain/own-list';
import { pastKey, type PastFriendship } from '../domain/past-friendship';
import type { Person } from '../domain/person';
import type { Versioned } from '../domain/ports';
import type { ObservationStamp } from '@sociograph/kernel';

interface SeenAt extends ObservationStamp, Lineage {}

/** A person in the collection `users`. */
export interface UserDocument {
  workspaceId: string;
  network: string;
  id: string;
  version: number;
  changedAt: number;
  document?: { content: unknown } & SeenAt;
  list?: {
    base?: { kind: 'complete' | 'deleted'; ids: readonly string[] } & SeenAt;
    added?: Record<string, SeenAt>;
  };
}

/** A friendship in the collection `friendships`: `_from` is the low end, `_to` the high one. */
export interface FriendshipDocument {
  _from: string;
  _to: string;
  low?: SideAssertion;
  high?: SideAssertion;
  since: number;
  /** Key of the person that does not assert it; absent when both do. Indexed, sparse. */
  openSide?: string;
  /** Key of the person whose lone assertion is contradicted. Indexed, sparse. */
  disputedSide?: string;
  deniedAt?: ObservationStamp;
}

/** A stretch of time that is over, in the collection `past_friendships`. */
export interface PastFriendshipDocument {
  _from: string;
  _to: string;
  /** Key of the friendship as it was, and may be again. */
  friendship: string;
  since: number;
  until: number;
  low?: SideAssertion;
  high?: SideAssertion;
  endedBy?: SideAssertion;
}

export function toUser({ ref, version, changedAt, document, list }: Person): Keyed<UserDocument> {
  const { base, added } = list;
  return {
    _key: vertexKey(ref.workspaceId, ref.network, ref.id),
    ...ref,
    version,
    changedAt,
    ...(document && { document: { content: document.content, ...flat(document) } }),
    ...((base ?? added.size > 0) && {
      list: {
        ...(base && { base: { kind: base.kind, ids: base.ids, ...flat(base) } }),
        ...(added.size > 0 && {
          added: Object.fromEntries([...added].map(([id, seen]) => [id, flat(seen)])),
        }),
      },
    }),
  };
}

export function fromUser(stored: Stored<UserDocument>): Versioned<Person> {
  const { workspaceId, network, id, version, changedAt, document, list } = stored;
  return {
    ref: { workspaceId, network, id },
    version,
    changedAt,
    document: document && { content: document.content, ...deep(document) },
    list: ownList(list),
    rev: stored._rev,
  };
}

function ownList(list: UserDocument['list']): OwnList {
  const base = list?.base && { kind: list.base.kind, ids: list.base.ids, ...deep(list.base) };
  return { base, added: new Map(Object.entries(list?.added ?? {}).map(([id, seen]) => [id, deep(seen)])) };
}

export function toFriendship(friendship: Friendship): Keyed<FriendshipDocument> {
  const { key, low, high, since, deniedAt } = friendship;
  const [workspaceId = '', network = ''] = key.split('.');
  const vertex = (id: string): string => vertexKey(workspaceId, network, id);
  const lone = loneSide(friendship);
  return {
    _key: key,
    _from: `users/${vertex(friendship.lowId)}`,
    _to: `users/${vertex(friendship.highId)}`,
    ...(low && { low }),
    ...(high && { high }),
    since,
    ...(lone && { openSide: vertex(idOf(friendship, otherSide(lone))) }),
    ...(lone && deniedAt && { disputedSide: vertex(idOf(friendship, lone)), deniedAt }),
  };
}

export function toPast(past: PastFriendship): Keyed<PastFriendshipDocument> {
  const { _key, _from, _to, since, low, high } = toFriendship(past);
  const { until, endedBy } = past;
  return {
    _key: pastKey(past),
    _from,
    _to,
    friendship: _key,
    since,
    until,
    ...(low && { low }),
    ...(high && { high }),
    ...(endedBy && { endedBy }),
  };
}

/** A friendship as the write side reads it: stamps without lineage. */
export interface BriefFriendship {
  key: string;
  rev: string;
  since: number;
  deniedAt: ObservationStamp | null;
  low: [observedAt: number, fence: number] | null;
  high: [observedAt: number, fence: number] | null;
}

export function fromBrief({ key, rev, since, deniedAt, low, high }: BriefFriendship): Versioned<Friendship> {
  const [, , lowId = '', highId = ''] = key.split('.');
  const side = (seen: BriefFriendship['low']): SideAssertion | undefined =>
    seen ? { observedAt: seen[0], fence: seen[1] } : undefined;
  return {
    key,
    lowId,
    highId,
    low: side(low),
    high: side(high),
    since,
    deniedAt: deniedAt ?? undefined,
    rev,
  };
}

/** The change that makes the stored document say what the friendship says; null takes an attribute away. */
export function changeOf(friendship: Versioned<Friendship>): Change<FriendshipDocument> {
  const {
    _key,
    since,
    low = null,
    high = null,
    openSide = null,
    disputedSide = null,
    deniedAt = null,
  } = toFriendship(friendship);
  return { _key, _rev: friendship.rev, since, low, high, openSide, disputedSide, deniedAt };
}

export function fromFriendship(stored: Stored<FriendshipDocument>): Versioned<Friendship> {
  const [, , lowId = '', highId = ''] = stored._key.split('.');
  const { low, high, since, deniedAt } = stored;
  return { key: stored._key, lowId, highId, low, high, since, deniedAt, rev: stored._rev };
}

export function fromPast({
  friendship,
  since,
  until,
  low,
  high,
  endedBy,
}: PastFriendshipDocument): PastFriendship {
  const [, , lowId = '', highId = ''] = friendship.split('.');
  return { key: friendship, lowId, highId, low, high, since, until, endedBy };
}

function flat({ stamp, source }: { stamp: ObservationStamp; source: Lineage }): SeenAt {
  return { observedAt: stamp.observedAt, fence: stamp.fence, ...source };
}

function deep({ observedAt, fence, importId, callId, keyId }: SeenAt): {
  stamp: ObservationStamp;
  source: Lineage;
} {
  return {
    stamp: { observedAt, fence },
    source: { importId, callId, ...(keyId !== undefined && { keyId }) },
  };
}
