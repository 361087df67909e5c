import type { SideAssertion } from './friendship';

/** Lists that a person shows of what it belongs to (`groups`) and follows (`pages`, `people`); never mixed. */
export const SUBSCRIPTION_LISTS = ['groups', 'pages', 'people'] as const;
export type SubscriptionList = (typeof SUBSCRIPTION_LISTS)[number];

/** Who says so: the person's own list, or (of `groups` only) a walk through the members of the group. */
export type SubscriptionSide = 'own' | 'members';

/** ONE subscription of one person under one list. It exists while a side asserts it. */
export interface Subscription {
  key: string;
  list: SubscriptionList;
  personId: string;
  /** A group or page; of `people` a person. */
  targetId: string;
  own?: SideAssertion | undefined;
  members?: SideAssertion | undefined;
  /** When it was first seen, milliseconds since the Unix epoch on the pool's clock. */
  since: number;
}

/** A wish of one side: assert the subscription, or (`assertion` undefined) no longer assert it. */
export interface SubscriptionChange {
  key: string;
  list: SubscriptionList;
  personId: string;
  targetId: string;
  side: SubscriptionSide;
  assertion: SideAssertion | undefined;
}

/** The subscription after changes of its sides; undefined when none asserts it; the same object when nothing changed. */
export function changeSubscription(
  stored: Subscription | undefined,
  changes: readonly SubscriptionChange[],
): Subscription | undefined {
  return changes.reduce(changeSide, stored);
}

function changeSide(
  stored: Subscription | undefined,
  { side, assertion, key, list, personId, targetId }: SubscriptionChange,
): Subscription | undefined {
  if (assertion) {
    if (stored?.[side]) return stored;
    const since = Math.min(stored?.since ?? assertion.observedAt, assertion.observedAt);
    return { ...(stored ?? { key, list, personId, targetId }), [side]: assertion, since };
  }
  if (!stored?.[side]) return stored;
  return stored[side === 'own' ? 'members' : 'own'] ? { ...stored, [side]: undefined } : undefined;
}
