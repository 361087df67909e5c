import type { ImportCounters, ImportState } from './import-job';

/** What an import had reached at a moment: one event of its stream. */
export interface ProgressMark {
  /** Rises by one from event to event of an import. */
  readonly seq: number;
  /** Milliseconds since the Unix epoch. */
  readonly at: number;
  readonly state: ImportState;
  readonly revision: number;
  readonly counters: ImportCounters;
}

/** Marks so far back are enough for an estimate: at four a second more than a minute. */
export const MARKS_LOOKED_AT = 300;
/** Shorter stretches say nothing: one call more or less would be a fifth of them. */
const SHORTEST_MS = 4_000;
const LONGEST_MS = 60_000;
/** A stretch is a third of the time that the import ran: old enough not to jump, young enough to forget the start. */
const STRETCH = 1 / 3;
/** While each list that is read brings nearly one more, nobody knows how many there will be. */
const STILL_GROWING = 0.9;
/** The lists to come bring people whose lists are to come as well: so many rounds of that are looked at. */
const ROUNDS = 100;
/** From the last item to the views that show it. */
export const SETTLE_MS = 1_500;

export interface EtaLimits {
  readonly peopleLimit: number | null;
  /** Profiles that one call asks for. */
  readonly profilesPerCall: number;
}

/**
 * Milliseconds until the import is completed, from the pace of the latest stretch of `marks` (oldest first; the last
 * one is now). Undefined where nothing can be said: it does not run, has just begun, or still finds more than it reads.
 * Waits for keys, pauses and retries to come are not foreseen.
 */
export function etaMs(marks: readonly ProgressMark[], limits: EtaLimits): number | undefined {
  const now = marks.at(-1);
  if (now === undefined) return undefined;
  if (now.state === 'settling') return SETTLE_MS;
  const before = now.state === 'running' ? startOfStretch(marks, now) : undefined;
  if (before === undefined) return undefined;
  const span = now.at - before.at;
  const calls = now.counters.callsMade - before.counters.callsMade;
  const middle = middleOf(marks, before, now);
  const left = callsLeft(before.counters, middle.counters, now.counters, limits);
  if (span < SHORTEST_MS || calls <= 0 || left === undefined) return undefined;
  return Math.round((left * span) / calls) + SETTLE_MS;
}

/** The oldest mark of the stretch, of the time since the import runs without a step between. */
function startOfStretch(marks: readonly ProgressMark[], now: ProgressMark): ProgressMark | undefined {
  const since = marks.findLastIndex(({ revision }) => revision !== now.revision) + 1;
  const running = marks.slice(since);
  const begun = running[0]?.at ?? now.at;
  const stretch = Math.min(LONGEST_MS, Math.max(SHORTEST_MS, (now.at - begun) * STRETCH));
  return running.findLast(({ at }) => now.at - at >= stretch);
}

/** The mark at which half of the stretch's lists were read: what they brought is held against what the others did. */
function middleOf(marks: readonly ProgressMark[], before: ProgressMark, now: ProgressMark): ProgressMark {
  const half = before.counters.listsDone + (now.counters.listsDone - before.counters.listsDone) / 2;
  return marks.findLast(({ at, counters }) => at >= before.at && counters.listsDone <= half) ?? before;
}

function callsLeft(
  before: ImportCounters,
  middle: ImportCounters,
  now: ImportCounters,
  { peopleLimit, profilesPerCall }: EtaLimits,
): number | undefined {
  const openPeople = now.peopleKnown - now.peopleDone + now.peopleRetrying;
  const openLists = now.listsKnown - now.listsDone + now.listsRetrying;
  const profileCalls = (people: number): number => Math.ceil(people / profilesPerCall);
  if (openLists === 0) return profileCalls(openPeople);
  const listsDone = listsRead(before, now);
  if (listsDone <= 0) return undefined;
  const room = peopleLimit === null ? Infinity : Math.max(0, peopleLimit - now.peopleKnown);
  const toCome = Math.min(room, peopleToCome(before, middle, now, openLists));
  if (toCome === Infinity) return undefined;
  const calls = now.callsMade - before.callsMade;
  const listCalls = Math.max(1, calls - (now.peopleDone - before.peopleDone) / profilesPerCall);
  return ((openLists + toCome) * listCalls) / listsDone + profileCalls(openPeople + toCome);
}

/**
 * People whom the open lists will bring, and theirs. Each list brings fewer new people than those before it, since more of
 * its people are known already: what the stretch's second half brought against its first half tells how fast that falls.
 * Where it does not fall the lists to come are taken to be like the last ones. Infinity: nobody knows.
 */
function peopleToCome(
  before: ImportCounters,
  middle: ImportCounters,
  now: ImportCounters,
  openLists: number,
): number {
  const [early, late] = [growthOf(before, middle), growthOf(middle, now)];
  if (late === 0) return 0;
  if (late >= early) {
    const growth = growthOf(before, now);
    return growth >= STILL_GROWING ? Infinity : (openLists * growth) / (1 - growth);
  }
  // Between the middles of the two halves lie half of the lists of the stretch, from the later one to now a quarter.
  const fall = Math.log(early / late) / (listsRead(before, now) / 2);
  const growthNow = late * Math.exp((-fall * listsRead(middle, now)) / 2);
  let toCome = 0;
  for (let round = 0; round < ROUNDS; round += 1)
    toCome = (growthNow / fall) * (1 - Math.exp(-fall * (openLists + toCome)));
  // From half of an import on no more can be to come than is known.
  return toCome > now.listsKnown ? Infinity : toCome;
}

/** New lists for each list that was read. */
function growthOf(from: ImportCounters, to: ImportCounters): number {
  return (to.listsKnown - from.listsKnown) / Math.max(1, listsRead(from, to));
}

function listsRead(from: ImportCounters, to: ImportCounters): number {
  return to.listsDone - from.listsDone + from.listsRetrying - to.listsRetrying;
}
