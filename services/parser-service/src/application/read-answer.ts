import {
  fateOf,
  gaveUp,
  type Item,
  type ItemFate,
  type ItemOutcome,
  MAX_TRIES,
  MOVED,
} from '../domain/items';
import type { Observation } from '../domain/observation';
import type { PackKind } from '../domain/packing';
import type { CallResult, Reading } from '../domain/ports';

export type CallOutcome = Omit<CallResult, 'positions' | 'fitted'> & { observations: Observation[] };

/**
 * Items, with the attempts before this call, that were begun too often without an end: whoever called them did not
 * live to tell.
 */
export function isPoison(item: Item): boolean {
  return item.attempts >= MAX_TRIES;
}

/** What a call means for its items, and what it lets the platform know. An item the answer forgot is tried again. */
export function outcomeOf(
  kind: PackKind,
  items: readonly Item[],
  reading: Exclude<Reading, { kind: 'split' }>,
): CallOutcome {
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
    more: [] as CallResult['more'][number][],
    again: [] as CallResult['again'][number][],
    observations: [] as Observation[],
    friendshipObservations: 0,
  };
  const banned: string[] = [];
  const found = new Map<string, number>();
  for (const item of items) {
    const { person } = item;
    // The call at hand is counted already.
    const before = item.attempts - 1;
    const outcome = isPoison({ ...item, attempts: before }) ? undefined : said(item);
    const fate = outcome === undefined ? gaveUp(before, 'no call of it ended') : fateOf(item, outcome);
    if (fate.kind === 'done') result.done.push(person);
    else if (fate.kind === 'long') result.long.push(person);
    else if (fate.kind === 'more') result.more.push({ person, cursor: fate.cursor });
    else if (fate.kind === 'gap') result.gaps.push({ person, cause: fate.cause, detail: fate.detail });
    else result.again.push({ person, readyInMs: fate.readyInMs, refund: fate.refund, cause: fate.cause });
    if (outcome === undefined) continue;
    result.observations.push(...observationsOf(kind, person, outcome, fate));
    if (outcome.kind === 'profile' && outcome.state === 'banned') banned.push(person);
    if (outcome.kind === 'list' || outcome.kind === 'moved') {
      if (outcome.kind === 'list') result.friendshipObservations += outcome.friendIds.length;
      for (const id of outcome.friendIds) meet(found, id, item.depth + 1);
    }
    if (outcome.kind === 'seen') {
      for (const met of outcome.met) meet(found, met.person, item.depth + met.steps);
    }
  }
  return {
    ...result,
    ...(banned.length === 0 ? {} : { banned }),
    found: [...found].map(([person, depth]) => ({ person, depth })),
  };
}

/** The nearest distance counts. */
function meet(found: Map<string, number>, id: string, depth: number): void {
  const before = found.get(id);
  if (before === undefined || depth < before) found.set(id, depth);
}

function observationsOf(
  kind: PackKind,
  person: string,
  outcome: ItemOutcome,
  fate: ItemFate,
): readonly Observation[] {
  switch (outcome.kind) {
    case 'profile':
      return [{ kind: 'person', person, state: outcome.state, profile: outcome.profile }];
    case 'list': {
      const { friendIds, total } = outcome;
      return friendIds.length >= total
        ? [{ kind: 'friend-list', person, outcome: 'complete', friendIds }]
        : [{ kind: 'friend-list', person, outcome: 'partial', friendIds, total }];
    }
    case 'moved':
      // As long as it is read again nothing is said: the next reading says it better.
      return fate.kind === 'gap' && fate.detail === MOVED
        ? [
            {
              kind: 'friend-list',
              person,
              outcome: 'partial',
              friendIds: outcome.friendIds,
              total: outcome.total,
            },
          ]
        : [];
    case 'seen':
      return outcome.observations;
    case 'absent':
      // A person nobody knows asserts nothing, and nothing can be said of them.
      return outcome.cause === 'unknown' ? [] : unseen(kind, person, outcome.cause);
    case 'too-long':
    case 'unreadable':
    case 'again':
      return [];
  }
}

/** A list that could not be seen is said to be so; of walls and members only what is there is told. */
function unseen(kind: PackKind, person: string, outcome: 'private' | 'hidden' | 'deleted'): Observation[] {
  const listed = (list: 'groups' | 'pages' | 'people'): Observation => ({
    kind: 'subscription-list',
    person,
    list,
    outcome,
    ids: [],
  });
  switch (kind) {
    case 'lists':
    case 'long-list':
      return [{ kind: 'friend-list', person, outcome, friendIds: [] }];
    case 'groups':
    case 'long-groups':
      return [listed('groups')];
    case 'subscriptions':
      return [listed('pages'), listed('people')];
    default:
      return [];
  }
}
