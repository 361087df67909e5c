import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { asyncApiDocument, jsonSchemas } from './documents';
import { rabbitTopology, VHOST } from './rabbit-topology';
import { deadLetterTopics, TOPICS } from './topics';

/** Every file that is generated from the contracts: path from the repository's root -> content. */
export function generatedFiles(): Map<string, string> {
  const files = new Map<string, string>();
  for (const [type, schema] of jsonSchemas()) {
    files.set(`libs/contracts/schemas/${type}.json`, asJson(schema));
  }
  files.set('docs/asyncapi.json', asJson(asyncApiDocument()));
  files.set('infra/kafka/topics.json', asJson(topicList()));
  files.set('infra/rabbitmq/definitions.json', asJson(rabbitDefinitions()));
  return files;
}

function topicList(): object[] {
  return [...Object.values(TOPICS), ...deadLetterTopics()].map(({ name, partitions, config }) => ({
    name,
    partitions,
    config,
  }));
}

/** Broker definitions without users: accounts and their secrets are made when a broker first starts. */
function rabbitDefinitions(): object {
  const { exchanges, queues, bindings } = rabbitTopology();
  return {
    vhosts: [{ name: VHOST }],
    exchanges: exchanges.map((exchange) => ({
      ...exchange,
      vhost: VHOST,
      durable: true,
      auto_delete: false,
      internal: false,
      arguments: {},
    })),
    queues: queues.map((queue) => ({ ...queue, vhost: VHOST, auto_delete: false })),
    bindings: bindings.map((binding) => ({
      source: binding.exchange,
      vhost: VHOST,
      destination: binding.queue,
      destination_type: 'queue',
      routing_key: binding.routingKey,
      arguments: {},
    })),
    policies: [],
  };
}

function asJson(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** `node dist/generate.js [--check]`: writes the files, or says which ones differ and exits 1. */
function main(): void {
  const root = resolve(__dirname, '../../..');
  const stale: string[] = [];
  for (const [path, content] of generatedFiles()) {
    const file = join(root, path);
    if (process.argv.includes('--check')) {
      if (currentContent(file) !== content) stale.push(path);
      continue;
    }
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
  }
  if (stale.length > 0) {
    console.error(`Out of date, run "npm run gen": ${stale.join(', ')}`);
    process.exitCode = 1;
  }
}

function currentContent(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined; // Not there yet: counts as out of date.
  }
}

if (require.main === module) main();
