import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { eventually, seeded } from '@sociograph/testing';
import type { Cleanup } from '../fleet/cleanup';
import { callsQueue } from '../fleet/dead-letters';
import { DrillStand } from '../fleet/drill-stand';
import { EndlessImports, pause } from '../fleet/endless-imports';
import { differencesAfter } from '../fleet/import-faults';
import { keysFor, leaveKeys, measurePace, type Pace } from '../fleet/measured-pace';
import { RequestLoad } from '../fleet/request-load';
import { needed } from '../fleet/servers';
import { usualRequests } from '../fleet/usual-requests';
import { isThere } from '../fleet-chaos/play-fault';
import type { RestartOptions } from './arguments';
import { missesOf, type Restart, type RestartFigures, uncleanEnds } from './verdict';

export interface RestartVerdict extends RestartFigures {
  readonly passed: boolean;
  readonly misses: readonly string[];
  readonly capacity: Pace;
  readonly keysInUse: number;
}

const CLIENTS = 16;
const NEARLY = 0.8;
const READY_WITHIN_MS = 30_000;
/** Two of the gateway's looks at a target that it took out. */
const SETTLE_MS = 2_500;
/** The broker counts what it gives out every 5 s. */
const BROKER_COUNTS_MS = 6_000;
const CALM_MS = 5 * 60_000;

/** Two instances of each service, imports and requests at a share of what they can do, and one SIGTERM after the other. */
export async function runRestarts(
  options: RestartOptions,
  cleanup: Cleanup,
  say: (line: string) => void,
): Promise<RestartVerdict> {
  const { people, keys, seed, portBase, keep, share } = options;
  const order = { stack: 'drills', portBase, scale: 2, people, friendships: 3 * people, keys, seed, keep };
  const stand = await DrillStand.open({ ...order, proxied: [] }, cleanup);
  const { api } = stand;
  const gateway = needed(stand.env, 'GATEWAY_URL');
  const tokens = stand.tokens();
  const seeds = await api.seeds();
  const first = await api.startImport({ seeds });
  await api.ended(first.id);
  say('> the graph is imported');
  const random = seeded(seed);
  const next = await usualRequests(api, random, { posts: true });
  const body = { network: 'vk', seeds, include: ['friends'] };
  const imports = new EndlessImports(api, body, NEARLY * stand.expected.users).start();
  const capacity = await measurePace(stand, tokens, next, {
    clients: CLIENTS,
    seconds: options.measureSeconds,
  });
  const offered = capacity.requestsPerSecond * share;
  const keysInUse = await leaveKeys(stand, keysFor(capacity.listsPerSecond * share));
  say(
    `> capacity: ${capacity.requestsPerSecond.toFixed(0)} requests and ${capacity.listsPerSecond.toFixed(0)} lists a ` +
      `second at once; from now on ${offered.toFixed(0)} requests a second, and ${keysInUse} of ${keys} keys`,
  );
  await pause(BROKER_COUNTS_MS);
  const before = (await callsQueue(stand.env)).redelivered;
  const log = join(stand.folder, 'logs', 'supervisor.log');
  const logged = statSync(log).size;
  const load = new RequestLoad(gateway, tokens, next).open(offered);
  const restarts: Restart[] = [];
  const names = random.shuffle(stand.services());
  for (let n = 0; n < options.restarts; n += 1) {
    const restart = await endInTurn(names[n % names.length] as string, stand);
    restarts.push(restart);
    say(
      `  ${restart.name.padEnd(24)} gone after ${restart.exitMs.toFixed(0)} ms, ready ` +
        `${restart.readyMs?.toFixed(0) ?? 'NEVER'} ms after its start; ${JSON.stringify(load.figures.failed)}`,
    );
    await pause(SETTLE_MS);
  }
  const answered = await load.stop();
  await pause(BROKER_COUNTS_MS);
  const redelivered = (await callsQueue(stand.env)).redelivered - before;
  const unclean = uncleanEnds(readFileSync(log).subarray(logged).toString());
  const ended = await imports.stop(CALM_MS);
  const figures = {
    restarts,
    load: answered,
    offered,
    redelivered,
    unclean,
    differences:
      ended.length === 0 ? ['no import ended'] : await differencesAfter(api, ended, stand.expected),
  };
  const misses = missesOf(figures);
  return { ...figures, misses, capacity, keysInUse, passed: misses.length === 0 };
}

async function endInTurn(name: string, stand: DrillStand): Promise<Restart> {
  const pid = stand.pidOf(name);
  if (pid === undefined) throw new Error(`${name} does not run`);
  const askedAt = performance.now();
  process.kill(pid, 'SIGTERM');
  while (isThere(pid) && performance.now() - askedAt < READY_WITHIN_MS) await pause(10);
  const exitMs = performance.now() - askedAt;
  const startedAt = await stand.startedAgain(name, pid);
  const readyMs = await eventually(
    async () => ((await stand.isReady(name)) ? performance.now() - startedAt : false),
    { timeoutMs: READY_WITHIN_MS, everyMs: 50 },
  ).catch(() => undefined);
  return { name, exitMs, readyMs };
}
