import { vertexKey } from '@sociograph/contracts';
import { compareStamps, type ObservationStamp } from '@sociograph/kernel';
import { tooContended } from '../domain/errors';
import {
  isSettled,
  membersOf,
  noMembers,
  observeMembers,
  type MemberList,
  type SeenMembers,
} from '../domain/member-list';
import type { PersonRef } from '../domain/observation';
import type { Versioned } from '../domain/ports';
import type { Confirmations } from './confirmations';
import { memberChanges } from './subscription-changes';
import { backOff, MAX_ATTEMPTS, type WritingTools } from './write-friendships';
import { writeSubscriptions } from './write-subscriptions';

/** All pages and ends of walks of a batch through one group's members. */
export interface SeenGroup {
  ref: PersonRef;
  seen: SeenMembers;
}

/**
 * Merges walks through members into the memberships. One group at a time: its pages may be large. The list is
 * written after its memberships, so that an unfinished batch finds the old one and does the same again.
 */
export async function applyMembers(
  groups: readonly SeenGroup[],
  confirmations: Confirmations,
  tools: WritingTools,
): Promise<void> {
  for (const { ref, seen } of groups) {
    const key = vertexKey(ref.workspaceId, ref.network, ref.id);
    const confirmed = confirmations.of(`members ${key}`).list;
    const fresh = confirmed ? sinceThen(seen, confirmed) : seen;
    for (let attempt = 1; !(await applyOnce(key, ref, fresh, confirmations, tools)); attempt++) {
      if (attempt >= MAX_ATTEMPTS) throw tooContended(1, attempt);
      await backOff(attempt, tools);
    }
    await tools.heartbeat();
  }
}

/** False when another writer changed the list meanwhile. */
async function applyOnce(
  key: string,
  ref: PersonRef,
  seen: SeenMembers,
  confirmations: Confirmations,
  tools: WritingTools,
): Promise<boolean> {
  const { communities } = tools.store;
  const stored = (await communities.memberLists([key])).get(key);
  const before: MemberList | Versioned<MemberList> = stored ?? noMembers(ref);
  const after = observeMembers(before, seen);
  const looks = seen.pages.length + seen.ends.length + seen.gone.length;
  if (after === before || showsTheSame(before, after)) {
    tools.meter.observation('members', after === before ? 'late' : 'unchanged', looks);
    if (after !== before) confirmations.remember(`members ${key}`, { list: after.floor });
    return true;
  }
  await writeSubscriptions(memberChanges(before, after, seen), tools);
  const list: MemberList = { ref, floor: after.floor, pages: after.pages, ends: after.ends };
  const { conflicts } = await communities.writeMemberLists([{ list, rev: stored?.rev }]);
  tools.meter.conflicts('members', conflicts.length);
  if (conflicts.length > 0) return false;
  confirmations.forget(`members ${key}`);
  tools.meter.observation('members', 'applied', looks);
  return true;
}

/** A whole walk that found the same members as the one before: nothing of it is written. */
function showsTheSame(before: MemberList, after: MemberList): boolean {
  if (!before.floor || !isSettled(before) || !isSettled(after)) return false;
  const [was, is] = [membersOf(before), membersOf(after)];
  return was.size === is.size && [...is.keys()].every((id) => was.has(id));
}

/** A newer walk has confirmed the stored one: what is older than it comes late. */
function sinceThen({ pages, ends, gone }: SeenMembers, floor: ObservationStamp): SeenMembers {
  const counts = ({ stamp }: { stamp: ObservationStamp }): boolean => compareStamps(stamp, floor) >= 0;
  return {
    pages: pages.filter(counts),
    ends: ends.filter(counts),
    gone: gone.filter((stamp) => counts({ stamp })),
  };
}
