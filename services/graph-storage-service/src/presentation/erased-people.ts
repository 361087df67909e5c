import {
  friendListObserved,
  membershipPageObserved,
  postObserved,
  subscriptionListObserved,
  userObserved,
  wallOwnerOf,
} from '@sociograph/contracts';
import { isEvent, type EventRecord } from '@sociograph/messaging';
import type { FollowedSuppressions } from '@sociograph/suppression';

type Known = Pick<FollowedSuppressions, 'suppressions' | 'dropped'>;

/** Keeps erased people out of what is stored. A class, so that it can be injected. */
export class ErasedPeople {
  constructor(private readonly followed: FollowedSuppressions) {}

  /** Waits until all marks are known: what comes before could bring somebody back. */
  async leaveOut(records: readonly EventRecord[]): Promise<EventRecord[]> {
    await this.followed.caughtUp;
    return withoutErased(records, this.followed);
  }
}

/** The records without what is about erased people, and without their ids among others' people. */
export function withoutErased(
  records: readonly EventRecord[],
  { suppressions, dropped }: Known,
): EventRecord[] {
  if (suppressions.size === 0) return [...records];
  const counts = { observation: 0, 'list-entry': 0 };
  const kept: EventRecord[] = [];
  for (const record of records) {
    if (isErasedPersons(record, suppressions)) counts.observation += 1;
    else kept.push(lighter(record, suppressions, (entries) => (counts['list-entry'] += entries)));
  }
  dropped('observation', counts.observation);
  dropped('list-entry', counts['list-entry']);
  return kept;
}

function isErasedPersons(record: EventRecord, suppressions: Known['suppressions']): boolean {
  const erased = (value: { workspaceId: string; network: string }, id: string | undefined): boolean =>
    id !== undefined && suppressions.isSuppressed(value.workspaceId, value.network, id);
  if (
    isEvent(record, userObserved) ||
    isEvent(record, friendListObserved) ||
    isEvent(record, subscriptionListObserved)
  )
    return erased(record.value, record.value.userId);
  if (!isEvent(record, postObserved)) return false;
  const { ownerKind, ownerId, authorId } = record.value;
  return erased(record.value, authorId) || (ownerKind === 'user' && erased(record.value, ownerId));
}

function lighter(
  record: EventRecord,
  suppressions: Known['suppressions'],
  count: (entries: number) => void,
): EventRecord {
  const shorter = (
    value: { workspaceId: string; network: string },
    ids: readonly string[],
  ): string[] | undefined => {
    const left = suppressions.without(value.workspaceId, value.network, ids);
    if (left === ids) return undefined;
    count(ids.length - left.length);
    return [...left];
  };
  if (isEvent(record, friendListObserved)) {
    const friendIds = shorter(record.value, record.value.friendIds);
    return friendIds ? { ...record, value: { ...record.value, friendIds } } : record;
  }
  if (isEvent(record, subscriptionListObserved) && record.value.list === 'people') {
    const ids = shorter(record.value, record.value.ids);
    return ids ? { ...record, value: { ...record.value, ids } } : record;
  }
  if (isEvent(record, postObserved)) {
    const { workspaceId, network, repostOf, ...value } = record.value;
    const owner = repostOf === undefined ? undefined : wallOwnerOf(repostOf);
    if (owner === undefined || !suppressions.isSuppressed(workspaceId, network, owner)) return record;
    count(1);
    return { ...record, value: { workspaceId, network, ...value } };
  }
  if (isEvent(record, membershipPageObserved)) {
    const memberIds = shorter(record.value, record.value.memberIds);
    return memberIds ? { ...record, value: { ...record.value, memberIds } } : record;
  }
  return record;
}
