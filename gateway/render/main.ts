import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { faultsOf } from './check';
import { readEndpoints } from './endpoints';
import { FUZZ_LIMITS, renderKong } from './render';

/**
 * `node gateway/dist/render/main.js [--check | --fuzz FILE]`, from anywhere: paths are those of the checkout. `--fuzz`
 * writes the same routes under limits that a fuzz run does not reach.
 */
function main(): number {
  const root = join(__dirname, '../../..');
  const file = join(root, 'gateway/kong.yml');
  const endpoints = readEndpoints(join(root, 'services'));
  if (process.argv.includes('--check')) {
    const faults = faultsOf(readFileSync(file, 'utf8'), endpoints);
    for (const fault of faults) process.stderr.write(`${fault}\n`);
    return faults.length === 0 ? 0 : 1;
  }
  if (endpoints.length === 0)
    throw new Error('No service has an openapi.json yet: gateway/kong.yml is left as it is.');
  const fuzz = process.argv.indexOf('--fuzz');
  if (fuzz !== -1) {
    const target = process.argv[fuzz + 1];
    if (target === undefined) throw new Error('--fuzz needs the name of a file.');
    writeFileSync(target, renderKong(endpoints, FUZZ_LIMITS));
    return 0;
  }
  const text = renderKong(endpoints);
  writeFileSync(file, text);
  const left = faultsOf(text, endpoints);
  for (const fault of left) process.stderr.write(`${fault}\n`);
  process.stdout.write(`gateway/kong.yml: ${endpoints.length} endpoints\n`);
  return left.length === 0 ? 0 : 1;
}

try {
  process.exitCode = main();
} catch (error) {
  process.stderr.write(`render: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
