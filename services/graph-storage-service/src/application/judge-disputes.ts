import { compareStamps, type ObservationStamp } from '@sociograph/kernel';
import { type Friendship, idOf, judge, loneSide, otherSide, type Side } from '../domain/friendship';
import { assertedBy, isComplete } from '../domain/own-list';
import { confirmedPerson, type Person } from '../domain/person';
import type { Versioned } from '../domain/ports';
import type { Confirmations } from './confirmations';
import { endKey, personKey, unansweredBy } from './side-changes';
import { backOff, MAX_ATTEMPTS, type WritingTools } from './write-friendships';

/** People of whom the newest state is at hand, by key. */
type KnownPeople = Map<string, Person>;
type Disputable = Versioned<Friendship>;

/**
 * After the writes of a batch: weighs lone assertions against the other side's newest complete list. Reading after
 * writing matters: whichever of two batches reads last sees the writes of both, so no dispute is missed.
 */
export async function judgeDisputes(
  people: readonly Person[],
  changed: readonly Friendship[],
  confirmations: Confirmations,
  tools: WritingTools,
): Promise<void> {
  if (people.length === 0) return;
  const known: KnownPeople = new Map(people.map((person) => [personKey(person.ref), person]));
  let candidates = await candidatesAmong(known, changed, confirmations, tools);
  if (candidates.length === 0) return;
  await learn(candidates, known, confirmations, tools);
  for (let attempt = 1; candidates.length > 0; attempt++) {
    const judged = candidates.flatMap((friendship) => verdict(friendship, known));
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
    candidates = [...(await tools.store.friendships(conflicts)).values()];
  }
}

/** Friendships whose verdict may be another one now; rare, so that the closer look afterwards may cost reads. */
async function candidatesAmong(
  known: KnownPeople,
  changed: readonly Friendship[],
  confirmations: Confirmations,
  { store }: WritingTools,
): Promise<Disputable[]> {
  const lone = changed.filter((friendship) => loneSide(friendship) !== undefined);
  const others = new Set(lone.flatMap((friendship) => unansweredBy(friendship) ?? []));
  for (const key of known.keys()) others.delete(key);
  const { unanswered, disputed, completeLists } = await store.disputeEvidence([...known.keys()], [...others]);
  const doubtful = lone.filter((friendship) => {
    const denier = unansweredBy(friendship) ?? '';
    const stamp = completeLists.get(denier);
    return stamp !== undefined && isDeniedBy(friendship, newer(stamp, confirmations.of(denier).list));
  });
  const read =
    doubtful.length > 0
      ? await store.friendships(doubtful.map(({ key }) => key))
      : new Map<string, Disputable>();
  const found = new Map([...unanswered, ...disputed].map((friendship) => [friendship.key, friendship]));
  const flipping = [...found.values()].filter((friendship) => verdict(friendship, known).length > 0);
  return [
    ...flipping,
    ...[...read.values()].filter(({ key }) => !flipping.some((other) => other.key === key)),
  ];
}

/** Reads the other ends: what they assert may have been seen again since the friendship was written. */
async function learn(
  candidates: readonly Disputable[],
  known: KnownPeople,
  confirmations: Confirmations,
  { store }: WritingTools,
): Promise<void> {
  const ends = candidates.flatMap((friendship) => [endKey(friendship, 'low'), endKey(friendship, 'high')]);
  const unknown = [...new Set(ends)].filter((key) => !known.has(key));
  if (unknown.length === 0) return;
  const { people } = await store.read(unknown);
  for (const [key, person] of people) known.set(key, confirmedPerson(person, confirmations.of(key)));
}

/** The friendship as judged, when that differs from what is stored. */
function verdict(friendship: Disputable, known: KnownPeople): Disputable[] {
  const lone = loneSide(friendship);
  if (!lone) return [];
  const denier = known.get(endKey(friendship, otherSide(lone)));
  const asserter = known.get(endKey(friendship, lone));
  const denied = denier && (isComplete(denier.list) ? denier.list.base?.stamp : null);
  const judged = judge(friendship, { denied, confirmed: asserter && assertedAt(asserter, friendship, lone) });
  return judged === friendship ? [] : [{ ...judged, rev: friendship.rev }];
}

function assertedAt(asserter: Person, friendship: Friendship, lone: Side): ObservationStamp | undefined {
  return assertedBy(asserter.list).get(idOf(friendship, otherSide(lone)))?.stamp;
}

function isDeniedBy(friendship: Friendship, stamp: ObservationStamp): boolean {
  const lone = loneSide(friendship);
  const assertion = lone && friendship[lone];
  return assertion !== undefined && compareStamps(stamp, assertion) > 0;
}

function newer(a: ObservationStamp, b: ObservationStamp | undefined): ObservationStamp {
  return b && compareStamps(b, a) > 0 ? b : a;
}
