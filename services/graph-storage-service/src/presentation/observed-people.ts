import {
  friendListObserved,
  subscriptionListObserved,
  userObserved,
  type PayloadOf,
} from '@sociograph/contracts';
import { isEvent, type EventRecord } from '@sociograph/messaging';
import type { SeenPerson } from '../application/apply-observations';
import { normalIds, personKey } from '../application/side-changes';
import type { ListObservation, PersonObservation, PersonRef } from '../domain/observation';
import type { SubscriptionObservation } from '../domain/person';
import { SUBSCRIPTION_LISTS } from '../domain/subscription';

type Subscriptions = PayloadOf<typeof subscriptionListObserved>;
type FriendList = PayloadOf<typeof friendListObserved>;
type User = PayloadOf<typeof userObserved>;

const KINDS = {
  complete: 'complete',
  partial: 'partial',
  private: 'nothing',
  hidden: 'nothing',
  deleted: 'deleted',
} as const satisfies Record<FriendList['outcome'], ListObservation['kind']>;

/** The observations of a batch, person by person, in the order in which each person first occurs. */
export function observedPeople(records: readonly EventRecord[]): SeenPerson[] {
  const people = new Map<
    string,
    {
      ref: PersonRef;
      lists: ListObservation[];
      documents: PersonObservation[];
      subscriptions: SubscriptionObservation[];
    }
  >();
  const of = (value: { workspaceId: string; network: string; userId: string }) => {
    const ref = { workspaceId: value.workspaceId, network: value.network, id: value.userId };
    const key = personKey(ref);
    const known = people.get(key) ?? { ref, lists: [], documents: [], subscriptions: [] };
    people.set(key, known);
    return known;
  };
  for (const record of records) {
    if (isEvent(record, friendListObserved)) of(record.value).lists.push(listOf(record.value));
    else if (isEvent(record, subscriptionListObserved))
      of(record.value).subscriptions.push(subscriptionsOf(record.value));
    else if (isEvent(record, userObserved)) {
      const seen = of(record.value);
      seen.documents.push(documentOf(record.value));
      // Who is deleted asserts nothing any more, whether or not the list was asked for.
      if (record.value.state === 'deleted') {
        const gone = goneWith(record.value);
        seen.lists.push(gone);
        seen.subscriptions.push(...SUBSCRIPTION_LISTS.map((list) => ({ ...gone, list })));
      }
    }
  }
  return [...people.values()].map(({ ref, lists, documents, subscriptions }) => ({
    ref,
    seen: { lists, documents, ...(subscriptions.length > 0 && { subscriptions }) },
  }));
}

function listOf({ outcome, friendIds, userId, observedAt, fence, source }: FriendList): ListObservation {
  const kind = KINDS[outcome];
  const asserts = kind === 'complete' || kind === 'partial';
  return { kind, ids: asserts ? normalIds(userId, friendIds) : [], stamp: { observedAt, fence }, source };
}

/** Who follows themselves is a person; groups and pages have ids of their own. */
function subscriptionsOf(seen: Subscriptions): SubscriptionObservation {
  const { outcome, ids, list, userId, observedAt, fence, source } = seen;
  const kind = KINDS[outcome];
  const asserts = kind === 'complete' || kind === 'partial';
  const self = list === 'people' ? userId : '';
  return { list, kind, ids: asserts ? normalIds(self, ids) : [], stamp: { observedAt, fence }, source };
}

function documentOf({ state, profile, observedAt, fence, source }: User): PersonObservation {
  return { content: { state, profile }, stamp: { observedAt, fence }, source };
}

function goneWith({ observedAt, fence, source }: User): ListObservation {
  return { kind: 'deleted', ids: [], stamp: { observedAt, fence }, source };
}
