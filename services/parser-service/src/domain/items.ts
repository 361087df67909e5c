import type { Observation } from './observation';

/**
 * What is fetched. Of a person: profile, friends, groups, subscriptions, wall; of a group: the group itself, its
 * members, its wall; of a name: whose it is. Counters and certificates call all but profiles lists.
 */
export const ITEM_KINDS = [
  'profile',
  'friends',
  'groups',
  'subscriptions',
  'wall',
  'group',
  'members',
  'name',
] as const;
export type ItemKind = (typeof ITEM_KINDS)[number];

/**
 * Why something that was expected is not there. `banned`: of somebody whom the network shut out; its errors do not tell
 * them from `deleted` ones, their profile does. `partial`: a list came, but not all of it. `unreadable`: the network
 * answers in another shape than it documents; the detail names the field. `dead-lettered`: it was published, but the
 * graph store could not take the record.
 */
export const GAP_CAUSES = [
  'private',
  'hidden',
  'deleted',
  'banned',
  'unknown',
  'partial',
  'unreadable',
  'limit-reached',
  'gave-up',
  'withdrawn',
  'dead-lettered',
] as const;
export type GapCause = (typeof GAP_CAUSES)[number];

/** One thing to fetch, as it stands when a call begins; `attempts` counts that call too, `keyFaults` does not. */
export interface Item {
  /** A person's id, a group's with a minus before it, or a name after an @; see subjectKind. */
  readonly person: string;
  readonly depth: number;
  readonly attempts: number;
  /** Calls that failed by no fault of the item's. */
  readonly keyFaults: number;
}

export interface PersonProfile {
  firstName: string;
  lastName: string;
  closed?: boolean;
  screenName?: string;
  sex?: 'female' | 'male' | 'unknown';
  birthDate?: string;
  city?: string;
  country?: string;
}

/** What a call said of one item. `again` with blame `key` is the key's fault and costs the item no attempt. */
export type ItemOutcome =
  | { kind: 'profile'; state: 'active' | 'deleted' | 'banned'; profile: PersonProfile }
  | { kind: 'list'; friendIds: string[]; total: number }
  | { kind: 'too-long' }
  /** A friend list that changed while its pages were read: what was seen is no whole list of any moment. */
  | { kind: 'moved'; friendIds: string[]; total: number }
  /** Anything but a profile or a friend list: what the adapter makes of it, who was met, and what is left to read. */
  | { kind: 'seen'; observations: readonly Observation[]; met: readonly Met[]; rest: Rest }
  | { kind: 'absent'; cause: 'private' | 'hidden' | 'deleted' | 'unknown' }
  /** The path of the first field that is not as documented. */
  | { kind: 'unreadable'; fault: string }
  | { kind: 'again'; blame: 'item' | 'key'; cause: string };

/** Somebody, or a group, whom an answer names: so many steps farther from the seeds than the item itself. */
export interface Met {
  readonly person: string;
  readonly steps: 0 | 1;
}

/** Nothing is left; the next call goes on at the cursor; or something is missing that no further call would bring. */
export type Rest = { kind: 'none' } | { kind: 'more'; cursor: string } | { kind: 'partial'; detail: string };

export type ItemFate =
  | { kind: 'done' }
  /** A part of it came; its attempts begin anew. */
  | { kind: 'more'; cursor: string }
  | { kind: 'gap'; cause: GapCause; detail: string | null }
  /** Fetched alone and page by page from now on. */
  | { kind: 'long' }
  /** `refund`: the attempt is not counted, the key's fault is. */
  | { kind: 'again'; readyInMs: number; refund: boolean; cause: string };

/** A poison item ends here; at 30 % faulty answers a good one does so once in 15,000 times. */
export const MAX_TRIES = 8;
/** So many faults of keys in a row of calls are bad luck; more are a network that refuses, and cost time. */
export const KEY_FAULTS_AT_ONCE = 10;
/** With the waits between them more than 25 minutes of nothing but refused keys. */
export const MAX_KEY_FAULTS = 40;
/** A changed API does not change back within seconds; a mangled answer is not mangled again. */
export const UNREADABLE_TRIES = 3;
/** So often a list that changes under the reader's hands is read; then what was seen is published as a part. */
export const WALKS_OF_LIST = 3;
export const MOVED = 'it changed while it was read';
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 60_000;

/** What becomes of an item after an outcome. */
export function fateOf(item: Item, outcome: ItemOutcome): ItemFate {
  switch (outcome.kind) {
    case 'profile':
      return { kind: 'done' };
    case 'list':
      return outcome.friendIds.length >= outcome.total
        ? { kind: 'done' }
        : { kind: 'gap', cause: 'partial', detail: `${outcome.friendIds.length} of ${outcome.total}` };
    case 'too-long':
      return { kind: 'long' };
    case 'moved':
      return item.attempts < WALKS_OF_LIST
        ? { kind: 'again', readyInMs: 0, refund: false, cause: MOVED }
        : { kind: 'gap', cause: 'partial', detail: MOVED };
    case 'seen':
      if (outcome.rest.kind === 'none') return { kind: 'done' };
      if (outcome.rest.kind === 'more') return { kind: 'more', cursor: outcome.rest.cursor };
      return { kind: 'gap', cause: 'partial', detail: outcome.rest.detail };
    case 'absent':
      return { kind: 'gap', cause: outcome.cause, detail: null };
    case 'unreadable':
      return item.attempts >= UNREADABLE_TRIES
        ? { kind: 'gap', cause: 'unreadable', detail: outcome.fault }
        : {
            kind: 'again',
            readyInMs: waitAfter(item.attempts),
            refund: false,
            cause: `unreadable answer: ${outcome.fault}`,
          };
    case 'again':
      if (outcome.blame === 'key') return afterKeyFault(item.keyFaults + 1, outcome.cause);
      return item.attempts >= MAX_TRIES
        ? gaveUp(item.attempts, outcome.cause)
        : { kind: 'again', readyInMs: waitAfter(item.attempts), refund: false, cause: outcome.cause };
  }
}

function afterKeyFault(faults: number, cause: string): ItemFate {
  if (faults >= MAX_KEY_FAULTS) {
    return { kind: 'gap', cause: 'gave-up', detail: `after ${faults} faults of keys: ${cause}` };
  }
  const readyInMs = faults <= KEY_FAULTS_AT_ONCE ? 0 : waitAfter(faults - KEY_FAULTS_AT_ONCE);
  return { kind: 'again', readyInMs, refund: true, cause };
}

export function gaveUp(attempts: number, cause: string): ItemFate {
  return { kind: 'gap', cause: 'gave-up', detail: `after ${attempts} tries: ${cause}` };
}

/** 1 s after the first try, doubling, at most a minute. */
export function waitAfter(attempts: number): number {
  return Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.max(0, attempts - 1));
}
