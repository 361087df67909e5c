import type { Change, Keyed, Stored } from '@sociograph/arango';
import { vertexKey } from '@sociograph/contracts';
import { idOf, loneSide, otherSide, type Friendship, type SideAssertion } from '../domain/friendship';
import type { Lineage, PersonRef } from '../domain/observation';
import { isKnown, type OwnList } from '../domain/own-list';
import { pastKey, type PastFriendship } from '../domain/past-friendship';
import type { Person } from '../domain/person';
import type { Versioned } from '../domain/ports';
import { SUBSCRIPTION_LISTS, type SubscriptionList } from '../domain/subscription';
import type { ObservationStamp } from '@sociograph/kernel';

export interface SeenAt extends ObservationStamp, Lineage {}

/** A person in the collection `users`. */
export interface UserDocument {
  workspaceId: string;
  network: string;
  id: string;
  version: number;
  changedAt: number;
  document?: { content: unknown } & SeenAt;
  list?: ListDocument;
  subscriptions?: Partial<Record<SubscriptionList, ListDocument>>;
  /** Workspace and network, then what people are looked up by, in small letters. Indexed. */
  scope: string;
  name?: string;
  lastName?: string;
  city?: string;
}

interface ListDocument {
  base?: { kind: 'complete' | 'deleted'; ids: readonly string[] } & SeenAt;
  added?: Record<string, SeenAt>;
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

export function toUser(person: Person): Keyed<UserDocument> {
  const { ref, version, changedAt, document, list, subscriptions } = person;
  return {
    _key: vertexKey(ref.workspaceId, ref.network, ref.id),
    ...ref,
    version,
    changedAt,
    ...(document && { document: { content: document.content, ...flat(document) } }),
    ...(isKnown(list) && { list: toList(list) }),
    ...(subscriptions && { subscriptions: mapLists(subscriptions, toList) }),
    scope: scopeOf(ref),
    ...lookedUpBy(document?.content),
  };
}

function toList({ base, added }: OwnList): ListDocument {
  return {
    ...(base && { base: { kind: base.kind, ids: base.ids, ...flat(base) } }),
    ...(added.size > 0 && { added: Object.fromEntries([...added].map(([id, seen]) => [id, flat(seen)])) }),
  };
}

function mapLists<From, To>(
  lists: Partial<Record<SubscriptionList, From>>,
  change: (list: From) => To,
): Partial<Record<SubscriptionList, To>> {
  return Object.fromEntries(
    SUBSCRIPTION_LISTS.flatMap((name) => {
      const list = lists[name];
      return list === undefined ? [] : [[name, change(list)]];
    }),
  );
}

function lookedUpBy(content: unknown): Pick<UserDocument, 'name' | 'lastName' | 'city'> {
  const profile = (content as { profile?: Record<string, unknown> } | undefined)?.profile;
  const word = (name: string): string => (typeof profile?.[name] === 'string' ? profile[name] : '');
  const [first, last, city] = [word('firstName'), word('lastName'), word('city')];
  return {
    ...((first || last) && {
      name: lookupText(`${first} ${last}`),
      lastName: lookupText(`${last} ${first}`),
    }),
    ...(city && { city: lookupText(city) }),
  };
}

/** Longest text that is looked up by: the stand-in's index entries end at 600 bytes, and three bytes a character do. */
const LOOKUP_CHARACTERS = 80;

/**
 * Text as it is looked up: in small letters, spaces evened out, and nothing beyond the basic plane, where the order
 * by UTF-16 units and that by bytes differ.
 */
export function lookupText(text: string): string {
  const plain = text.toLowerCase().replace(/[\u{10000}-\u{10FFFF}\ud800-\udfff]/gu, '\ufffd');
  return plain
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .trim()
    .slice(0, LOOKUP_CHARACTERS);
}

/** Workspace and network: what every look-up is held to. */
export function scopeOf({ workspaceId, network }: Pick<PersonRef, 'workspaceId' | 'network'>): string {
  return `${workspaceId}.${network}`;
}

export function fromUser(stored: Stored<UserDocument>): Versioned<Person> {
  const { workspaceId, network, id, version, changedAt, document, list, subscriptions } = stored;
  return {
    ref: { workspaceId, network, id },
    version,
    changedAt,
    document: document && { content: document.content, ...deep(document) },
    list: ownList(list),
    ...(subscriptions && { subscriptions: mapLists(subscriptions, ownList) }),
    rev: stored._rev,
  };
}

function ownList(list: ListDocument | undefined): OwnList {
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

export function flat({ stamp, source }: { stamp: ObservationStamp; source: Lineage }): SeenAt {
  return { observedAt: stamp.observedAt, fence: stamp.fence, ...source };
}

export function deep({ observedAt, fence, importId, callId, keyId }: SeenAt): {
  stamp: ObservationStamp;
  source: Lineage;
} {
  return {
    stamp: { observedAt, fence },
    source: { importId, callId, ...(keyId !== undefined && { keyId }) },
  };
}
