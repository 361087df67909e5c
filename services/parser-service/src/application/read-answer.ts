import { fateOf, gaveUp, type Item, type ItemOutcome, MAX_TRIES } from '../domain/items';
import type { Observation } from '../domain/observation';
import type { CallResult, Reading } from '../domain/ports';

export type CallOutcome = Omit<CallResult, 'positions'> & { observations: Observation[] };

/**
 * Items, with the attempts before this call, that were begun too often without an end: whoever called them did not
 * live to tell.
 */
export function isPoison(item: Item): boolean {
  return item.attempts >= MAX_TRIES;
}

/** What a call means for its items, and what it lets the platform know. An item the answer forgot is tried again. */
export function outcomeOf(items: readonly Item[], reading: Exclude<Reading, { kind: 'split' }>): CallOutcome {
  const said = (item: Item): ItemOutcome =>
    reading.kind === 'failed'
      ? { kind: 'again', blame: reading.blame, cause: reading.cause }
      : (reading.outcomes.get(item.person) ?? {
          kind: 'again',
          blame: 'item',
          cause: 'missing in the answer',
        });
  const result = {
    done: [] as string[],
    gaps: [] as CallResult['gaps'][number][],
    long: [] as string[],
    again: [] as CallResult['again'][number][],
    observations: [] as Observation[],
    friendshipObservations: 0,
  };
  const found = new Map<string, number>();
  for (const item of items) {
    const { person } = item;
    // The call at hand is counted already.
    const before = item.attempts - 1;
    const outcome = isPoison({ ...item, attempts: before }) ? undefined : said(item);
    const fate = outcome === undefined ? gaveUp(before, 'no call of it ended') : fateOf(item, outcome);
    if (fate.kind === 'done') result.done.push(person);
    else if (fate.kind === 'long') result.long.push(person);
    else if (fate.kind === 'gap') result.gaps.push({ person, cause: fate.cause, detail: fate.detail });
    else result.again.push({ person, readyInMs: fate.readyInMs, refund: fate.refund, cause: fate.cause });
    if (outcome === undefined) continue;
    const seen = observationOf(person, outcome);
    if (seen !== undefined) result.observations.push(seen);
    if (outcome.kind === 'list') {
      result.friendshipObservations += outcome.friendIds.length;
      for (const id of outcome.friendIds) {
        found.set(id, Math.min(found.get(id) ?? Number.MAX_SAFE_INTEGER, item.depth + 1));
      }
    }
  }
  return { ...result, found: [...found].map(([person, depth]) => ({ person, depth })) };
}

function observationOf(person: string, outcome: ItemOutcome): Observation | undefined {
  switch (outcome.kind) {
    case 'profile':
      return { kind: 'person', person, state: outcome.state, profile: outcome.profile };
    case 'list': {
      const { friendIds, total } = outcome;
      return friendIds.length >= total
        ? { kind: 'friend-list', person, outcome: 'complete', friendIds }
        : { kind: 'friend-list', person, outcome: 'partial', friendIds, total };
    }
    case 'absent':
      // A person nobody knows asserts nothing, and nothing can be said of them.
      return outcome.cause === 'unknown'
        ? undefined
        : { kind: 'friend-list', person, outcome: outcome.cause, friendIds: [] };
    case 'too-long':
    case 'again':
      return undefined;
  }
}
