import { compareStamps, type ObservationStamp } from '@sociograph/kernel';
import type { Lineage, ListObservation, ObservationFate, PersonObservation, PersonRef } from './observation';
import { assertsTheSame, isKnown, newestStamp, NOTHING_KNOWN, observe, type OwnList } from './own-list';

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
}

/** Stamps of newer observations that changed nothing and were therefore not written. */
export interface Confirmation {
  document?: ObservationStamp | undefined;
  list?: ObservationStamp | undefined;
}

export interface Seen<Content = unknown> {
  lists: readonly ListObservation[];
  documents: readonly PersonObservation<Content>[];
}

export interface Decision<Content = unknown> {
  /** The person with everything seen applied; its version rises only when it must be written. */
  person: Person<Content>;
  mustWrite: boolean;
  /** The stored state goes out: it changes, or a crash may have come between writing and publishing it. */
  mustPublish: boolean;
  fates: { kind: 'list' | 'person'; fate: ObservationFate }[];
}

export function unknownPerson<Content>(ref: PersonRef): Person<Content> {
  return { ref, version: 0, changedAt: 0, document: undefined, list: NOTHING_KNOWN };
}

/** The stored person with stamps raised to what was confirmed since it was written. */
export function confirmedPerson<Content>(
  person: Person<Content>,
  confirmation: Confirmation,
): Person<Content> {
  const { document, list } = person;
  const raise = (stamp: ObservationStamp, to: ObservationStamp | undefined): ObservationStamp =>
    to && compareStamps(to, stamp) > 0 ? to : stamp;
  return {
    ...person,
    document: document && { ...document, stamp: raise(document.stamp, confirmation.document) },
    list: list.base
      ? { ...list, base: { ...list.base, stamp: raise(list.base.stamp, confirmation.list) } }
      : list,
  };
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
  const mustWrite =
    !sameContent(stored.document?.content, document?.content) || !assertsTheSame(stored.list, list);
  const person: Person<Content> = { ...stored, document, list };
  if (!mustWrite) return { person, mustWrite, mustPublish: repeatsWhatIsStored(stored, seen), fates };
  return {
    person: { ...person, version: stored.version + 1, changedAt: now },
    mustWrite,
    mustPublish: true,
    fates,
  };
}

/** The same observation that is stored arrives again: perhaps the process died before its change was published. */
function repeatsWhatIsStored(stored: Person, seen: Seen): boolean {
  if (stored.version === 0) return false;
  const same = (stamp: ObservationStamp | undefined, other: ObservationStamp): boolean =>
    stamp !== undefined && compareStamps(stamp, other) === 0;
  const listStamp = isKnown(stored.list) ? newestStamp(stored.list) : undefined;
  return (
    seen.documents.some(({ stamp }) => same(stored.document?.stamp, stamp)) ||
    seen.lists.some(({ stamp }) => same(stored.list.base?.stamp, stamp) || same(listStamp, stamp))
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
