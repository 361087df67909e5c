import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { GraphFileError, graphStatistics, readGraphFile } from '@sociograph/graph-file';
import { demoArguments, DemoRefused, USAGE } from './demo-arguments';
import type { DemoArguments } from './demo-arguments';
import { compareFigures, EGO_FACEBOOK, figureTable } from './figures';
import type { ExpectedFigures } from './figures';
import { FleetApi } from '@sociograph/api-client';
import type { SummaryView } from '@sociograph/api-client';
import { certificateLines, closingLines } from './report';
import { importAndWatch } from './import-and-watch';
import { quotaUsed } from './quota';
import { startDemoStack } from './demo-stack';

const ROOT = resolve(__dirname, '../../..');
const EGO_FACEBOOK_FILE = join(ROOT, 'infra/vk-simulator/data/ego-facebook.txt.gz');
/** VK's limit for a user token. */
const USER_CALLS_PER_SECOND = 3;

/** The whole demo; its answer is the exit code. */
async function demo(args: DemoArguments): Promise<number> {
  const graphFile = resolve(args.graphFile ?? EGO_FACEBOOK_FILE);
  const expected = await expectedFigures(graphFile);
  console.log(
    `Graph: ${graphFile}: ${expected.users} people, ${expected.friendships} friendships (${expected.source}).`,
  );

  const fleet = await startDemoStack(ROOT, graphFile, args.keys);
  const api = new FleetApi(fleet);

  const seeds = await api.seeds();
  await api.registerKeys(fleet.tokens);
  console.log(
    `\n${fleet.tokens.length} keys are registered; ${seeds.length === 1 ? 'one seed' : `${seeds.length} seeds, one of every component`}.`,
  );

  const limitPerSecond = fleet.tokens.length * USER_CALLS_PER_SECOND;
  const startedAt = performance.now();
  const finished = await importAndWatch(api, { seeds, depth: args.depth, limitPerSecond });
  const seconds = (performance.now() - startedAt) / 1000;
  console.log(`\nImport ${finished.id} is ${finished.state} after ${seconds.toFixed(1)} s.`);
  if (finished.state !== 'completed') return 1;

  const summary = await api.summaryAfter(finished);
  const rows = args.depth === undefined ? compareFigures(summary, expected) : [];
  if (args.depth !== undefined) console.log(partOnly(summary, args.depth));
  else console.log(`\n${figureTable(rows, expected.source)}\n`);

  const stats = await api.stats();
  const used = quotaUsed(stats, limitPerSecond);
  console.log(
    `  ${stats.totals.served} calls served, ${stats.totals.refused} refused; ` +
      `${used === undefined ? 'too few calls to say how much' : `${(used * 100).toFixed(1)} %`} of the keys' quota used from the first to the last call.`,
  );
  console.log(certificateLines(await api.certificate(finished.id)).join('\n'));
  console.log(closingLines(fleet, seeds[0] ?? '1').join('\n'));

  const exact = rows.every((row) => row.equal);
  if (!exact) console.error('\nThe imported figures differ from what was expected.');
  return exact && stats.totals.refused === 0 ? 0 : 1;
}

function partOnly(summary: SummaryView, depth: number): string {
  const { users, friendships, triangles } = summary;
  return `\n  Within ${depth} step(s) of the seeds: ${users} users, ${friendships} friendships, ${triangles} triangles (a part, so nothing to compare with).\n`;
}

async function expectedFigures(file: string): Promise<ExpectedFigures> {
  const published = await isEgoFacebook(file);
  const statistics = graphStatistics(await readGraphFile(file));
  if (published) return EGO_FACEBOOK;
  return { source: 'recounted', ...statistics };
}

async function isEgoFacebook(file: string): Promise<boolean> {
  const digest = async (path: string): Promise<string> =>
    createHash('sha256')
      .update(await readFile(path))
      .digest('hex');
  try {
    return (await digest(file)) === (await digest(EGO_FACEBOOK_FILE));
  } catch (error) {
    throw new DemoRefused(`The graph file ${file} cannot be read: ${(error as Error).message}`);
  }
}

async function main(): Promise<number> {
  try {
    const args = demoArguments(process.argv.slice(2));
    if (args === 'help') {
      console.log(USAGE);
      return 0;
    }
    return await demo(args);
  } catch (error) {
    if (error instanceof DemoRefused || error instanceof GraphFileError) {
      console.error(error.message);
      return 1;
    }
    console.error(
      `The demo ended early: ${(error as Error).message}. What runs is shown by "npm run status".`,
    );
    return 1;
  }
}

void main().then((code) => {
  process.exitCode = code;
});
