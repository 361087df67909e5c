import type { Cleanup } from '../fleet/cleanup';
import type { ServerEnvironment } from '../fleet/servers';
import type { ChaosOptions } from './arguments';
import { pause } from './play-faults';
import { Stand } from './stand';
import { machineNow } from './system-clock';

const METHOD = 'users.get';
/** A day of a method, small enough to be spent within a minute. */
const PER_DAY = 120;
const QUIET_MS = 8_000;
const LONGEST_MS = 300_000;

export interface BudgetVerdict {
  perDay: number;
  /** Calls that each key had made when Redis was flushed, and when nothing came any more. */
  keys: { key: string; atFlush: number; total: number; overBudget: number }[];
  passed: boolean;
}

/** FLUSHALL at half of a day's budget: what was booked and not spent is lost, nothing is spent twice. */
export async function runBudget(
  env: ServerEnvironment,
  options: ChaosOptions,
  cleanup: Cleanup,
  say: (line: string) => void,
): Promise<BudgetVerdict> {
  const { keys, workers, keyServices, seed, jitterMs } = options;
  const stand = await Stand.start(
    env,
    {
      ...{ keys, workers, keyServices, seed, jitterMs, workerClocksMs: [0] },
      ...{ method: METHOD, budgetPerDay: PER_DAY, limits: { methodsPerDay: { [METHOD]: PER_DAY } } },
    },
    cleanup,
  );
  say(`${keys} keys with ${PER_DAY} calls of ${METHOD} a day; FLUSHALL when half of them are made`);
  const deadline = machineNow() + LONGEST_MS;
  while (machineNow() < deadline && (await total(stand)) < (keys * PER_DAY) / 2) await pause(100);
  const atFlush = await perKey(stand);
  await stand.admin.flushall();
  let known = await total(stand);
  let since = machineNow();
  while (machineNow() < deadline && machineNow() - since < QUIET_MS) {
    await pause(250);
    const now = await total(stand);
    if (now !== known) since = machineNow();
    known = now;
  }
  const counts = [...(await perKey(stand))].map(([key, { served, overBudget }]) => ({
    key,
    atFlush: atFlush.get(key)?.served ?? 0,
    total: served + overBudget,
    overBudget,
  }));
  const spentAtAll = counts.reduce((sum, key) => sum + key.total, 0) > (keys * PER_DAY) / 2;
  return {
    perDay: PER_DAY,
    keys: counts,
    passed: spentAtAll && counts.every((key) => key.total <= PER_DAY && key.overBudget === 0),
  };
}

async function perKey(stand: Stand): Promise<Map<string, { served: number; overBudget: number }>> {
  const stats = await stand.simulator.stats();
  return new Map(
    stats.keys.map(({ key, methods }) => {
      const own = methods[METHOD] as
        { served: { count: number }; overBudget?: { count: number } } | undefined;
      return [key, { served: own?.served.count ?? 0, overBudget: own?.overBudget?.count ?? 0 }];
    }),
  );
}

async function total(stand: Stand): Promise<number> {
  return [...(await perKey(stand)).values()].reduce((sum, { served }) => sum + served, 0);
}
