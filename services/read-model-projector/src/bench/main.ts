import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { countAnew } from '../projections/full-recount';
import { summaryOf } from '../projections/graph-summary';
import type { GraphView } from '../projections/graph-view';
import { recount } from '../projections/recount';
import { figureDifferences } from '../projections/recount-graph';
import { Views } from '../projections/views';
import { type BenchGraph, egoFacebook, generated, generator } from './graphs';

const BARS = { 'ego-Facebook': 200_000, other: 100_000, memoryMb: 2048 };
const DUPLICATES = 0.1;
const HELP = `npm run bench:views -- [--friendships N] [--changes N] [--seed N] [--check]
  --friendships N  of the generated graph (1300000)
  --changes N      adds and removals of the mixed rows (1000000)
  --seed N         of both (1)
  --json FILE      writes the figures there as well
  --edges FOLDER   writes the graphs there, "a b" a line, for somebody else to count
  --check          exit code 1 when a figure is wrong or a bar is missed`;

/** How much larger the process was after a graph than before it. */
interface Size {
  graph: string;
  people: number;
  friendships: number;
  megabytes: number;
}

interface Row {
  graph: string;
  what: string;
  edges: number;
  ms: number;
}

/** Plays the changes of graphs into the projector's memory and says how many friendships a second began or ended. */
function bench({
  friendships,
  changes,
  seed,
  json,
  edges,
}: {
  friendships: number;
  changes: number;
  seed: number;
  json: string | undefined;
  edges: string | undefined;
}): boolean {
  const rows: Row[] = [];
  const sizes: Size[] = [];
  let right = true;
  for (const graph of [egoFacebook(), generated(friendships, generator(seed))]) {
    if (edges !== undefined) writeEdges(edges, graph);
    const before = process.memoryUsage().rss;
    const views = new Views(1);
    rows.push({ graph: graph.name, what: 'import: whole lists of both sides', ...importLists(views, graph) });
    const [view] = views.all() as [GraphView];
    const mixed = mixOf(graph, changes, generator(seed + 1));
    const played = play(view, graph, mixed);
    rows.push({ graph: graph.name, what: 'mixed adds and removals, one friend each', ...played });
    const grown = (process.memoryUsage().rss - before) / 1e6;
    right = equalsRecount(view, rows, graph.name) && right;
    const { people, ends } = graph;
    sizes.push({ graph: graph.name, people, friendships: ends.length / 2, megabytes: grown });
    say(`${graph.name}: ${grown.toFixed(0)} MB more than before it; the process ${rssMb().toFixed(0)} MB`);
  }
  table(rows);
  if (json !== undefined) writeFileSync(json, JSON.stringify({ rows, sizes, equal: right }));
  const missed = rows.filter(({ graph, what, edges, ms }) => {
    const bar = graph === 'ego-Facebook' ? BARS['ego-Facebook'] : BARS.other;
    return !what.startsWith('full recount') && edges / (ms / 1000) < bar;
  });
  for (const { graph, what } of missed) say(`below the bar: ${graph}, ${what}`);
  if (rssMb() > BARS.memoryMb) say(`more than ${BARS.memoryMb} MB`);
  return right && missed.length === 0 && rssMb() <= BARS.memoryMb;
}

/** Everybody's document and whole list, as an import brings them, through the same door as in the service. */
function importLists(views: Views, { people, ends }: BenchGraph): { edges: number; ms: number } {
  const lists = Array.from({ length: people }, (): string[] => []);
  for (let at = 0; at < ends.length; at += 2) {
    lists[ends[at]!]!.push(String(ends[at + 1]));
    lists[ends[at + 1]!]!.push(String(ends[at]));
  }
  const seen = { observedAt: 1, fence: 1 };
  const started = performance.now();
  let edges = 0;
  for (const [id, ids] of lists.entries()) {
    edges += views.apply({
      workspaceId: 'bench',
      network: 'vk',
      kind: 'user',
      id: String(id),
      version: 1,
      changedAt: 1,
      document: { state: 'active', profile: { firstName: 'A', lastName: 'B' }, ...seen },
      friends: { ids, complete: true, ...seen },
    });
  }
  return { edges, ms: performance.now() - started };
}

function writeEdges(folder: string, { name, ends }: BenchGraph): void {
  const lines = Array.from({ length: ends.length / 2 }, (_, at) => `${ends[2 * at]} ${ends[2 * at + 1]}\n`);
  writeFileSync(join(folder, `${name}.txt`), lines.join(''));
}

