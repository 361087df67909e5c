import { seededChance } from '@sociograph/testing';
import type { Cleanup } from '../fleet/cleanup';
import type { GraphBenchArguments } from './arguments';
import { type Freshness, measureFreshness } from './freshness';
import { type GraphStand, openStand } from './graph-stand';
import { CoreMeter, memoryMb } from './processes';
import { rebuildWhileRead, startAgain } from './rebuild-run';
import { type Line, short } from './report';
import { World } from './world';

type Say = (line: string) => void;

/** The parts that need a fleet: one world is loaded, written to, rebuilt and recounted. */
export async function fleetLines(options: GraphBenchArguments, cleanup: Cleanup, say: Say): Promise<Line[]> {
  const { people, seed } = options;
  const size = { people, friends: 50, silent: 6_000, hermits: 200, hubs: 8, hubFriends: 5_000 };
  const world = new World(size, seededChance(seed));
  const stand = await openStand({ stack: options.stack, world }, cleanup);
  const lines = await load(stand, say);
  if (options.parts.includes('freshness')) {
    lines.push(...(await freshness(stand, options, say)));
    lines.push(...(await unchanged(stand)));
  }
  if (options.parts.includes('rebuild')) lines.push(...(await rebuild(stand)));
  lines.push(...(await exactness(stand)));
  return lines;
}

async function load(stand: GraphStand, say: Say): Promise<Line[]> {
  const { world, observer } = stand;
  const began = performance.now();
  await observer.showAll();
  await stand.settled();
  const seconds = (performance.now() - began) / 1000;
  const friendships = await stand.metric('projector', 'projector_friendships');
  say(`${world.everybody} people with ${friendships} friendships loaded in ${short(seconds)} s`);
  const memory = memoryMb(stand.pidOf('projector'));
  return [
    {
      what: 'fleet: new lists, documents beside them',
      value: observer.published / seconds,
      unit: 'records/s',
    },
    {
      what: `fleet: projector with ${friendships} friendships`,
      value: memory?.now ?? NaN,
      unit: 'MB',
      bar: { most: 2_048 },
    },
  ];
}

async function freshness(stand: GraphStand, options: GraphBenchArguments, say: Say): Promise<Line[]> {
  const { rate, warmUpSeconds, seconds } = options;
  const ordinary = { listsPerSecond: rate, hubsPerSecond: 0, warmUpSeconds, seconds };
  const alone = await watched('lists of 50', stand, ordinary, say);
  const mixed = { ...ordinary, hubsPerSecond: 1, seconds: Math.ceil(seconds / 2) };
  const withHubs = await watched('with a list of 5,000 a second', stand, mixed, say);
  const began = performance.now();
  await stand.settled();
  say(`all of it was in the views ${short((performance.now() - began) / 1000)} s after the last list`);
  return [
    ...freshnessLines('lists of 50', alone, 250, rate),
    ...freshnessLines('and one of 5,000', withHubs, 1_000, rate),
  ];
}

async function watched(
  name: string,
  stand: GraphStand,
  load: Parameters<typeof measureFreshness>[1],
  say: Say,
): Promise<Freshness> {
  const meter = new CoreMeter(new Map([...stand.pids(), ['this bench', process.pid]]));
  const requests = (): Promise<number> => stand.metric('storage', 'graph_store_requests_total');
  const rows = (): Promise<number> => stand.metric('projector', 'projector_rows_written_total');
  const [before, rowsBefore] = [await requests(), await rows()];
  const ages = await meanOf(stand, 'projector', 'projector_change_age_seconds');
  const batches = await meanOf(stand, 'storage', 'kafka_batch_duration_seconds', 'group="graph-storage"');
  const found = await measureFreshness(stand, load);
  const used = meter.used().map(([process, cores]) => `${process} ${cores.toFixed(2)}`);
  const others = meter.others().toFixed(2);
  const length = load.warmUpSeconds + load.seconds;
  say(`freshness, ${name}: cores used: ${used.join(', ')}; by everything else here ${others}`);
  say(
    `a second: ${short(((await requests()) - before) / length)} requests of graph-storage to the store, ` +
      `${short(((await rows()) - rowsBefore) / length)} rows of profiles`,
  );
  say(
    `on average: ${short((await batches()) * 1000)} ms to store a batch, then ${short((await ages()) * 1000)} ms from its ` +
      'first look at the store until the views have it in memory',
  );
  return found;
}

