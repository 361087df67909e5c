import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seededChance } from '@sociograph/testing';
import { ROOT } from '../fleet/servers';
import type { GraphBenchArguments } from './arguments';
import { GraphologyUpkeep } from './peers/graphology-upkeep';
import { PeerMissing, type PeerRecount, pythonRecounts } from './peers/python-recounts';
import type { Line } from './report';

/** What bench:views wrote down. */
interface Ours {
  rows: { graph: string; what: string; edges: number; ms: number }[];
  sizes: { graph: string; people: number; friendships: number; megabytes: number }[];
  equal: boolean;
}

const EGO = 'ego-Facebook';
/** The peer plays as many changes as fit into this. */
const PEER_MS = 20_000;

/** bench:views, and beside it graphology kept on every edge, igraph and networkx counting everything. */
export async function changesLines(
  options: GraphBenchArguments,
  say: (line: string) => void,
): Promise<Line[]> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-graph-'));
  try {
    const ours = await benchViews(options, folder, say);
    const lines: Line[] = [
      { what: 'figures equal to both full recounts', value: Number(ours.equal), unit: '', bar: { least: 1 } },
    ];
    for (const size of ours.sizes) lines.push(...(await besidePeers(ours, size, folder, options, say)));
    return lines;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function besidePeers(
  { rows }: Ours,
  { graph, people, friendships, megabytes }: Ours['sizes'][number],
  folder: string,
  options: GraphBenchArguments,
  say: (line: string) => void,
): Promise<Line[]> {
  const row = (begin: string) => rows.find((one) => one.graph === graph && one.what.startsWith(begin));
  const rate = (begin: string): number => {
    const { edges = NaN, ms = NaN } = row(begin) ?? {};
    return edges / (ms / 1000);
  };
  const ends = edgesOf(join(folder, `${graph}.txt`));
  say(`${graph}: graphology keeps the same figures`);
  const peer = playGraphology(people, ends, options);
  const least = graph === EGO ? 200_000 : 100_000;
  const lines: Line[] = [
    {
      what: `${graph}: import, whole lists`,
      ...{ value: rate('import'), unit: 'edges/s', bar: { least } },
      peer: { name: 'graphology', value: peer.addedPerSecond },
    },
    {
      what: `${graph}: adds and removals`,
      ...{ value: rate('mixed'), unit: 'edges/s', bar: { least } },
      peer: { name: 'graphology', value: peer.changedPerSecond },
    },
    {
      what: `${graph}: memory a million friendships`,
      ...{ value: (megabytes / friendships) * 1e6, unit: 'MB' },
      peer: { name: 'graphology', value: (peer.megabytes / friendships) * 1e6 },
    },
  ];
  say(`${graph}: igraph and networkx count everything`);
  const seconds = (row('full recount, once')?.ms ?? NaN) / 1000;
  for (const recount of await recounts(people, ends, say))
    lines.push({
      what: `${graph}: a full recount`,
      ...{ value: seconds, unit: 's' },
      peer: { name: `${recount.library} ${recount.version}`, value: recount.seconds },
    });
  return lines;
}

async function recounts(
  people: number,
  ends: Uint32Array,
  say: (line: string) => void,
): Promise<PeerRecount[]> {
  try {
    return await pythonRecounts(people, ends);
  } catch (error) {
    if (!(error instanceof PeerMissing)) throw error;
    say(error.message);
    return [];
  }
}

function playGraphology(people: number, ends: Uint32Array, { changes, seed }: GraphBenchArguments) {
  const random = seededChance(seed);
  const before = process.memoryUsage().rss;
  const upkeep = new GraphologyUpkeep(people);
  const began = performance.now();
  for (let at = 0; at < ends.length; at += 2) upkeep.add(ends[at] as number, ends[at + 1] as number);
  const added = performance.now();
  const megabytes = (process.memoryUsage().rss - before) / 1e6;
  let played = 0;
  for (; played < changes && performance.now() - added < PEER_MS; played += 1) {
    const at = 2 * Math.floor((random() * ends.length) / 2);
    upkeep.toggle(ends[at] as number, ends[at + 1] as number);
  }
  return {
    addedPerSecond: ends.length / 2 / ((added - began) / 1000),
    changedPerSecond: played / ((performance.now() - added) / 1000),
    megabytes,
  };
}

function edgesOf(file: string): Uint32Array {
  return Uint32Array.from(readFileSync(file, 'latin1').trimEnd().split(/\s/), Number);
}

async function benchViews(
  { friendships, changes, seed }: GraphBenchArguments,
  folder: string,
  say: (line: string) => void,
): Promise<Ours> {
  const json = join(folder, 'views.json');
  const sizes = ['--friendships', String(friendships), '--changes', String(changes), '--seed', String(seed)];
  await program(
    'services/read-model-projector/dist/bench/main.js',
    [...sizes, '--json', json, '--edges', folder],
    say,
  );
  return JSON.parse(readFileSync(json, 'utf8')) as Ours;
}

/** Runs another bench of the fleet; what it prints is passed on. Throws when it fails. */
export async function program(
  file: string,
  args: readonly string[],
  say: (line: string) => void,
): Promise<string> {
  const child = spawn(process.execPath, [join(ROOT, file), ...args], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.on('data', (part: Buffer) => (text += part.toString('utf8')));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0) throw new Error(`${file} ended with ${code}:\n${text}`);
  say(text.trimEnd());
  return text;
}
