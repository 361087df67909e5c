import { seeded } from '@sociograph/testing';
import type { Cleanup } from '../fleet/cleanup';
import type { ServerEnvironment } from '../fleet/servers';
import type { SimulatorStats } from '../fleet/simulator-process';
import type { ChaosOptions } from './arguments';
import { countFaults, planFaults } from './fault-plan';
import { pause, playFaults } from './play-faults';
import { Stand } from './stand';
import { machineNow } from './system-clock';
import {
  countUnsent,
  type Gap,
  gapsAfter,
  judge,
  type Judged,
  longestGap,
  type Refusal,
  workingStretches,
} from './verdict';

const WINDOW_MS = 1000;
const WARM_UP_MS = 5_000;
/** A key counts as in use when it was called within this time. */
const IN_USE_MS = 10_000;
const HEAL_MS = 120_000;
const MOST_GAP_MS = 10_000;
/** Both clocks are monotonic; they are set against each other by one exchange of a few milliseconds. */
const TOLERANCE_MS = 10;
const WORKER_CLOCKS_MS = [300_000, -300_000, 90_000, 0];

export interface FaultsVerdict {
  seed: number;
  seconds: number;
  faults: Record<string, number>;
  calls: number;
  refused: number;
  oversteps: Judged[];
  frozenSends: Judged[];
  slowPath: Judged[];
  /** Sends that the workers' own stamps show as frozen between check and wire, refused or not. */
  lateSends: number;
  unsent: Record<string, number>;
  /** Requests for a lease that were denied, by reason. */
  denied: Record<string, number>;
  gapsAfterLoss: Gap[];
  longestGap: Gap | undefined;
  /** Keys in use at the end, how many there are, and how long after the last fault that took. */
  keysInUse: number;
  keys: number;
  healedAfterMs: number;
  simulatorLagMs: SimulatorStats['eventLoopLagMs'];
  endedByThemselves: string[];
  passed: boolean;
}

/** The live chaos run; `say` gets a line now and then. */
export async function runFaults(
  env: ServerEnvironment,
  options: ChaosOptions,
  cleanup: Cleanup,
  say: (line: string) => void,
): Promise<FaultsVerdict> {
  const { seed, keys, workers, keyServices, jitterMs } = options;
  const { durationMs, faults } = planFaults(seeded(seed), {
    durationMs: options.minutes * 60_000,
    freezes: options.freezes,
    longestFreezeMs: options.longestFreezeMs,
    workers,
    keyServices,
  });
  say(
    `seed ${seed}: ${faults.length} faults within ${Math.round(durationMs / 1000)} s on ${keys} keys, then calm; ` +
      `at least ${options.calls} calls`,
  );
  const stand = await Stand.start(
    env,
    { keys, workers, keyServices, seed, jitterMs, workerClocksMs: WORKER_CLOCKS_MS, method: 'users.get' },
    cleanup,
  );
  await pause(Math.min(WARM_UP_MS, durationMs / 4));
  const begunAt = machineNow();
  const played = playFaults(stand, faults);
  const progress = setInterval(() => void report(stand, begunAt, say), 15_000);
  try {
    await played;
    await untilCalls(stand, options.calls, begunAt + 4 * durationMs);
    const calmAt = machineNow();
    for (const process of [...stand.keyServices, ...stand.workers]) process.thaw();
    const inUse = await untilAllInUse(stand, calmAt);
    const endedAt = machineNow();
    const stats = await stand.simulator.stats(true);
    const offset = machineNow() - stats.clock;
    await Promise.all(stand.workers.map((worker) => worker.end()));
    return verdictOf({ stand, options, faults: countFaults(faults), stats, offset, begunAt, endedAt, inUse });
  } finally {
    clearInterval(progress);
  }
}

