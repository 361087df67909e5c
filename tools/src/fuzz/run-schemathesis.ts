import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../repository';
import { accessOf, type ApiDocument } from './document';
import type { FuzzWorld } from './world';
import type { FuzzRecord } from './verdict';

const CHECKS = [
  ...['not_a_server_error', 'status_code_conformance', 'content_type_conformance'],
  ...['response_headers_conformance', 'response_schema_conformance', 'negative_data_rejection'],
  ...['roles_hold', 'faults_are_named', 'nothing_is_shown_of_the_inside'],
];
/** Its answers are streams that end when the import has: only of imports that have ended. */
const BOUNDED = ['GET /v1/imports/{id}/events'];

/** Ids come from the recipes: what schemathesis sees in answers may be what another request depends on. */
const SETTINGS = `max-stream-events = 50
[phases.examples.extra-data-sources]
responses = false
[phases.coverage.extra-data-sources]
responses = false
[phases.fuzzing.extra-data-sources]
responses = false
[checks.negative_data_rejection]
expected-statuses = ["4xx", "503"]
`;

export interface Round {
  seed: number;
  phases: readonly string[];
  /** Of each operation, in the phase that invents. */
  examples: number;
}

/** One run over all operations of the document. What the tool prints goes to `schemathesis.log` in the folder. */
export async function runSchemathesis(
  site: string,
  folder: string,
  document: ApiDocument,
  world: FuzzWorld,
  round: Round,
): Promise<FuzzRecord> {
  mkdirSync(folder, { recursive: true });
  const file = (name: string): string => join(folder, name);
  const { tokens, recipes, gatewayUrl } = world;
  const access = accessOf(document);
  const plan = { seed: round.seed, tokens, recipes, access, bounded: BOUNDED, gateway: gatewayUrl };
  writeFileSync(file('openapi.json'), JSON.stringify(document));
  writeFileSync(file('plan.json'), JSON.stringify(plan), { mode: 0o600 });
  writeFileSync(file('schemathesis.toml'), SETTINGS);
  writeFileSync(file('record.json'), '');
  const words = [
    ...['-m', 'schemathesis.cli', 'run', file('openapi.json'), '--url', gatewayUrl, '--no-color'],
    ...['--phases', round.phases.join(','), '--max-examples', String(round.examples)],
    ...[
      '--seed',
      String(round.seed),
      '--no-shrink',
      '--continue-on-failure',
      '--generation-database',
      'none',
    ],
    ...['--generation-with-security-parameters', 'false', '--suppress-health-check', 'all'],
    ...['--request-timeout', '60', '--workers', '1', '--checks', CHECKS.join(',')],
  ];
  const log = openSync(file('schemathesis.log'), 'a');
  const env = {
    ...process.env,
    PYTHONPATH: site,
    PYTHONDONTWRITEBYTECODE: '1',
    SCHEMATHESIS_HOOKS: join(ROOT, 'tools/src/fuzz/hooks.py'),
    FUZZ_PLAN: file('plan.json'),
    FUZZ_RECORD: file('record.json'),
  };
  const child = spawn('python3', words, { cwd: folder, env, stdio: ['ignore', log, log] });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', resolve);
  });
  closeSync(log);
  const text = existsSync(file('record.json')) ? readFileSync(file('record.json'), 'utf8') : '';
  // 1: a check found something, which the record says, too.
  if (text === '' || (code !== 0 && code !== 1))
    throw new Error(`schemathesis ended with ${code}: see ${file('schemathesis.log')}`);
  return JSON.parse(text) as FuzzRecord;
}
