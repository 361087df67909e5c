import { compareStamps } from '@sociograph/kernel';
import { type Friendship, idOf, judge, loneSide, otherSide } from '../domain/friendship';
import { assertedBy, isComplete } from '../domain/own-list';
import type { Person } from '../domain/person';
import type { DisputeEvidence, Versioned } from '../domain/ports';
import { endKey, personKey, unansweredBy } from './side-changes';
import { backOff, MAX_ATTEMPTS, type WritingTools } from './write-friendships';

/**
 * After the writes of a batch: weighs lone assertions against the other side's newest complete list. Reading after
 * writing matters: whichever of two batches reads last sees the writes of both, so no dispute is missed.
 */
export async function judgeDisputes(
  people: readonly Person[],
  changed: readonly Friendship[],
  tools: WritingTools,
): Promise<void> {
  const observed = new Map(people.map((person) => [personKey(person.ref), person]));
  if (observed.size === 0) return;
  const lone = changed.filter((friendship) => loneSide(friendship) !== undefined);
  const others = new Set(lone.flatMap((friendship) => unansweredBy(friendship) ?? []));
  for (const key of observed.keys()) others.delete(key);
  let evidence = await tools.store.disputeEvidence([...observed.keys()], [...others]);
  const doubtful = lone.filter((friendship) => isDenied(friendship, evidence)).map(({ key }) => key);
  const extra =
    doubtful.length > 0 ? await tools.store.friendships(doubtful) : new Map<string, Versioned<Friendship>>();
  for (let attempt = 1; ; attempt++) {
    const candidates = new Map(
      [...evidence.unanswered, ...evidence.disputed, ...extra.values()].map((f) => [f.key, f]),
    );
    const judged = [...candidates.values()].flatMap((friendship) => verdict(friendship, observed, evidence));
    if (judged.length === 0) return;
    const { written, conflicts } = await tools.store.writeFriendships({
      create: [],
      replace: judged,
      remove: [],
    });
    tools.meter.friendships('judged', written);
    tools.meter.conflicts('friendship', conflicts.length);
    // A friendship that keeps changing is judged by whoever changes it.
    if (conflicts.length === 0 || attempt >= MAX_ATTEMPTS) return;
    await backOff(attempt, tools);
    const again = await tools.store.friendships(conflicts);
    extra.clear();
    for (const [key, friendship] of again) extra.set(key, friendship);
    evidence = { ...evidence, unanswered: [], disputed: [] };
  }
}

function isDenied(friendship: Friendship, { completeLists }: DisputeEvidence): boolean {
  const denier = unansweredBy(friendship);
  const stamp = denier === undefined ? undefined : completeLists.get(denier);
  const lone = loneSide(friendship);
  const assertion = lone && friendship[lone];
  return stamp !== undefined && assertion !== undefined && compareStamps(stamp, assertion) > 0;
}

/** The friendship as judged, when that differs from what is stored. */
function verdict(
  friendship: Versioned<Friendship>,
  observed: ReadonlyMap<string, Person>,
  { completeLists }: DisputeEvidence,
): Versioned<Friendship>[] {
  const lone = loneSide(friendship);
  if (!lone) return [];
  const denierId = idOf(friendship, otherSide(lone));
  const denierKey = endKey(friendship, otherSide(lone));
  const denier = observed.get(denierKey);
  const asserter = observed.get(endKey(friendship, lone));
  const denied = denier && isComplete(denier.list) ? denier.list.base?.stamp : completeLists.get(denierKey);
  const confirmed = asserter && assertedBy(asserter.list).get(denierId)?.stamp;
  const judged = judge(friendship, { denied, confirmed });
  return judged === friendship ? [] : [{ ...judged, rev: friendship.rev }];
}