/** Numbers of friendships that change over: a tenth of them come twice. */
function mixOf({ ends }: BenchGraph, changes: number, random: () => number): Uint32Array {
  const mixed = new Uint32Array(changes);
  for (let at = 0; at < changes; at++) {
    const again = at > 0 && random() < DUPLICATES;
    mixed[at] = again ? mixed[at - 1]! : Math.floor((random() * ends.length) / 2);
  }
  return mixed;
}

/**
 * Each friendship is asserted by its first end alone; a change takes it away, or brings it back, by that person's new
 * list. A repeat brings the same list once more. Making the lists is not measured.
 */
function play(
  view: GraphView,
  { people, ends }: BenchGraph,
  mixed: Uint32Array,
): { edges: number; ms: number } {
  const { graph } = view;
  const numbers = Array.from({ length: people }, (_, id) => graph.intern(String(id)));
  const own = Array.from({ length: people }, (): number[] => []);
  for (let at = 0; at < ends.length; at += 2) own[numbers[ends[at]!]!]!.push(numbers[ends[at + 1]!]!);
  for (const [person, list] of own.entries()) {
    list.sort((a, b) => a - b);
    graph.setFriendNumbers(person, list);
  }
  let edges = 0;
  let ms = 0;
  let last = -1;
  const BATCH = 1000;
  for (let from = 0; from < mixed.length; from += BATCH) {
    const steps: [person: number, list: number[]][] = [];
    for (const number of mixed.subarray(from, from + BATCH)) {
      const person = numbers[ends[2 * number]!]!;
      if (number !== last) own[person] = toggled(own[person]!, numbers[ends[2 * number + 1]!]!);
      last = number;
      steps.push([person, own[person]!]);
    }
    const started = performance.now();
    for (const [person, list] of steps) edges += graph.setFriendNumbers(person, list);
    summaryOf(graph);
    graph.takeTouched();
    ms += performance.now() - started;
  }
  return { edges, ms };
}

function toggled(list: readonly number[], friend: number): number[] {
  const without = list.filter((each) => each !== friend);
  return without.length < list.length ? without : [...list, friend].sort((a, b) => a - b);
}

/** The two recounts, by other means, beside the incremental figures: what a change would cost without them. */
function equalsRecount(view: GraphView, rows: Row[], graph: string): boolean {
  const kept = view.figures();
  let started = performance.now();
  const work = countAnew(view.snapshot(), view.partitionCount);
  let step = work.next();
  while (step.done !== true) step = work.next();
  rows.push({ graph, what: 'full recount, once for each change', edges: 1, ms: performance.now() - started });
  const differences = figureDifferences(kept, step.value);
  started = performance.now();
  const naive = recount(view.graph.assertions()).summary;
  rows.push({ graph, what: 'full recount with a Set a person', edges: 1, ms: performance.now() - started });
  const equal = differences.length === 0 && JSON.stringify(naive) === JSON.stringify(kept.summary);
  const { users, friendships, triangles, averageClustering, components } = kept.summary;
  say(
    `${graph}: ${users} people, ${friendships} friendships, ${triangles} triangles, ` +
      `average clustering ${averageClustering.toFixed(6)}, ${components} components: ` +
      (equal ? 'equal to both full recounts' : `NOT EQUAL to a full recount: ${JSON.stringify(differences)}`),
  );
  return equal;
}

function table(rows: readonly Row[]): void {
  say('\n| graph | what | edge changes | ms | edge changes/s |\n| --- | --- | --- | --- | --- |');
  for (const { graph, what, edges, ms } of rows) {
    const rate = edges / (ms / 1000);
    say(`| ${graph} | ${what} | ${edges} | ${ms.toFixed(0)} | ${rate.toFixed(rate < 100 ? 2 : 0)} |`);
  }
}

function rssMb(): number {
  return process.memoryUsage().rss / 1e6;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function main(): void {
  const { values } = parseArgs({
    options: {
      friendships: { type: 'string', default: '1300000' },
      changes: { type: 'string', default: '1000000' },
      seed: { type: 'string', default: '1' },
      json: { type: 'string' },
      edges: { type: 'string' },
      check: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return say(HELP);
  const count = (text: string, least: number): number => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < least || value > 50_000_000)
      throw new Error(`${text} is not a whole number from ${least} to 50000000.\n${HELP}`);
    return value;
  };
  const options = {
    friendships: count(values.friendships, 1000),
    changes: count(values.changes, 1),
    seed: count(values.seed, 0),
    json: values.json,
    edges: values.edges,
  };
  if (!bench(options) && values.check) process.exitCode = 1;
}

main();
