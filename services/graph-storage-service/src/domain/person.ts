import { compareStamps, type ObservationStamp } from '@sociograph/kernel';
import type { Lineage, ListObservation, ObservationFate, PersonObservation, PersonRef } from './observation';
import { assertsTheSame, isKnown, newestStamp, NOTHING_KNOWN, observe, type OwnList } from './own-list';
import { SUBSCRIPTION_LISTS, type SubscriptionList } from './subscription';

/** What a person belongs to and follows, list by list; a list that was never seen is absent. */
export type Subscriptions = Partial<Record<SubscriptionList, OwnList>>;

/** What is known of the person itself, newest observation. */
export interface PersonDocument<Content = unknown> {
  content: Content;
  stamp: ObservationStamp;
  source: Lineage;
}

/** A person as stored: what was seen of it, and what it asserts. Version 0 is not stored yet. */
export interface Person<Content = unknown> {
  ref: PersonRef;
  version: number;
  changedAt: number;
  document: PersonDocument<Content> | undefined;
  list: OwnList;
  subscriptions?: Subscriptions | undefined;
}

/** Stamps of newer observations that changed nothing and were therefore not written. */
export interface Confirmation {
  document?: ObservationStamp | undefined;
  list?: ObservationStamp | undefined;
  subscriptions?: Partial<Record<SubscriptionList, ObservationStamp>> | undefined;
}

export interface Seen<Content = unknown> {
  lists: readonly ListObservation[];
  documents: readonly PersonObservation<Content>[];
  subscriptions?: readonly SubscriptionObservation[];
}

/** One look at one of a person's lists of subscriptions. */
export interface SubscriptionObservation extends ListObservation {
  list: SubscriptionList;
}

export interface Decision<Content = unknown> {
  /** The person with everything seen applied; its version rises only when it must be written. */
  person: Person<Content>;
  mustWrite: boolean;
  /** The stored state goes out: it changes, or a crash may have come between writing and publishing it. */
  mustPublish: boolean;
  fates: { kind: 'list' | 'person' | 'subscriptions'; fate: ObservationFate }[];
}

export function unknownPerson<Content>(ref: PersonRef): Person<Content> {
  return { ref, version: 0, changedAt: 0, document: undefined, list: NOTHING_KNOWN };
}

/** The stored person with stamps raised to what was confirmed since it was written. */
export function confirmedPerson<Content>(
  person: Person<Content>,
  confirmation: Confirmation,
): Person<Content> {
  const { document, list, subscriptions } = person;
  const raise = (stamp: ObservationStamp, to: ObservationStamp | undefined): ObservationStamp =>
    to && compareStamps(to, stamp) > 0 ? to : stamp;
  const raised = (own: OwnList, to: ObservationStamp | undefined): OwnList =>
    own.base ? { ...own, base: { ...own.base, stamp: raise(own.base.stamp, to) } } : own;
  return {
    ...person,
    document: document && { ...document, stamp: raise(document.stamp, confirmation.document) },
    list: raised(list, confirmation.list),
    subscriptions:
      subscriptions &&
      mapLists(subscriptions, (own, name) => raised(own, confirmation.subscriptions?.[name])),
  };
}

/** What holds of a person now, to be remembered when it need not be written. */
export function confirmationOf({ document, list, subscriptions }: Person): Confirmation {
  return {
    document: document?.stamp,
    list: list.base?.stamp,
    ...(subscriptions && {
      subscriptions: Object.fromEntries(
        SUBSCRIPTION_LISTS.flatMap((name) => {
          const stamp = subscriptions[name]?.base?.stamp;
          return stamp ? [[name, stamp]] : [];
        }),
      ),
    }),
  };
}

function mapLists(
  lists: Subscriptions,
  change: (own: OwnList, name: SubscriptionList) => OwnList,
): Subscriptions {
  const changed: Subscriptions = {};
  for (const name of SUBSCRIPTION_LISTS) {
    const own = lists[name];
    if (own) changed[name] = change(own, name);
  }
  return changed;
}

