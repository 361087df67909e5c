import { request } from 'node:http';
import { Cleanup } from '../fleet/cleanup';
import type { KeyServiceHome, RunningKeyService } from '../fleet/key-service-home';
import { startRedis } from '../fleet/own-redis';
import { SimulatorProcess, type SimulatorStats } from '../fleet/simulator-process';
import { type PlannedRound, WARM_UP_S } from './arguments';
import { SHIFT } from './rows';
import { averageUtilisation, type KeyArrivals, type Minute, percentile, stretches } from './utilisation';
import { WorkerProcess } from './worker-process';
import { callHeaders, CALL_BODY } from './worker/plain-call';
import type { MarginReading, WorkerReport, WorkerSettings } from './worker/protocol';

export const WINDOW_MS = 1000;
const STRETCH_MS = 10_000;
const GRACE_MS = 2_000;

export interface RoundResult {
  plan: PlannedRound;
  /** Share of the quota used, keys averaged; in `foreign` of the keys that the foreign program leaves alone. */
  used: number;
  served: number;
  refused: number;
  refusedShare: number;
  /** The same for the key that a foreign program uses; undefined in other scenarios. */
  foreignKey?: { used: number; served: number; refused: number };
  leaseMs: { p50: number; p99: number };
  leasesPerSecond: number;
  lagMs: { mean: number; p99: number; max: number };
  stretches: Minute[];
  /** The margin in force as the pool told its workers. */
  margins: MarginReading[];
  workers: WorkerReport[];
}

export interface RoundSetting {
  plan: PlannedRound;
  keys: number;
  seed: number;
  home: KeyServiceHome | undefined;
}

/** Plays one round: everything is started for it, nothing of it is left. */
export async function playRound(setting: RoundSetting, cleanup: Cleanup): Promise<RoundResult> {
  const own = new Cleanup();
  cleanup.add(() => own.run());
  try {
    return await play(setting, own);
  } finally {
    await own.run();
  }
}

