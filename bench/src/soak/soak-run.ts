import { seeded } from '@sociograph/testing';
import type { Cleanup } from '../fleet/cleanup';
import { DrillStand } from '../fleet/drill-stand';
import { EndlessImports, pause } from '../fleet/endless-imports';
import { faultsOf } from '../fleet/import-faults';
import { keysFor, leaveKeys, listsAnswered, measurePace, type Pace } from '../fleet/measured-pace';
import { RequestLoad } from '../fleet/request-load';
import { needed } from '../fleet/servers';
import { usualRequests } from '../fleet/usual-requests';
import type { SoakOptions } from './arguments';
import { EventReaders } from './event-readers';
import { FlatFigures } from './flat-figures';
import { missesOf, type SoakFigures } from './growth';
import { heldMemory } from './memory-readings';

export interface SoakVerdict extends SoakFigures {
  readonly passed: boolean;
  readonly misses: readonly string[];
  readonly minutes: number;
  readonly capacity: Pace;
  readonly keysInUse: number;
  readonly listsPerSecond: number;
  readonly streams: { readonly opened: number; readonly events: number };
}

const CLIENTS = 8;
const NEARLY = 0.9;
const CALM_MS = 10 * 60_000;

/** Refreshes of a fixed graph, requests and streams at a share of what the fleet can do; what it holds before and after. */
export async function runSoak(
  options: SoakOptions,
  cleanup: Cleanup,
  say: (line: string) => void,
): Promise<SoakVerdict> {
  const { people, keys, seed, portBase, keep, share } = options;
  const order = { stack: 'drills', portBase, scale: 1, people, friendships: 5 * people, keys, seed, keep };
  const stand = await DrillStand.open({ ...order, proxied: [] }, cleanup);
  const { api } = stand;
  const tokens = stand.tokens();
  await api.ended((await api.startImport({ seeds: await api.seeds() })).id);
  say('> the graph is imported');
  const next = await usualRequests(api, seeded(seed), { posts: true });
  const refresh = { network: 'vk', refresh: { olderThan: 'PT0S' }, include: ['friends'] };
  const imports = new EndlessImports(api, refresh, NEARLY * stand.expected.users).start();
  const readers = new EventReaders(api, () => imports.current).start();
  cleanup.add(() => readers.stop());
  const capacity = await measurePace(stand, tokens, next, {
    clients: CLIENTS,
    seconds: options.measureSeconds,
  });
  const offered = capacity.requestsPerSecond * share;
  const keysInUse = await leaveKeys(stand, keysFor(capacity.listsPerSecond * share));
  say(
    `> rate: ${capacity.requestsPerSecond.toFixed(0)} requests and ${capacity.listsPerSecond.toFixed(0)} lists a second; ` +
      `from now on ${offered.toFixed(0)} requests a second and ${keysInUse} keys, ${options.warmUpMinutes} minutes of warm-up`,
  );
  const load = new RequestLoad(needed(stand.env, 'GATEWAY_URL'), tokens, next).open(offered);
  await pause(options.warmUpMinutes * 60_000);
  const before = await heldMemory(stand);
  const [lists, began] = [await listsAnswered(stand), performance.now()];
  say(`> ${options.minutes} minutes are watched`);
  const flat = new FlatFigures(stand).start();
  await pause(options.minutes * 60_000);
  const series = await flat.stop();
  const listsPerSecond = ((await listsAnswered(stand)) - lists) / ((performance.now() - began) / 1000);
  const after = new Map((await heldMemory(stand)).map((held) => [held.pid, held.memory]));
  const answered = await load.stop();
  await readers.stop();
  const ended = await imports.stop(CALM_MS);
  const figures: SoakFigures = {
    processes: before.map(({ name, pid, memory }) => ({ name, first: memory, last: after.get(pid) })),
    series,
    failed: answered.failed,
    imports: { ended: ended.length, faults: faultsOf(ended) },
    offered,
    answered: answered.perSecond,
  };
  const misses = missesOf(figures);
  const { minutes } = options;
  const streams = { opened: readers.opened, events: readers.events };
  return {
    ...figures,
    misses,
    minutes,
    capacity,
    keysInUse,
    listsPerSecond,
    streams,
    passed: misses.length === 0,
  };
}
