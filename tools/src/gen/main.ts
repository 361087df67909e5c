import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { filesBelow, ROOT } from '../repository';
import { runNode } from '../run-child';

/** Programs that write files which are kept in the repository, in the order in which they build on each other. */
function generators(): { name: string; program: string; outputs: () => string[] }[] {
  const services = readdirSync(join(ROOT, 'services')).filter((name) =>
    existsSync(join(ROOT, 'services', name, 'src/openapi.ts')),
  );
  return [
    {
      name: 'contracts',
      program: 'libs/contracts/dist/generate.js',
      outputs: () => [
        ...filesBelow('libs/contracts/schemas', (path) => path.endsWith('.json')),
        'docs/asyncapi.json',
        'infra/kafka/topics.json',
        'infra/rabbitmq/definitions.json',
      ],
    },
    ...services.map((name) => ({
      name: `OpenAPI of ${name}`,
      program: `services/${name}/dist/openapi.js`,
      outputs: () => [`services/${name}/openapi.json`],
    })),
    { name: 'error codes', program: 'tools/dist/docs/main.js', outputs: () => ['docs/errors.md'] },
    {
      name: 'configuration',
      program: 'tools/dist/configuration/main.js',
      outputs: () => ['docs/configuration.md', '.env.example'],
    },
    { name: 'telemetry', program: 'tools/dist/telemetry/main.js', outputs: () => ['docs/telemetry.md'] },
    {
      name: 'boards',
      program: 'tools/dist/boards/main.js',
      outputs: () => filesBelow('infra/grafana/dashboards', (path) => path.endsWith('.json')),
    },
    {
      name: 'permissions',
      program: 'gateway/dist/render/permissions.js',
      outputs: () => ['docs/permissions.md'],
    },
    { name: 'kong.yml', program: 'gateway/dist/render/main.js', outputs: () => ['gateway/kong.yml'] },
    {
      name: 'manifests',
      program: 'tools/dist/manifests/main.js',
      outputs: () => ['k8s/base/prometheus-rules.yaml', 'k8s/base/kong.yml'],
    },
  ];
}

/** `gen` writes all generated files; `gen --check` says which ones are out of date and leaves them as they were. */
async function main(check: boolean): Promise<void> {
  const stale: string[] = [];
  for (const { name, program, outputs } of generators()) {
    if (!existsSync(join(ROOT, program))) {
      stale.push(`${name}: ${program} is not built`);
      continue;
    }
    const before = contents(outputs());
    const { code, output } = await runNode([program], { output: 'collect' });
    if (code !== 0) stale.push(`${name}: its generator failed\n${output}`);
    const changed = differences(before, contents(outputs()));
    if (check) {
      restore(before, changed);
      stale.push(...changed.map((path) => `${path} is out of date: npm run gen`));
    } else {
      for (const path of changed) process.stdout.write(`${path} written\n`);
    }
  }
  for (const fault of stale) process.stderr.write(`${fault}\n`);
  if (stale.length > 0) process.exitCode = 1;
}

function contents(paths: string[]): Map<string, string> {
  const there = paths.filter((path) => existsSync(join(ROOT, path)));
  return new Map(there.map((path) => [path, readFileSync(join(ROOT, path), 'utf8')]));
}

function differences(before: Map<string, string>, after: Map<string, string>): string[] {
  const paths = new Set([...before.keys(), ...after.keys()]);
  return [...paths].filter((path) => before.get(path) !== after.get(path)).sort();
}

function restore(before: Map<string, string>, changed: string[]): void {
  for (const path of changed) {
    const text = before.get(path);
    if (text === undefined) rmSync(join(ROOT, path), { force: true });
    else writeFileSync(join(ROOT, path), text);
  }
}

main(process.argv.includes('--check')).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
