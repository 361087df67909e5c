import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readAuditedWrites } from '@sociograph/testing';
import { ROOT } from '../repository';
import { accessOf, halvesOf, mergeDocuments, readDocuments } from './document';
import { type FuzzOptions, OptionFault, readOptions } from './options';
import { report } from './report';
import { runSchemathesis } from './run-schemathesis';
import { openStack, schemathesisSite } from './stack';
import { judgeStreams } from './streams';
import { type FuzzRecord, judge, mergeRecords, unrecorded } from './verdict';
import { WorldMaker } from './world';

/** About so many requests of an operation come from the document's edges alone, without anything invented. */
const COVERED = 40;
/** A round is short enough that what it found is in a file before long. */
const AT_ONCE = 30;
const MOST_ROUNDS = 100;
const RECORDED_WITHIN_MS = 30_000;

/** Exit code 0: the bar is met; 1: it is not; 2: wrong options. */
async function main(options: FuzzOptions): Promise<number> {
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  const document = mergeDocuments(readDocuments(join(ROOT, 'services'), options.service));
  const access = accessOf(document);
  const operations = Object.keys(access).length;
  if (operations === 0) throw new OptionFault(`There is no document of ${options.service ?? 'any service'}.`);
  const site = await schemathesisSite();
  const stack = await openStack(options);
  const maker = new WorldMaker(stack, say);
  try {
    const world = await maker.make();
    const folder = join(ROOT, '.sociograph', options.stack, 'run', 'fuzz');
    let record: FuzzRecord = { operations: {}, findings: [], broken: [] };
    for (let round = 0; round < MOST_ROUNDS; round += 1) {
      const { requests } = judge(record, access, options.requests);
      if (requests >= options.requests) break;
      const missing = (options.requests - requests) / operations;
      const covers = round === 0 && missing > COVERED;
      const examples = Math.ceil(Math.min(AT_ONCE, covers ? missing - COVERED : missing));
      say(`round ${round + 1}: ${requests} requests so far, ${examples} more of each operation`);
      const phases = covers ? ['examples', 'coverage', 'fuzzing'] : ['examples', 'fuzzing'];
      const seed = options.seed + round;
      const runs = halvesOf(document).map((half, at) =>
        runSchemathesis(site, join(folder, String(at)), half, world, { seed, phases, examples }),
      );
      record = mergeRecords([record, ...(await Promise.all(runs))]);
      writeFileSync(join(folder, 'result.json'), JSON.stringify(record, null, 2));
    }
    const faults = [...(await unrecordedOf(maker, record)), ...(await judgeStreams(document, world))];
    const verdict = judge(record, access, options.requests, faults);
    process.stdout.write(`${report(record, access, verdict)}\n`);
    return verdict.passed ? 0 : 1;
  } finally {
    if (!options.keep) await maker.close();
    await stack.down();
  }
}

/** Records come through an outbox and Kafka: those of the last requests are waited for. */
async function unrecordedOf(maker: WorldMaker, record: FuzzRecord): Promise<string[]> {
  const deadline = performance.now() + RECORDED_WITHIN_MS;
  const writes = readAuditedWrites().filter(({ always }) => always);
  for (;;) {
    const faults = unrecorded(record, writes, await maker.trail());
    if (faults.length === 0 || performance.now() > deadline) return faults;
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
}

async function run(): Promise<number> {
  try {
    return await main(readOptions(process.argv.slice(2)));
  } catch (error) {
    const plain = error instanceof OptionFault;
    process.stderr.write(`${plain ? error.message : ((error as Error).stack ?? String(error))}\n`);
    return plain ? 2 : 1;
  }
}

void run().then((code) => process.exit(code));
