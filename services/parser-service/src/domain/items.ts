/** What is fetched about a person: the profile, or the list of friends. */
export type ItemKind = 'profile' | 'friends';

/** Why something that was expected is not there. `partial`: a list came, but not all of it. */
export type GapCause =
  'private' | 'hidden' | 'deleted' | 'unknown' | 'partial' | 'limit-reached' | 'gave-up' | 'withdrawn';

/** One thing to fetch, as it stands when a call begins; `attempts` counts that call too, `keyFaults` does not. */
export interface Item {
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
}

/** What a call said of one item. `again` with blame `key` is the key's fault and costs the item no attempt. */
export type ItemOutcome =
  | { kind: 'profile'; state: 'active' | 'deleted' | 'banned'; profile: PersonProfile }
  | { kind: 'list'; friendIds: string[]; total: number }
  | { kind: 'too-long' }
  | { kind: 'absent'; cause: 'private' | 'hidden' | 'deleted' | 'unknown' }
  | { kind: 'again'; blame: 'item' | 'key'; cause: string };

export type ItemFate =
  | { kind: 'done' }
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
    case 'absent':
      return { kind: 'gap', cause: outcome.cause, detail: null };
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
