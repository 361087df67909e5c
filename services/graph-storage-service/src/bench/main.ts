import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { connectArango } from '@sociograph/arango';
import { SystemClock, SystemRandomness } from '@sociograph/kernel';
import { ApplyObservations, type SeenPerson } from '../application/apply-observations';
import { Confirmations } from '../application/confirmations';
import { DrawSurroundings } from '../application/draw-surroundings';
import { FindMutualFriends } from '../application/find-mutual-friends';
import { FindPath } from '../application/find-path';
import { ReadPerson } from '../application/read-person';
import { ArangoGraph, ArangoGraphQueries } from '../infrastructure/arango-graph';
import { ArangoNeighbours } from '../infrastructure/arango-neighbours';
import { InMemoryChangeLog, InMemoryMeter } from '../infrastructure/in-memory';
import { TimerPause } from '../infrastructure/timer-pause';
import { idOf, listOf, madeUp, SCOPE, type BenchGraph } from './graph';
import { generator, loadedStore } from './stand';

const HELP = `npm run bench:queries -- [--friendships N] [--seconds N] [--seed N] [--check]
  --friendships N  of the graph that is made up and loaded (1300000)
  --seconds N      of questions (30)
  --seed N         of graph and questions (1)
  --check          exit code 1 when a bar is missed`;
const CLIENTS = 8;
const QUESTIONS_PER_SECOND = 40;
const OBSERVATIONS_PER_SECOND = 200;
const BATCHES_PER_SECOND = 4;
/** Milliseconds that one question in a hundred may exceed. */
const BARS = { neighbours: 50, 'mutual friends': 50, path: 300, 'subgraph of 500': 500 };
type Kind = keyof typeof BARS;
type Database = ReturnType<typeof connectArango>;

const clock = new SystemClock();

/** Asks through use cases and adapters, without the HTTP edge (one to two milliseconds more). */
async function bench(options: { friendships: number; seconds: number; seed: number }): Promise<boolean> {
  const random = generator(options.seed);
  const graph = madeUp(options.friendships, random);
  const begun = clock.monotonicMs();
  const store = await loadedStore(graph);
  try {
    say(`${options.friendships} friendships of ${graph.friends.length} people loaded in ${seconds(begun)} s`);
    return verdict(await ask(store.db, graph, options.seconds, random));
  } finally {
    store.close();
  }
}

/** Eight clients in turn, each question at its moment whether or not those before it are answered. */
async function ask(
  db: Database,
  graph: BenchGraph,
  length: number,
  random: () => number,
): Promise<Map<Kind, number[]>> {
  const neighbours = new ArangoNeighbours(db);
  const people = new ReadPerson(new ArangoGraphQueries(db));
  const paths = new FindPath(neighbours, clock);
  const mutual = new FindMutualFriends(neighbours, clock);
  const surroundings = new DrawSurroundings(neighbours, clock);
  const somebody = (): string => idOf(graph.ends[Math.floor(random() * graph.ends.length)] as number);
  const page = { limit: 100, after: undefined };
  const questions: Record<Kind, (id: string, other: string) => Promise<unknown>> = {
    neighbours: (id) => people.friends({ ...SCOPE, id }, page),
    'mutual friends': (id, other) => mutual.execute({ ...SCOPE, id }, [other], page),
    path: (id, other) => paths.execute({ ...SCOPE, id }, other, 6),
    'subgraph of 500': (id) => surroundings.execute({ ...SCOPE, id }, { depth: 2, nodes: 500 }),
  };
  const kinds = Object.keys(BARS) as Kind[];
  const times = new Map<Kind, number[]>(kinds.map((kind) => [kind, []]));
  const stop = new AbortController();
  const observing = observe(db, graph, random, stop.signal);
  const begun = clock.monotonicMs();
  const client = async (number: number): Promise<void> => {
    const asked: Promise<void>[] = [];
    for (let i = number; i < QUESTIONS_PER_SECOND * length; i += CLIENTS) {
      const due = begun + (i * 1000) / QUESTIONS_PER_SECOND;
      await delay(Math.max(0, due - clock.monotonicMs()));
      const kind = kinds[i % kinds.length] as Kind;
      const [id, other] = [somebody(), somebody()];
      asked.push(
        questions[kind](id, other).then(() => void times.get(kind)?.push(clock.monotonicMs() - due)),
      );
    }
    await Promise.all(asked);
  };
  await Promise.all(Array.from({ length: CLIENTS }, (_, number) => client(number)));
  stop.abort();
  const { observed, late } = await observing;
  say(`meanwhile ${observed} lists were applied, a batch at most ${late.toFixed(0)} ms after its moment`);
  return times;
}

/** Lists with one friend more than before, in small batches, as fast as they are due. */
async function observe(
  db: Database,
  { friends }: BenchGraph,
  random: () => number,
  stop: AbortSignal,
): Promise<{ observed: number; late: number }> {
  const apply = new ApplyObservations(
    new ArangoGraph(db),
    new InMemoryChangeLog(),
    new InMemoryMeter(),
    new Confirmations(),
    clock,
    new SystemRandomness(),
    new TimerPause(),
  );
  const size = OBSERVATIONS_PER_SECOND / BATCHES_PER_SECOND;
  const begun = clock.monotonicMs();
  let [observed, late] = [0, 0];
  for (let batch = 0; !stop.aborted; batch++) {
    const due = begun + (batch * 1000) / BATCHES_PER_SECOND;
    await delay(Math.max(0, due - clock.monotonicMs()));
    const chosen = new Set(Array.from({ length: size }, () => Math.floor(random() * friends.length)));
    const people = [...chosen].map((person): SeenPerson => {
      friends[person]?.push(5_000_000 + observed++);
      const look = { observedAt: clock.nowMs() + 100_000_000_000, fence: batch };
      const source = { importId: 'bench', callId: `call-${batch}` };
      const list = { kind: 'complete' as const, ids: listOf(friends, person), stamp: look, source };
      return { ref: { ...SCOPE, id: idOf(person) }, seen: { lists: [list], documents: [] } };
    });
    await apply.execute({ partition: 0, people, positions: {}, heartbeat: async () => undefined });
    late = Math.max(late, clock.monotonicMs() - due);
  }
  return { observed, late };
}

function verdict(times: ReadonlyMap<Kind, number[]>): boolean {
  let kept = true;
  say('question         |  asked |    p50 |    p99 |    max |  bar (p99), ms');
  for (const [kind, all] of times) {
    const sorted = [...all].sort((a, b) => a - b);
    const at = (share: number): number =>
      sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
    const figures = [at(0.5), at(0.99), at(1)].map((ms) => ms.toFixed(1).padStart(6)).join(' | ');
    kept &&= at(0.99) <= BARS[kind];
    say(`${kind.padEnd(16)} | ${String(all.length).padStart(6)} | ${figures} |  ${BARS[kind]}`);
  }
  return kept;
}

function seconds(since: number): string {
  return ((clock.monotonicMs() - since) / 1000).toFixed(1);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      friendships: { type: 'string', default: '1300000' },
      seconds: { type: 'string', default: '30' },
      seed: { type: 'string', default: '1' },
      check: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    say(HELP);
    return;
  }
  const [friendships, length, seed] = [values.friendships, values.seconds, values.seed].map(Number);
  const kept = await bench({ friendships: friendships ?? 0, seconds: length ?? 0, seed: seed ?? 1 });
  if (values.check && !kept) process.exitCode = 1;
}

main().catch((error: unknown) => {
  process.stderr.write(`${String(error instanceof Error ? error.stack : error)}\n`);
  process.exitCode = 1;
});