/** Mean of a histogram over what is observed from now until the returned function is called. */
async function meanOf(
  stand: GraphStand,
  which: 'projector' | 'storage',
  name: string,
  label?: string,
): Promise<() => Promise<number>> {
  const read = async (): Promise<[number, number]> => [
    await stand.metric(which, `${name}_sum`, label),
    await stand.metric(which, `${name}_count`, label),
  ];
  const [sum, count] = await read();
  return async () => {
    const [sumAfter, countAfter] = await read();
    return (sumAfter - sum) / (countAfter - count);
  };
}

function freshnessLines(name: string, found: Freshness, most: number, rate: number): Line[] {
  const { times, listsPerSecond, unanswered, skipped } = found;
  return [
    {
      what: `freshness, ${name}: shown`,
      value: listsPerSecond,
      unit: 'lists/s',
      bar: { least: rate * 0.99 },
    },
    { what: `freshness, ${name}: p50`, value: times.p50, unit: 'ms' },
    { what: `freshness, ${name}: p99 of ${times.count} probes`, value: times.p99, unit: 'ms', bar: { most } },
    { what: `freshness, ${name}: longest`, value: times.max, unit: 'ms' },
    {
      what: `freshness, ${name}: probes without an answer`,
      value: unanswered + skipped,
      unit: '',
      bar: { most: 0 },
    },
  ];
}

/** Everybody's list once more, as it is stored: nothing may be written. */
async function unchanged(stand: GraphStand): Promise<Line[]> {
  const written = async (): Promise<number> =>
    (await stand.metric('storage', 'graph_friendships_written_total')) +
    (await stand.metric('storage', 'graph_store_requests_total', 'operation="write-'));
  const before = await written();
  const people = Array.from({ length: Math.min(10_000, stand.world.size.people) }, (_, person) => person);
  const began = performance.now();
  for (let from = 0; from < people.length; from += 500)
    await stand.observer.show(people.slice(from, from + 500));
  await stand.settled();
  const seconds = (performance.now() - began) / 1000;
  return [
    {
      what: `${people.length} unchanged lists: writes`,
      value: (await written()) - before,
      unit: '',
      bar: { most: 0 },
    },
    { what: 'unchanged lists', value: people.length / seconds, unit: 'lists/s' },
  ];
}

async function rebuild(stand: GraphStand): Promise<Line[]> {
  const run = await rebuildWhileRead(stand);
  const start = await startAgain(stand);
  return [
    { what: 'rebuild: swapped after', value: run.swappedSeconds, unit: 's', bar: { most: 15 } },
    { what: 'rebuild: all rows written, checkpoint kept after', value: run.writtenSeconds, unit: 's' },
    { what: 'rebuild: state equal to the live one', value: Number(run.equal), unit: '', bar: { least: 1 } },
    {
      what: `rebuild: failed of ${run.reads.count} reads meanwhile`,
      value: run.failedReads,
      unit: '',
      bar: { most: 0 },
    },
    { what: 'rebuild: p99 of these reads', value: run.reads.p99, unit: 'ms' },
    {
      what: 'rebuild: highest memory of the projector',
      value: run.memory.peak,
      unit: 'MB',
      bar: { most: 2_048 },
    },
    {
      what: `start ${start.checkpoint ? 'from the checkpoint' : 'WITHOUT a checkpoint'}`,
      value: start.seconds,
      unit: 's',
    },
    { what: 'memory after that start', value: start.memory, unit: 'MB', bar: { most: 2_048 } },
  ];
}

/** The summary that the API answers, beside a plain recount of what the lists say. */
async function exactness(stand: GraphStand): Promise<Line[]> {
  const { body } = await stand.views.get(`/v1/graphs/${stand.scope.network}/summary`);
  const told = body as Record<'users' | 'friendships' | 'triangles' | 'averageClustering', number> & {
    components: { count: number; largest: number };
  };
  const counted = stand.world.statistics();
  const equal =
    (['users', 'friendships', 'triangles'] as const).every((figure) => told[figure] === counted[figure]) &&
    Math.abs(told.averageClustering - counted.averageClustering) < 1e-9 &&
    told.components.count === counted.components &&
    told.components.largest === counted.largestComponent;
  return [
    { what: 'summary equal to a recount of all lists', value: Number(equal), unit: '', bar: { least: 1 } },
  ];
}
