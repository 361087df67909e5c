import {
  friendListObserved,
  groupObserved,
  importChanged,
  keyChanged,
  keyUsed,
  membershipListClosed,
  membershipPageObserved,
  postObserved,
  subscriptionListObserved,
  userObserved,
  vertexChanged,
  type PayloadOf,
} from '@sociograph/contracts';
import { isEvent, type EventRecord } from '@sociograph/messaging';
import { BatchRows } from './batch-rows';
import { TABLES } from './tables';

/** The rows that these records leave behind, in any order and however often the records came. */
export function rowsOfRecords(records: readonly EventRecord[]): BatchRows {
  const rows = new BatchRows();
  for (const record of records) addTo(rows, record);
  return rows;
}

function addTo(rows: BatchRows, record: EventRecord): void {
  if (record.value === null) {
    if (record.message === vertexChanged) rows.remove(record.key);
  } else if (isEvent(record, userObserved)) {
    const { userId: id, state, profile, ...rest } = record.value;
    rows.add(TABLES.people, { ...scoped(rest), id, state, ...person(profile), ...stamped(rest) });
  } else if (isEvent(record, friendListObserved)) {
    const { userId: user_id, outcome, total = null, friendIds: friend_ids, ...rest } = record.value;
    rows.add(TABLES.friendLists, { ...scoped(rest), user_id, outcome, total, friend_ids, ...stamped(rest) });
  } else if (isEvent(record, groupObserved)) {
    const { groupId: id, state, name, kind = null, closed = null, ...rest } = record.value;
    const { screenName: screen_name = null, membersCount: members_count = null } = rest;
    const group = { id, state, name, screen_name, kind, closed, members_count };
    rows.add(TABLES.groups, { ...scoped(rest), ...group, ...stamped(rest) });
  } else if (isEvent(record, postObserved)) {
    addPost(rows, record.value);
  } else if (isEvent(record, membershipPageObserved)) {
    const { groupId: group_id, listId: list_id, part, memberIds: member_ids, ...rest } = record.value;
    rows.add(TABLES.membershipPages, {
      ...scoped(rest),
      ...{ group_id, list_id, part, member_ids },
      ...stamped(rest),
    });
  } else if (isEvent(record, membershipListClosed)) {
    const { groupId: group_id, listId: list_id, parts, count: members, complete, ...rest } = record.value;
    const walk = { group_id, list_id, parts, members, complete };
    rows.add(TABLES.membershipLists, { ...scoped(rest), ...walk, ...stamped(rest) });
  } else if (isEvent(record, subscriptionListObserved)) {
    const { userId: user_id, list, outcome, total = null, ids, ...rest } = record.value;
    const [people_ids, community_ids] = list === 'people' ? [ids, []] : [[], ids];
    const seen = { user_id, list, outcome, total, people_ids, community_ids };
    rows.add(TABLES.subscriptionLists, { ...scoped(rest), ...seen, ...stamped(rest) });
  } else if (isEvent(record, vertexChanged)) {
    if (record.value.kind === 'user') addStoredPerson(rows, record.value);
  } else if (isEvent(record, importChanged)) {
    const { importId: import_id, at: happened_at, state, counters, ...rest } = record.value;
    rows.add(TABLES.importSteps, {
      ...scoped(rest),
      ...{ import_id, event_id: eventIdOf(record), happened_at, state },
      people_known: counters.peopleKnown,
      people_done: counters.peopleDone,
      lists_known: counters.listsKnown,
      lists_done: counters.listsDone,
      calls_made: counters.callsMade,
      gaps: counters.gaps,
    });
  } else if (isEvent(record, keyChanged)) {
    const { keyId: key_id, at: happened_at, kind, state, change = null, version, ...rest } = record.value;
    const step = { key_id, event_id: eventIdOf(record), happened_at, kind, state, change, version };
    rows.add(TABLES.keyChanges, { ...scoped(rest), ...step });
  } else if (isEvent(record, keyUsed)) {
    const { keyId: key_id, from: from_ms, to: to_ms, calls, ...rest } = record.value;
    for (const [method, count] of Object.entries(calls)) {
      const use = { key_id, event_id: eventIdOf(record), method, from_ms, to_ms, calls: count };
      rows.add(TABLES.keyUses, { ...scoped(rest), ...use });
    }
  }
}

function addPost(rows: BatchRows, post: PayloadOf<typeof postObserved>): void {
  rows.add(TABLES.posts, {
    ...scoped(post),
    id: post.postId,
    owner_kind: post.ownerKind,
    owner_id: post.ownerId,
    owner_person_id: post.ownerKind === 'user' ? post.ownerId : null,
    author_id: post.authorId ?? null,
    published_at: post.publishedAt,
    body: post.text,
    likes: post.likes ?? null,
    reposts: post.reposts ?? null,
    comments: post.comments ?? null,
    views: post.views ?? null,
    repost_of: post.repostOf ?? null,
    ...stamped(post),
  });
}

function addStoredPerson(rows: BatchRows, vertex: PayloadOf<typeof vertexChanged>): void {
  rows.add(TABLES.storedPeople, {
    ...scoped(vertex),
    id: vertex.id,
    version: vertex.version,
    changed_at: vertex.changedAt,
    state: vertex.document?.state ?? null,
    first_name: vertex.document?.profile.firstName ?? null,
    last_name: vertex.document?.profile.lastName ?? null,
    friend_ids: vertex.friends?.ids ?? [],
    friends_complete: vertex.friends?.complete ?? null,
    group_ids: vertex.groups?.ids ?? [],
    page_ids: vertex.pages?.ids ?? [],
    follow_ids: vertex.follows?.ids ?? [],
  });
}

function person(profile: PayloadOf<typeof userObserved>['profile']) {
  return {
    first_name: profile.firstName,
    last_name: profile.lastName,
    screen_name: profile.screenName ?? null,
    sex: profile.sex ?? null,
    birth_date: profile.birthDate ?? null,
    city: profile.city ?? null,
    country: profile.country ?? null,
    closed: profile.closed ?? null,
  };
}

function scoped({ workspaceId, network }: { workspaceId: string; network: string }) {
  return { workspace_id: workspaceId, network };
}

type Seen = { observedAt: number; fence: number; source: { importId: string; callId: string } };

function stamped({ observedAt, fence, source }: Seen) {
  return { observed_at: observedAt, fence, import_id: source.importId, call_id: source.callId };
}

/** A relay repeats the id of its outbox row, so that an event published twice is one row. */
function eventIdOf({ id, topic, partition, offset }: EventRecord): string {
  return id ?? `${topic}/${partition}/${offset}`;
}
