import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type FleetApi,
  type ImportView,
  pathOf,
  type SummaryView,
  UnexpectedAnswer,
} from '@sociograph/api-client';
import { graphStatistics, readGraphFile } from '@sociograph/graph-file';
import { eventually, seeded } from '@sociograph/testing';
import type { Cleanup } from '../fleet/cleanup';
import { deadLetters } from '../fleet/dead-letters';
import { environmentOf } from '../fleet/servers';
import { generatedGraph } from '../import-chaos/generated-graph';
import type { DrillOptions } from './arguments';
import { type Drill, figuresOf } from './report';
import { startNetwork } from './simulated-network';
import { apiOf, command, killEverything, STACK } from './stack';
import { erasable } from './without-person';

const MINUTE_MS = 60_000;

/** The whole drill; nobody but the commands of an operator touches the stack. */
export async function runDrill(
  options: DrillOptions,
  cleanup: Cleanup,
  say: (line: string) => void,
): Promise<Drill> {
  const folder = mkdtempSync(join(tmpdir(), 'restore-drill-'));
  cleanup.add(() => rmSync(folder, { recursive: true, force: true }));
  const file = options.graph ?? join(folder, 'graph.txt');
  if (options.graph === undefined)
    writeFileSync(file, generatedGraph(options.people, options.friendships, seeded(1)));
  const graph = await readGraphFile(file);
  const whole = (lines: string) => {
    writeFileSync(join(folder, 'without.txt'), lines);
    return readGraphFile(join(folder, 'without.txt'));
  };
  const seeds = graph.componentsSeeds();
  const spare = await erasable(graph, graphStatistics(graph), whole, new Set(seeds));
  if (spare === undefined) throw new Error('There is nobody in this graph whom it can do without');
  const expected = graphStatistics(await whole(spare.lines));
  const network = await startNetwork(folder, file, options.keys);
  cleanup.add(() => network.stop());

  cleanup.add(() => command('native', ['down', '--stack', STACK, '--purge'], network.url));
  await command('native', ['up', '--stack', STACK, '--port-base', String(options.portBase)], network.url);
  const before = apiOf(network.url);
  await before.registerKeys(network.tokens);
  const { id } = await before.startImport({ seeds: await before.seeds() });
  const lists = graph.people;
  await reads(before, id, options.backupAt * lists);

  const backup = join(folder, 'backups', 'one');
  const keys = join(folder, 'keys');
  const backupBegan = performance.now();
  const atBackup = (await before.import(id)).counters.lists.done;
  await command('backup', ['--stack', STACK, '--to', backup, '--keys-to', keys], network.url);
  const backupMs = performance.now() - backupBegan;

  say(`${spare.id} is erased after the backup`);
  const person = String(spare.id);
  await before.delete(pathOf`/v1/people/vk/${person}`);
  await eventually(
    async () => {
      await command('backup', ['erasures', '--stack', STACK, '--to', backup], network.url);
      if (!readFileSync(join(folder, 'backups', `erasures-${STACK}.jsonl`), 'utf8').includes('"mark"'))
        throw new Error('the mark is not in the log yet');
    },
    { timeoutMs: MINUTE_MS, everyMs: 1000 },
  );
  await new Promise((resolve) => setTimeout(resolve, options.goOnMs));
  const atLossView = await before.import(id);
  if (atLossView.state !== 'running')
    throw new Error(
      `The import was ${atLossView.state} before everything was lost: take fewer keys, or a larger graph`,
    );

  const lostAt = Date.now();
  const lost = performance.now();
  say(`${killEverything()} processes were killed; everything of the stack is wiped`);
  await command('native', ['down', '--stack', STACK, '--purge'], network.url);
  const where = ['--stack', STACK, '--port-base', String(options.portBase)];
  await command('restore', ['--from', backup, ...where, '--keys', keys], network.url);
  const { holdsUntil } = JSON.parse(readFileSync(join(backup, 'manifest.json'), 'utf8')) as {
    holdsUntil: string;
  };

  const after = apiOf(network.url);
  const first = await eventually(() => after.import(id), { timeoutMs: MINUTE_MS, everyMs: 100 });
  const answers = performance.now() - lost;
  await reads(after, id, first.counters.lists.done + 1);
  const works = performance.now() - lost;
  const ended = await after.ended(id, { timeoutMs: 10 * MINUTE_MS });
  const completed = performance.now() - lost;
  const summary = await settled(after, ended, expected);
  const { totals } = await after.stats();
  return {
    lists: { atBackup, atLoss: atLossView.counters.lists.done, afterRestore: first.counters.lists.done },
    rpoMs: lostAt - Date.parse(holdsUntil),
    backupMs,
    rtoMs: { answers, works, completed },
    state: ended.state,
    summary,
    expected,
    certificate: await after.certificate(id),
    refused: totals.refused,
    dead: await deadLetters(environmentOf(STACK)),
    erased: await isUnknown(after, person),
  };
}

/** Until so many lists are read, or the import is over. */
async function reads(api: FleetApi, id: string, lists: number): Promise<ImportView> {
  return eventually(
    async () => {
      const view = await api.import(id);
      if (view.counters.lists.done < lists && view.state === 'running')
        throw new Error(`${view.counters.lists.done} lists`);
      return view;
    },
    { timeoutMs: 5 * MINUTE_MS, everyMs: 100 },
  );
}

/** An erasure sweeps until nothing comes back: the figures are waited for, and told as they are when they do not come. */
async function settled(api: FleetApi, ended: ImportView, expected: Drill['expected']): Promise<SummaryView> {
  let summary = await api.summaryAfter(ended);
  try {
    await eventually(
      async () => {
        summary = await api.summaryAfter(ended);
        if (figuresOf({ summary, expected }).some(({ good }) => !good)) throw new Error('not yet');
      },
      { timeoutMs: 2 * MINUTE_MS, everyMs: 1000 },
    );
  } catch {
    // The table shows what differs.
  }
  return summary;
}

async function isUnknown(api: FleetApi, person: string): Promise<boolean> {
  try {
    await api.get(pathOf`/v1/people/vk/${person}`);
    return false;
  } catch (error) {
    if (error instanceof UnexpectedAnswer) return error.status === 404;
    throw error;
  }
}