async function report(stand: Stand, begunAt: number, say: (line: string) => void): Promise<void> {
  const stats = await stand.simulator.stats().catch(() => undefined);
  if (stats === undefined) return;
  const { served, refused } = stats.totals;
  say(`${Math.round((machineNow() - begunAt) / 1000)} s: ${served} calls, ${refused} refused`);
}

async function untilCalls(stand: Stand, calls: number, deadline: number): Promise<void> {
  while (machineNow() < deadline) {
    if ((await stand.simulator.stats()).totals.served >= calls) return;
    await pause(500);
  }
}

interface InUse {
  keys: number;
  afterMs: number;
}

async function untilAllInUse(stand: Stand, calmAt: number): Promise<InUse> {
  for (;;) {
    await pause(1_000);
    const stats = await stand.simulator.stats();
    const recently = stats.clock - Math.min(IN_USE_MS, machineNow() - calmAt);
    const keys = stats.keys.filter((key) => lastServed(key) >= recently).length;
    const afterMs = machineNow() - calmAt;
    if (keys === stats.keys.length || afterMs > HEAL_MS) return { keys, afterMs };
  }
}

function lastServed(key: SimulatorStats['keys'][number]): number {
  const methods = Object.values(key.methods) as unknown as { served: { lastAt: number | null } }[];
  return Math.max(0, ...methods.map(({ served }) => served.lastAt ?? 0));
}

interface Run {
  stand: Stand;
  options: ChaosOptions;
  faults: Record<string, number>;
  stats: SimulatorStats;
  /** From the simulator's clock to the machine's. */
  offset: number;
  begunAt: number;
  endedAt: number;
  inUse: InUse;
}

function verdictOf({ stand, options, faults, stats, offset, begunAt, endedAt, inUse }: Run): FaultsVerdict {
  const records = stand.records();
  const refusals = refusalsOf(stats, stand.keys.idOf, offset);
  const judged = judge(refusals, records, {
    windowMs: WINDOW_MS,
    quota: 3,
    jitterMs: options.jitterMs,
    toleranceMs: TOLERANCE_MS,
    lagMs: stats.eventLoopLagMs.max,
  });
  const oversteps = judged.filter(({ cause }) => cause === 'overstep');
  const stretches = workingStretches(stand.presences, endedAt);
  const grants = records.map((record) => record.grantedAt);
  const gapsAfterLoss = gapsAfter(stand.losses, grants, stretches);
  const slowPath = judged.filter(({ cause }) => cause === 'slow-path');
  const verdict = {
    seed: options.seed,
    seconds: (endedAt - begunAt) / 1000,
    faults,
    calls: stats.totals.served,
    refused: stats.totals.refused,
    oversteps,
    frozenSends: judged.filter(({ cause }) => cause === 'frozen-send'),
    slowPath,
    lateSends: records.filter((record) => record.late === true).length,
    unsent: countUnsent(records),
    denied: stand.denied(),
    gapsAfterLoss,
    longestGap: longestGap(grants, stretches),
    keysInUse: inUse.keys,
    keys: options.keys,
    healedAfterMs: inUse.afterMs,
    simulatorLagMs: stats.eventLoopLagMs,
    endedByThemselves: [...stand.keyServices, ...stand.workers].flatMap((process) =>
      process.endedByItself > 0 ? [`${process.name}: ${process.endedByItself}`] : [],
    ),
  };
  const passed =
    oversteps.length === 0 &&
    slowPath.length === 0 &&
    verdict.calls >= options.calls &&
    inUse.keys === options.keys &&
    (gapsAfterLoss[0]?.ms ?? 0) <= MOST_GAP_MS;
  return { ...verdict, passed };
}

function refusalsOf(stats: SimulatorStats, idOf: ReadonlyMap<string, string>, offset: number): Refusal[] {
  return stats.keys.flatMap((key) =>
    Object.values(key.methods).flatMap(({ refused }) =>
      refused.times.map((at) => ({ keyId: idOf.get(key.key) ?? key.key, at: at + offset })),
    ),
  );
}
