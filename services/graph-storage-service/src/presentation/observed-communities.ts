import {
  groupObserved,
  groupProfile,
  membershipListClosed,
  membershipPageObserved,
  postContent,
  postObserved,
} from '@sociograph/contracts';
import { isEvent, type EventRecord } from '@sociograph/messaging';
import type { SeenGroup } from '../application/apply-members';
import type { SeenVertex } from '../application/apply-vertices';
import type { MemberPage, WalkEnd } from '../domain/member-list';
import type { PersonObservation, PersonRef } from '../domain/observation';
import type { ObservationStamp } from '@sociograph/kernel';

/** What a batch shows of groups and posts, in the order in which each first occurs. */
export function observedVertices(records: readonly EventRecord[]): SeenVertex[] {
  const seen = new Map<string, SeenVertex & { documents: PersonObservation[] }>();
  const add = (kind: SeenVertex['kind'], ref: PersonRef, look: PersonObservation): void => {
    const key = `${kind} ${ref.workspaceId}.${ref.network}.${ref.id}`;
    const known = seen.get(key) ?? { kind, ref, documents: [] };
    known.documents.push(look);
    seen.set(key, known);
  };
  for (const record of records) {
    if (isEvent(record, groupObserved)) {
      const { groupId, state } = record.value;
      const profile = only(groupProfile.shape, record.value);
      add('group', refOf(record.value, groupId), { content: { state, profile }, ...seenAt(record.value) });
    } else if (isEvent(record, postObserved)) {
      const content = only(postContent.shape, record.value);
      add('post', refOf(record.value, record.value.postId), { content, ...seenAt(record.value) });
    }
  }
  return [...seen.values()];
}

/** Pages and ends of walks through members, group by group. An end that is not complete says nothing beyond its pages. */
export function observedMembers(records: readonly EventRecord[]): SeenGroup[] {
  const groups = new Map<
    string,
    { ref: PersonRef; pages: MemberPage[]; ends: WalkEnd[]; gone: ObservationStamp[] }
  >();
  const of = (value: Scoped, groupId: string) => {
    const ref = refOf(value, groupId);
    const key = `${ref.workspaceId}.${ref.network}.${ref.id}`;
    const known = groups.get(key) ?? { ref, pages: [], ends: [], gone: [] };
    groups.set(key, known);
    return known;
  };
  for (const record of records) {
    if (isEvent(record, membershipPageObserved)) {
      const { groupId, listId, part, memberIds } = record.value;
      const ids = [...new Set(memberIds)];
      of(record.value, groupId).pages.push({ listId, part, ids, ...seenAt(record.value) });
    } else if (isEvent(record, membershipListClosed)) {
      const { groupId, listId, parts, complete } = record.value;
      if (complete) of(record.value, groupId).ends.push({ listId, parts, stamp: seenAt(record.value).stamp });
    } else if (isEvent(record, groupObserved) && record.value.state === 'deleted') {
      of(record.value, record.value.groupId).gone.push(seenAt(record.value).stamp);
    }
  }
  return [...groups.values()].map(({ ref, ...seen }) => ({ ref, seen }));
}

interface Scoped {
  workspaceId: string;
  network: string;
}

function refOf({ workspaceId, network }: Scoped, id: string): PersonRef {
  return { workspaceId, network, id };
}

function seenAt({
  observedAt,
  fence,
  source,
}: ObservationStamp & Pick<PersonObservation, 'source'>): Omit<PersonObservation, 'content'> {
  return { stamp: { observedAt, fence }, source };
}

/** The attributes that the contract has for the content; what else stands in the record is about the look. */
function only(shape: object, value: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).filter(([name]) => Object.hasOwn(shape, name)));
}