/** Applies all observations of one person of one batch to what is stored of it. */
export function decide<Content>(
  stored: Person<Content>,
  confirmation: Confirmation,
  seen: Seen<Content>,
  now: number,
): Decision<Content> {
  const fates: Decision['fates'] = [];
  const known = confirmedPerson(stored, confirmation);
  let { document, list } = known;
  for (const observation of seen.documents) {
    const fate = fateOfDocument(document, observation);
    fates.push({ kind: 'person', fate });
    const newer = !document || compareStamps(observation.stamp, document.stamp) > 0;
    if (newer) document = { ...observation };
  }
  for (const observation of seen.lists) {
    const outcome = observe(list, observation);
    list = outcome.list;
    fates.push({ kind: 'list', fate: outcome.fate });
  }
  const subscriptions = withSubscriptions(known.subscriptions, seen.subscriptions ?? [], fates);
  const mustWrite =
    !sameContent(stored.document?.content, document?.content) ||
    !assertsTheSame(stored.list, list) ||
    !subscribesTheSame(stored.subscriptions, subscriptions);
  const person: Person<Content> = { ...stored, document, list, subscriptions };
  if (!mustWrite) return { person, mustWrite, mustPublish: repeatsWhatIsStored(stored, seen), fates };
  return {
    person: { ...person, version: stored.version + 1, changedAt: now },
    mustWrite,
    mustPublish: true,
    fates,
  };
}

function withSubscriptions(
  known: Subscriptions | undefined,
  seen: readonly SubscriptionObservation[],
  fates: Decision['fates'],
): Subscriptions | undefined {
  if (seen.length === 0) return known;
  const lists: Subscriptions = { ...known };
  for (const observation of seen) {
    const outcome = observe(lists[observation.list] ?? NOTHING_KNOWN, observation);
    if (isKnown(outcome.list)) lists[observation.list] = outcome.list;
    fates.push({ kind: 'subscriptions', fate: outcome.fate });
  }
  return lists;
}

function subscribesTheSame(a: Subscriptions | undefined, b: Subscriptions | undefined): boolean {
  return (
    a === b ||
    SUBSCRIPTION_LISTS.every((name) => assertsTheSame(a?.[name] ?? NOTHING_KNOWN, b?.[name] ?? NOTHING_KNOWN))
  );
}

/** The same observation that is stored arrives again: perhaps the process died before its change was published. */
function repeatsWhatIsStored(stored: Person, seen: Seen): boolean {
  if (stored.version === 0) return false;
  const same = (stamp: ObservationStamp | undefined, other: ObservationStamp): boolean =>
    stamp !== undefined && compareStamps(stamp, other) === 0;
  const listStamp = isKnown(stored.list) ? newestStamp(stored.list) : undefined;
  return (
    seen.documents.some(({ stamp }) => same(stored.document?.stamp, stamp)) ||
    seen.lists.some(({ stamp }) => same(stored.list.base?.stamp, stamp) || same(listStamp, stamp)) ||
    (seen.subscriptions ?? []).some(({ list, stamp }) => {
      const own = stored.subscriptions?.[list];
      return own !== undefined && (same(own.base?.stamp, stamp) || same(newestStamp(own), stamp));
    })
  );
}

function fateOfDocument(document: PersonDocument | undefined, seen: PersonObservation): ObservationFate {
  if (!document) return 'applied';
  if (compareStamps(seen.stamp, document.stamp) < 0) return 'late';
  return sameContent(document.content, seen.content) ? 'unchanged' : 'applied';
}

/** Equality of JSON values; the order of attributes does not matter. */
export function sameContent(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...names].every((name) => sameContent((a as Attributes)[name], (b as Attributes)[name]));
}

type Attributes = Record<string, unknown>;