async function play({ plan, keys, seed, home }: RoundSetting, own: Cleanup): Promise<RoundResult> {
  const { row } = plan;
  const simulator = await SimulatorProcess.start({
    keys: String(keys),
    seed: String(seed),
    jitter: String(row.jitterMs),
    'reply-jitter': String(row.replyJitterMs),
    delay: row.delay,
    window: row.window,
  });
  own.add(() => simulator.stop());
  const redis = await startRedis();
  own.add(() => redis.stop());
  let pool: (RunningKeyService & { workspaceId: string }) | undefined;
  if (plan.system === 'ours') {
    if (home === undefined) throw new Error('ours cannot run without servers');
    const started = await home.start(redis.url, { settings: { POOL_WINDOW: row.window } });
    own.add(() => started.stop());
    const { workspaceId } = await started.register(
      simulator.tokens.map(({ token, kind, name }) => ({ token, kind, label: name })),
    );
    pool = { ...started, workspaceId };
  }
  const workers = Array.from(
    { length: plan.workers },
    (_, instance) =>
      new WorkerProcess({
        system: plan.system,
        instance,
        workers: plan.workers,
        baseUrl: simulator.baseUrl,
        redisUrl: redis.url,
        keys: simulator.tokens,
        jitterMs: row.jitterMs,
        windowMs: WINDOW_MS,
        longestMs: (WARM_UP_S + plan.seconds + 5) * 1000,
        ...(pool && { pool: poolOf(pool) }),
      }),
  );
  own.add(() => Promise.all(workers.map((worker) => worker.end(GRACE_MS))));
  await Promise.all(workers.map((worker) => worker.prepare())).catch((error: Error) => {
    const said = pool?.handle.lines.filter((line) => /"level":"?(warn|error|fatal|[456]0)/.test(line)) ?? [];
    throw new Error([error.message, ...said.slice(-10)].join('\n'), { cause: error });
  });
  await simulator.control('reset');
  const startedAt = (await simulator.stats()).clock;
  for (const worker of workers) worker.tell({ kind: 'go' });
  const scenario = beginScenario(plan, simulator);
  own.add(() => scenario.stop());
  await pause(WARM_UP_S * 1000);
  const from = (await simulator.stats()).clock;
  for (const worker of workers) worker.tell({ kind: 'measure' });
  await pause(plan.seconds * 1000);
  const { clock: to, eventLoopLagMs } = await simulator.stats();
  scenario.stop();
  const reports = await Promise.all(workers.map((worker) => worker.stop()));
  await Promise.all(workers.map((worker) => worker.end(GRACE_MS)));
  const arrivals = arrivalsOf(await simulator.stats(true));
  return {
    ...figuresOf(plan, arrivals, { from, to }),
    plan,
    leaseMs: {
      p50: percentile(
        reports.flatMap((report) => report.leaseMs),
        0.5,
      ),
      p99: percentile(
        reports.flatMap((report) => report.leaseMs),
        0.99,
      ),
    },
    leasesPerSecond: reports.reduce((sum, report) => sum + report.leases, 0) / ((to - from) / 1000),
    lagMs: eventLoopLagMs,
    stretches: stretches(arrivals, startedAt, to, STRETCH_MS),
    margins: reports.flatMap((report) => report.margins).sort((a, b) => a.at - b.at),
    workers: reports,
  };
}

function poolOf({
  workerRabbitUrl: rabbitUrl,
  identityKeyPem,
  workspaceId,
}: RunningKeyService & { workspaceId: string }): NonNullable<WorkerSettings['pool']> {
  return { rabbitUrl, identityKeyPem, workspaceId };
}

type Figures = Pick<RoundResult, 'used' | 'served' | 'refused' | 'refusedShare' | 'foreignKey'>;

/** In `foreign` the first key is the one that somebody else uses too: it is shown apart. */
export function figuresOf(
  { row }: Pick<PlannedRound, 'row'>,
  arrivals: readonly KeyArrivals[],
  within: { from: number; to: number },
): Figures {
  const apart = row.scenario === 'foreign' ? arrivals.slice(0, 1) : [];
  const counted = arrivals.slice(apart.length);
  const total = (of: (key: KeyArrivals) => readonly number[], keys: readonly KeyArrivals[]): number =>
    keys.reduce((sum, key) => sum + of(key).length, 0);
  const served = total((key) => key.accepted, counted);
  const refused = total((key) => key.refused, counted);
  return {
    used: averageUtilisation(counted, within),
    served,
    refused,
    refusedShare: served + refused === 0 ? 0 : refused / (served + refused),
    ...(apart.length > 0 && {
      foreignKey: {
        used: averageUtilisation(apart, within),
        served: total((key) => key.accepted, apart),
        refused: total((key) => key.refused, apart),
      },
    }),
  };
}

function arrivalsOf(stats: SimulatorStats): KeyArrivals[] {
  return stats.keys.map(({ key, perSecond, methods }) => ({
    name: key,
    perSecond,
    accepted: Object.values(methods).flatMap(({ served }) => served.times),
    refused: Object.values(methods).flatMap(({ refused }) => refused.times),
  }));
}

/** What happens while the workers call: the network changes, or somebody else uses the first key once a second. */
function beginScenario({ row }: PlannedRound, simulator: SimulatorProcess): { stop(): void } {
  const timers: NodeJS.Timeout[] = [];
  const set = (jitterMs: number) => () => void simulator.control(`network?jitter=${jitterMs}`);
  if (row.scenario === 'shift') {
    const { before, during, lowMs, highMs } = SHIFT;
    timers.push(setTimeout(set(highMs), (WARM_UP_S + before) * 1000));
    timers.push(setTimeout(set(lowMs), (WARM_UP_S + before + during) * 1000));
  }
  if (row.scenario === 'foreign') {
    const token = simulator.tokens[0]?.token ?? '';
    timers.push(setInterval(() => callOnce(simulator.baseUrl, token), 1000));
  }
  return { stop: () => timers.forEach((timer) => clearInterval(timer)) };
}

function callOnce(baseUrl: string, token: string): void {
  const sent = request(`${baseUrl}/friends.get`, { method: 'POST', headers: callHeaders(token) }, (answer) =>
    answer.resume(),
  );
  sent.on('error', () => undefined);
  sent.end(CALL_BODY);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
