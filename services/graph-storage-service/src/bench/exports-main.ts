import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { SystemClock } from '@sociograph/kernel';
import { EXPORT_FORMATS, type ExportFormat } from '../domain/export';
import type { MadeExport } from './export-child';
import { type BenchGraph, madeUp } from './graph';
import { type Gathered, gatheredFrom, gatheredOf } from './read-back';
import { generator, loadedStore } from './stand';

const HELP = `npm run bench:exports -- [--friendships N] [--formats A,B] [--seed N] [--check]
  --friendships N  of the graph that is made up and loaded (1300000)
  --formats A,B    of ${EXPORT_FORMATS.join(', ')} (all)
  --seed N         of the graph (1)
  --check          exit code 1 when a file is not the graph, or the making took more memory than is allowed`;
/** Resident megabytes that making a file may take beyond what the process had before. */
const MEMORY_BAR_MB = 200;

/** What infra/native starts graph-storage with; V8 keeps more of what is free without it. */
const AS_THE_FLEET = ['--max-old-space-size=256', '--max-semi-space-size=16'];

const clock = new SystemClock();

/** Makes the whole graph into a file of each format, in a process of its own each, and reads the file back. */
async function bench(graph: BenchGraph, formats: readonly ExportFormat[]): Promise<boolean> {
  const begun = clock.monotonicMs();
  const store = await loadedStore(graph);
  try {
    const loadedMs = clock.monotonicMs() - begun;
    const friendships = graph.ends.length / 2;
    say(
      `${friendships} friendships of ${graph.friends.length} people loaded in ${(loadedMs / 1000).toFixed(1)} s`,
    );
    say('format   |      s |     MB | more memory, MB (at most) | read back');
    const truth = gatheredOf(graph);
    let kept = true;
    for (const format of formats) {
      const made = await madeInProcess({ url: store.url, folder: join(store.folder, format), format });
      const found = await gatheredFrom(made.file, format);
      const exact = isSame(found, truth);
      kept &&= exact && made.moreMb <= MEMORY_BAR_MB;
      const seconds = (made.tookMs / 1000).toFixed(1).padStart(6);
      const size = (made.bytes / 1e6).toFixed(0).padStart(6);
      const memory = `${made.moreMb.toFixed(0)} (${MEMORY_BAR_MB})`.padEnd(25);
      say(
        `${format.padEnd(8)} | ${seconds} | ${size} | ${memory} | ${exact ? 'the graph' : 'ANOTHER GRAPH'}`,
      );
    }
    return kept;
  } finally {
    store.close();
  }
}

async function madeInProcess(order: {
  url: string;
  folder: string;
  format: ExportFormat;
}): Promise<MadeExport> {
  const child = fork(join(__dirname, 'export-child.js'), { execArgv: AS_THE_FLEET });
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`the process that makes ${order.format} ended early (${String(code)})`);
  });
  ended.catch(() => undefined);
  child.send(order);
  const [made] = (await Promise.race([once(child, 'message'), ended])) as [MadeExport];
  child.disconnect();
  return made;
}

function isSame(a: Gathered, b: Gathered): boolean {
  return a.people === b.people && a.friendships === b.friendships && a.digest === b.digest;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      friendships: { type: 'string', default: '1300000' },
      formats: { type: 'string', default: EXPORT_FORMATS.join(',') },
      seed: { type: 'string', default: '1' },
      check: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    say(HELP);
    return;
  }
  const formats = EXPORT_FORMATS.filter((format) => values.formats.split(',').includes(format));
  const graph = madeUp(Number(values.friendships), generator(Number(values.seed)));
  const kept = await bench(graph, formats);
  if (values.check && !kept) process.exitCode = 1;
}

main().catch((error: unknown) => {
  process.stderr.write(`${String(error instanceof Error ? error.stack : error)}\n`);
  process.exitCode = 1;
});
