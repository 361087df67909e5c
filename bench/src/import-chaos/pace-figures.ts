/** What was seen of an import while nothing was done to it. */
export interface PaceSeen {
  /** When it was started and when it was completed, ms on one clock. */
  readonly startedAt: number;
  readonly endedAt: number;
  readonly samples: readonly PaceSample[];
  /** Arrivals of packed calls and of all calls at the simulator, ms on its own clock. */
  readonly packed: readonly number[];
  readonly all: readonly number[];
  /** Friend lists inside packed calls. */
  readonly lists: number;
  readonly callsPerSecond: number;
}

/** One look at the import, on the clock of `startedAt`. */
export interface PaceSample {
  readonly at: number;
  readonly callsMade: number;
  readonly etaMs: number | undefined;
}

export interface PaceFigures {
  readonly seconds: number;
  /** Items of a packed call, of those in the middle half of the import and of all. */
  readonly pack: number;
  /** Share of the quota of all keys in use in the middle half of the calls. */
  readonly quota: number;
  /** Friend lists a second in the middle half of the calls. */
  readonly listsPerSecond: number;
  /** The worst estimate from half of the calls on, as a share of the whole time; NaN: none was given, or too short. */
  readonly etaOfWhole: number;
  /** The same as a share of the time that was left, while that was more than five seconds. */
  readonly etaOfLeft: number;
}

const LEAST_PACK = 24.5;
/** Of a key with three calls a second that hold 25 lists each. */
const LEAST_LISTS_PER_KEY = 70;
const LONGEST_ETA_ERROR = 0.2;
const LEAST_ETA_MS = 60_000;
/** Less time than that is told in whole calls. */
const LEAST_LEFT_MS = 5_000;

export function figuresOf(seen: PaceSeen): PaceFigures {
  const { packed, all, lists, callsPerSecond, startedAt, endedAt } = seen;
  const middle = middleHalf(all);
  const inMiddle = (times: readonly number[]): number =>
    times.filter((at) => at >= middle.from && at < middle.to).length;
  const seconds = (middle.to - middle.from) / 1_000;
  const pack = lists / packed.length;
  return {
    seconds: (endedAt - startedAt) / 1_000,
    pack,
    quota: inMiddle(all) / seconds / callsPerSecond,
    listsPerSecond: (inMiddle(packed) * pack) / seconds,
    ...worstEstimates(seen),
  };
}

/** From the call at a quarter to the one at three quarters: neither the start nor the tail of the frontier. */
function middleHalf(times: readonly number[]): { from: number; to: number } {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.floor((sorted.length - 1) * share)] ?? NaN;
  return { from: at(0.25), to: at(0.75) };
}

function worstEstimates({
  samples,
  startedAt,
  endedAt,
}: PaceSeen): Pick<PaceFigures, 'etaOfWhole' | 'etaOfLeft'> {
  const whole = endedAt - startedAt;
  const calls = samples.at(-1)?.callsMade ?? 0;
  const late = samples.filter(({ callsMade, at }) => callsMade >= calls / 2 && at < endedAt);
  if (whole < LEAST_ETA_MS || late.length === 0) return { etaOfWhole: NaN, etaOfLeft: NaN };
  const wrong = late.map(({ at, etaMs = Infinity }) => ({
    by: Math.abs(at + etaMs - endedAt),
    left: endedAt - at,
  }));
  const long = wrong.filter(({ left }) => left > LEAST_LEFT_MS);
  return {
    etaOfWhole: Math.max(...wrong.map(({ by }) => by)) / whole,
    etaOfLeft: long.length === 0 ? NaN : Math.max(...long.map(({ by, left }) => by / left)),
  };
}

export function missesOfPace(
  { pack, listsPerSecond, etaOfWhole, seconds }: PaceFigures,
  keys: number,
): string[] {
  const found: string[] = [];
  if (!(pack >= LEAST_PACK)) found.push(`a packed call holds ${pack.toFixed(2)} of 25`);
  if (!(listsPerSecond >= LEAST_LISTS_PER_KEY * keys))
    found.push(
      `${listsPerSecond.toFixed(1)} lists a second of ${keys} keys, ${LEAST_LISTS_PER_KEY * keys} are asked for`,
    );
  if (Number.isNaN(etaOfWhole))
    found.push(`the import took ${seconds.toFixed(0)} s: for an estimate more people are needed`);
  else if (etaOfWhole > LONGEST_ETA_ERROR)
    found.push(`an estimate was wrong by ${(etaOfWhole * 100).toFixed(0)} % of the whole time`);
  return found;
}
