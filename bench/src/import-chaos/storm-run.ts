import { eventually } from '@sociograph/testing';
import type { ImportChaosOptions, Storm } from './arguments';
import type { ChaosStand } from './fleet-stand';
import { differences, LISTS_PER_CALL, missesOfStorm, type StormFigures } from './verdict';

export interface StormVerdict extends StormFigures {
  readonly passed: boolean;
  readonly misses: readonly string[];
}

const CALLS_BEFORE = 100;
const QUIET_MS = 10_000;
const MEASURED_MS = 10_000;
/** The fleet's own pace, right before the storm: what a machine does not reach then it does not reach afterwards. */
const BEFORE_MS = 5_000;
const USER_CALLS_PER_SECOND = 3;
const PROFILES_PER_CALL = 1_000;

/** One import, and a storm that begins once its first calls are through. */
export async function runStorm(
  stand: ChaosStand,
  storm: Storm,
  { stormSeconds }: ImportChaosOptions,
  say: (line: string) => void,
): Promise<StormVerdict> {
  await stand.api.tell('/reset');
  const id = await stand.startImport();
  await eventually(async () => (await stand.api.import(id)).counters.calls.made >= CALLS_BEFORE, {
    timeoutMs: 60_000,
  });
  const { dying, begunAt, overAt } = await begin(stand, storm, stormSeconds);
  say(`> the storm "${storm}" blows`);
  const view = await stand.api.ended(id);
  const { served, times, refused } = await stand.answered();
  const callsHit = await hitsOf(stand);
  const from = overAt + QUIET_MS;
  const living = stand.keys.length - dying.length;
  const used = (keys: number, since: number, until: number): number =>
    times.filter((at) => at >= since && at < until).length /
    ((keys * USER_CALLS_PER_SECOND * (until - since)) / 1000);
  const figures: StormFigures = {
    state: view.state,
    differences: differences(await stand.api.summaryAfter(view), stand.expected),
    gaps: (await stand.api.certificate(id)).gaps,
    callsMade: served + refused,
    callsNeeded:
      Math.ceil(stand.expected.users / LISTS_PER_CALL) + Math.ceil(stand.expected.users / PROFILES_PER_CALL),
    callsHit,
    quotaBefore: used(stand.keys.length, begunAt - BEFORE_MS, begunAt),
    quotaAfter: times.some((at) => at >= from + MEASURED_MS) ? used(living, from, from + MEASURED_MS) : NaN,
    dead: await stand.dead(),
  };
  const misses = missesOfStorm(figures);
  return { ...figures, passed: misses.length === 0, misses };
}

/** `overAt` is on the simulator's clock. */
async function begin(
  stand: ChaosStand,
  storm: Storm,
  seconds: number,
): Promise<{ dying: readonly string[]; begunAt: number; overAt: number }> {
  const { clock } = await stand.api.simulator<{ clock: number }>('/clock');
  if (storm === 'keys') {
    const dying = stand.keys.slice(0, Math.floor(stand.keys.length / 4));
    for (const key of dying) await stand.api.tell(`/faults?key=${key}&answer=5`);
    return { dying, begunAt: clock, overAt: clock };
  }
  const planted =
    storm === 'six'
      ? [['6', 0.3] as const]
      : ([
          ['502', 0.05],
          ['reset', 0.05],
          ['truncated', 0.05],
        ] as const);
  for (const [answer, share] of planted)
    await stand.api.tell(`/faults?key=*&answer=${answer}&share=${share}&for=${seconds}`);
  return { dying: [], begunAt: clock, overAt: clock + seconds * 1000 };
}

/** Requests that a planted fault answered. Those of dying keys are counted as served with error 5. */
async function hitsOf(stand: ChaosStand): Promise<number> {
  const { scripted } = await stand.api.simulator<{ scripted: { hit: number }[] }>('/faults');
  return scripted.reduce((sum, { hit }) => sum + hit, 0);
}
