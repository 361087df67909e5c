import { vertexKey } from '@sociograph/contracts';
import { membersOf, type MemberList, type SeenMembers } from '../domain/member-list';
import type { PersonRef } from '../domain/observation';
import { assertedBy, NOTHING_KNOWN, type Addition, type OwnList } from '../domain/own-list';
import type { SubscriptionObservation, Subscriptions } from '../domain/person';
import { SUBSCRIPTION_LISTS, type SubscriptionChange, type SubscriptionList } from '../domain/subscription';

/** `_key` of a subscription: `demo.vk.107.groups.22822305`. Of one person and list they are neighbours. */
export function subscriptionKey(person: PersonRef, list: SubscriptionList, targetId: string): string {
  return `${vertexKey(person.workspaceId, person.network, person.id)}.${list}.${targetId}`;
}

/**
 * What a change of a person's own lists asks of subscriptions. As with friendships, ids of superseded lists of the
 * same batch are taken back too.
 */
export function ownSubscriptionChanges(
  ref: PersonRef,
  before: Subscriptions | undefined,
  after: Subscriptions | undefined,
  seen: readonly SubscriptionObservation[],
): SubscriptionChange[] {
  return SUBSCRIPTION_LISTS.flatMap((list) => {
    const was = asserted(before?.[list]);
    const is = asserted(after?.[list]);
    const looked = seen.filter((one) => one.list === list).flatMap(({ ids }) => ids);
    return difference(was, is, looked).map(([targetId, vouched]) => ({
      key: subscriptionKey(ref, list, targetId),
      list,
      personId: ref.id,
      targetId,
      side: 'own' as const,
      assertion: vouched && { ...vouched.source, ...vouched.stamp },
    }));
  });
}

/** What a change of a group's members asks of the memberships of people. */
export function memberChanges(
  before: MemberList,
  after: MemberList,
  { pages }: Pick<SeenMembers, 'pages'>,
): SubscriptionChange[] {
  const { ref } = after;
  const looked = pages.flatMap(({ ids }) => ids);
  return difference(membersOf(before), membersOf(after), looked).map(([personId, vouched]) => ({
    key: subscriptionKey({ ...ref, id: personId }, 'groups', ref.id),
    list: 'groups' as const,
    personId,
    targetId: ref.id,
    side: 'members' as const,
    assertion: vouched && { ...vouched.source, ...vouched.stamp },
  }));
}

function asserted(list: OwnList | undefined): Map<string, Addition> {
  return assertedBy(list ?? NOTHING_KNOWN);
}

/** Ids that are new with what vouches for them, then those that are gone. */
function difference(
  was: ReadonlyMap<string, Addition>,
  is: ReadonlyMap<string, Addition>,
  looked: readonly string[],
): [id: string, vouched: Addition | undefined][] {
  const added = [...is].filter(([id]) => !was.has(id));
  const gone = new Set([...was.keys(), ...looked].filter((id) => !is.has(id)));
  return [...added, ...[...gone].map((id): [string, undefined] => [id, undefined])];
}
