import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ROOT } from '../repository';
import { killChildren, runNode } from '../run-child';
import { differencesOf, type JestReport } from './differences';

/** Every spec that holds for a real server and for the stand-in alike. */
const CONTRACT = [
  'libs/arango-embedded/test/recorded-aql.spec.ts',
  'libs/arango-embedded/test/http.spec.ts',
  'libs/arango-embedded/test/traversals.spec.ts',
  'libs/arango/test/bulk.spec.ts',
  'libs/arango/test/idempotency-store.spec.ts',
  'services/graph-storage-service/test/graph-store.spec.ts',
  'services/graph-storage-service/test/communities.spec.ts',
  'services/graph-storage-service/test/graph-walks.spec.ts',
  'services/graph-storage-service/test/export-records.spec.ts',
  'services/graph-storage-service/test/erasures.spec.ts',
  'services/read-model-projector/test/view-store.spec.ts',
  'services/read-model-projector/test/analysis-store.spec.ts',
  'services/read-model-projector/test/checkpoint-store.spec.ts',
  'services/read-model-projector/test/job-store.spec.ts',
];

/**
 * `ARANGO_CONTRACT_URL=http://root:password@host:8529 npm run test:arango` runs the contract suite against a real
 * ArangoDB and prints what differs; without a URL against the stand-in. Ends with 1 when something differs.
 * `--url` names it too, but what stands in the arguments every user of the machine sees in the list of processes: the
 * password belongs in the environment (ARANGO_CONTRACT_PASSWORD), which jest inherits from here.
 */
async function main(url: string | undefined): Promise<void> {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => killChildren('SIGTERM'));
  const folder = mkdtempSync(join(tmpdir(), 'sociograph-contract-'));
  const file = join(folder, 'results.json');
  try {
    const jest = join(ROOT, 'node_modules/jest/bin/jest.js');
    const options = ['--selectProjects', 'component', '--runInBand', '--forceExit', '--testTimeout=60000'];
    const { output } = await runNode([jest, ...CONTRACT, ...options, '--json', '--outputFile', file], {
      env: { NODE_ENV: 'test', ...(url !== undefined && { ARANGO_CONTRACT_URL: url }) },
      output: 'collect',
    });
    if (!existsSync(file)) throw new Error(`jest did not report:\n${output}`);
    const report = JSON.parse(readFileSync(file, 'utf8')) as JestReport;
    const differences = differencesOf(report);
    for (const { sentence, detail } of differences)
      process.stdout.write(`DIFFERS  ${sentence}\n${indented(detail)}\n\n`);
    process.stdout.write(`${report.numPassedTests} the same, ${differences.length} differ\n`);
    process.exitCode = differences.length > 0 || report.numPassedTests === 0 ? 1 : 0;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function indented(text: string): string {
  return text
    .split('\n')
    .map((line) => `         ${line}`)
    .join('\n');
}

const { values } = parseArgs({ options: { url: { type: 'string' } } });
main(values.url).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
