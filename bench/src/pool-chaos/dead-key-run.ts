import { seeded } from '@sociograph/testing';
import type { Cleanup } from '../fleet/cleanup';
import type { ServerEnvironment } from '../fleet/servers';
import type { ChaosOptions } from './arguments';
import { pause } from './play-faults';
import { Stand } from './stand';
import { afterDeath, countUnsent, type DeadKey } from './verdict';

const WARM_UP_MS = 8_000;
const BETWEEN_MS = 2_000;
const AFTERWARDS_MS = 6_000;
/** Sends begun later than this after the first error was answered are too many, whatever the key's limit. */
const GRACE_MS = 100;
const MOST_SOON = 1;

export interface DeadKeyVerdict {
  keys: DeadKey[];
  /** The others go on: calls within the last seconds. */
  othersInUse: number;
  others: number;
  calls: number;
  /** Slots that were not used, by cause. */
  unsent: Record<string, number>;
  passed: boolean;
}

/** Half of the keys die, one after the other, while all of them are in use. */
export async function runDeadKey(
  env: ServerEnvironment,
  options: ChaosOptions,
  cleanup: Cleanup,
  say: (line: string) => void,
): Promise<DeadKeyVerdict> {
  const { keys, workers, keyServices, seed, jitterMs } = options;
  const stand = await Stand.start(
    env,
    { keys, workers, keyServices, seed, jitterMs, workerClocksMs: [0], method: 'users.get' },
    cleanup,
  );
  await pause(WARM_UP_MS);
  const random = seeded(seed);
  const names = stand.simulator.tokens.map((token) => token.name);
  const dying = random.shuffle(names).slice(0, Math.max(1, Math.floor(keys / 2)));
  say(`${dying.length} of ${keys} keys answer 5 from now on, one more every ${BETWEEN_MS / 1000} s`);
  for (const name of dying) {
    await stand.simulator.control(`faults?key=${encodeURIComponent(name)}&answer=5`);
    await pause(BETWEEN_MS / 2 + random.next() * BETWEEN_MS);
  }
  await pause(AFTERWARDS_MS);
  const stats = await stand.simulator.stats(true);
  await Promise.all(stand.workers.map((worker) => worker.end()));
  const ids = dying.map((name) => stand.keys.idOf.get(name) ?? name);
  const records = stand.records();
  const dead = afterDeath(records, ids, GRACE_MS);
  const others = stats.keys.filter((key) => !dying.includes(key.key));
  const othersInUse = others.filter((key) =>
    Object.values(key.methods).some(({ served }) => (served.times.at(-1) ?? 0) > stats.clock - 3_000),
  ).length;
  const held = (key: DeadKey): boolean => key.refused > 0 && key.soon <= MOST_SOON && key.afterwards === 0;
  return {
    keys: dead,
    othersInUse,
    others: others.length,
    calls: stats.totals.served,
    unsent: countUnsent(records),
    passed: dead.every(held) && othersInUse === others.length,
  };
}
