import type { ImportChaosOptions } from './arguments';
import type { ChaosStand } from './fleet-stand';
import { figuresOf, missesOfPace, type PaceFigures, type PaceSample } from './pace-figures';
import { type Stages, stagesOf } from './stages';
import { differences } from './verdict';

export interface PaceVerdict extends PaceFigures {
  readonly passed: boolean;
  readonly misses: readonly string[];
  /** Of the calls that ended while the import ran, the first ones left out. */
  readonly stages: Stages;
  /** Seconds since the start and calls made by then, every few seconds. */
  readonly course: readonly (readonly [seconds: number, calls: number])[];
}

const LOOK_EVERY_MS = 1_000;
const USER_CALLS_PER_SECOND = 3;
/** Before the frontier is wide no key can be kept busy. */
const STAGES_FROM_CALLS = 60;

/** One import to which nothing happens. */
export async function runPace(
  stand: ChaosStand,
  { keys }: ImportChaosOptions,
  say: (line: string) => void,
): Promise<PaceVerdict> {
  await stand.api.tell('/reset');
  const startedAt = performance.now();
  const id = await stand.startImport();
  const ended = stand.api.ended(id);
  // Awaited below; a failure while a look is under way must not count as one that nobody handles.
  ended.catch(() => undefined);
  let isOver = false;
  void ended.finally(() => (isOver = true)).catch(() => undefined);
  const samples: PaceSample[] = [];
  let before: string[] | undefined;
  let after: string[] = [];
  while (!isOver) {
    const { counters, etaMs, state } = await stand.api.import(id);
    const callsMade = counters.calls.made;
    samples.push({ at: performance.now(), callsMade, etaMs: etaMs ?? undefined });
    if (state === 'running' && callsMade >= STAGES_FROM_CALLS) {
      after = await stand.parserMetrics();
      before ??= after;
    }
    if (samples.length % 10 === 0) say(`> ${callsMade} calls made`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
  const view = await ended;
  const endedAt = performance.now();
  const { packed, times: all, lists } = await stand.answered();
  const callsPerSecond = keys * USER_CALLS_PER_SECOND;
  const figures = figuresOf({ samples, startedAt, endedAt, packed, all, lists, callsPerSecond });
  const misses = [
    ...missesOfPace(figures, keys),
    ...differences(await stand.api.summaryAfter(view), stand.expected),
  ];
  return {
    ...figures,
    passed: misses.length === 0,
    misses,
    stages: stagesOf(after, before),
    course: samples
      .filter((_, index) => index % 5 === 0)
      .map(({ at, callsMade }) => [Math.round((at - startedAt) / 1_000), callsMade] as const),
  };
}

export function reportPace({ misses, stages, ...figures }: PaceVerdict): string {
  const { seconds, pack, quota, listsPerSecond, etaOfWhole, etaOfLeft } = figures;
  const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
  const ms = Object.entries(stages.ms).map(
    ([stage, { mean, count }]) => `${stage} ${mean.toFixed(0)} (${count}x)`,
  );
  const lost = Object.entries(stages.slotsLost).map(([cause, count]) => `${cause} ${count}`);
  return [
    `\n${seconds.toFixed(0)} s; ${pack.toFixed(2)} of 25 in a packed call; in the middle half of the calls ` +
      `${percent(quota)} of the quota, ${listsPerSecond.toFixed(1)} lists a second.`,
    `Estimates from half of the calls on: wrong by ${percent(etaOfWhole)} of the whole time at most, ` +
      `${percent(etaOfLeft)} of what was left (above 5 s).`,
    `Stages, mean ms: ${ms.join(', ')}. Slots lost: ${lost.join(', ') || 'none'}.`,
    ...(misses.length === 0 ? ['\nPassed.'] : ['', ...misses.map((miss) => `Missed: ${miss}.`)]),
  ].join('\n');
}
