import { copyFileSync, existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fleetUp } from '../commands/fleet-up';
import { serversUp } from '../commands/servers-up';
import { type FleetOptions, serviceEnvironment } from '../fleet';
import type { AdministratorAccount } from '../keycloak-realm/realm-admin';
import { run } from '../run-command';
import { ARANGO_DATABASES } from '../servers/arango-embedded';
import type { Servers } from '../servers/catalogue';
import { ADMIN_CLIENT } from '../servers/keycloak';
import { DATABASES } from '../servers/postgres';
import { PlainFault } from '../servers/server';
import { askSupervisor } from '../supervisor/control';
import { ErasedFinder, type Mark, marksIn, merged, openErasure, readLedger } from './erased-people';
import { loadGraph } from './graph-copy';
import type { Document } from './graph-store';
import {
  boundsOf,
  commitOffsets,
  isCompacted,
  kafkaOf,
  REBUILT_TOPIC,
  SUPPRESSIONS_TOPIC,
} from './kafka-log';
import { loadTopic } from './kafka-load';
import { tellPrometheus } from './last-success';
import { type Manifest, openBackup, unknownMigrations } from './manifest';
import { placeKeys } from './platform-keys';
import { reconcile, restoreDatabase, tablesIn } from './postgres-copy';
import { accountsIn, restoreRealm } from './realm-copy';
import { tellSuppressions } from './tell-suppressions';
import { adminUrl, graphOf, kafkaConnection, ledgerOf, steps, topicsOf } from './take-backup';

export interface RestoreOptions {
  readonly from: string;
  /** Folder of the platform's keys, for a stack that has none yet. */
  readonly keys: string | undefined;
  /** Files of erasures beside the one that lies with the backups. */
  readonly erasures: readonly string[];
  /** False: the servers are filled, the fleet is left to be started. */
  readonly start: boolean;
}

type Say = (line: string) => void;

/** Puts a backup into servers that are empty, erases again who was erased, and starts the fleet, which goes on from there. */
export async function restoreBackup(servers: Servers, options: RestoreOptions, say: Say): Promise<Manifest> {
  const { stack } = servers;
  const from = resolve(options.from);
  const manifest = await openBackup(from);
  const unknown = unknownMigrations(manifest, stack.root);
  if (unknown.length > 0)
    throw new PlainFault(
      `The backup was made by a newer version than this one, which does not know ${unknown.join(', ')}.`,
    );
  const ledger = ledgerOf(from, manifest.stack);
  if (!existsSync(ledger) && options.erasures.length === 0)
    throw new PlainFault(
      `${ledger} is missing: it says who was erased since. Put it beside the backup, or name a newer one (--erasures FILE).`,
    );
  if ((await askSupervisor(stack.dir, { command: 'status' })) !== undefined)
    throw new PlainFault(
      `The fleet of stack ${stack.name} runs: a backup goes into empty servers only (npm run down -- --stack ${stack.name} --purge).`,
    );
  placeKeys(join(stack.dir, 'secrets'), options.keys, manifest.keys);
  const step = steps(say);
  await serversUp(servers, say);
  const full = await occupied(servers, manifest);
  if (full.length > 0)
    throw new PlainFault(
      `A backup goes into empty servers only, and these are not:\n${full.map((line) => `  ${line}`).join('\n')}`,
    );
  step('servers');

  for (const database of DATABASES) {
    await restoreDatabase(adminUrl(servers, database), join(from, 'postgres', `${database}.dump`));
    await reconcile(adminUrl(servers, database), database);
  }
  step('PostgreSQL');
  await restoreTopics(servers, manifest, from);
  step('Kafka');
  await restoreGraph(servers, manifest, from, options.erasures, say);
  step('graph');
  if (manifest.realm) {
    await restoreRealm(administrator(servers), join(from, 'keycloak', 'realm.json'), {
      clientId: 'sociograph-demo',
      secret: servers.keycloak.demoSecret(),
    });
    await servers.keycloak.fill();
    step("Keycloak's realm");
  }
  if (existsSync(join(from, 'audit-heads.jsonl')))
    copyFileSync(join(from, 'audit-heads.jsonl'), join(stack.dir, 'audit-heads.jsonl'));
  await tellPrometheus(stack, servers.prometheus, Math.floor(Date.parse(manifest.startedAt) / 1000));
  say(`Restored: everything until ${manifest.holdsUntil} is there.`);
  if (options.start) {
    await fleetUp(servers, fleetOptions(servers, manifest), say);
    step('fleet');
  }
  return manifest;
}

/** What is not empty, a line each. Redis and RabbitMQ need not be: what they hold is recognised as of another time. */
export async function occupied(servers: Servers, manifest: Pick<Manifest, 'realm'>): Promise<string[]> {
  const lines: string[] = [];
  for (const database of DATABASES) {
    const tables = await tablesIn(adminUrl(servers, database));
    if (tables > 0) lines.push(`PostgreSQL, database ${database}: ${tables} tables`);
  }
  for (const service of Object.keys(ARANGO_DATABASES) as (keyof typeof ARANGO_DATABASES)[]) {
    for (const [name, count] of await graphOf(servers, service).collections())
      if (count > 0 && name !== 'schema_migrations')
        lines.push(`ArangoDB, database ${ARANGO_DATABASES[service]}: ${count} documents in ${name}`);
  }
  const topics = [...topicsOf(servers.stack).map(({ name }) => name), REBUILT_TOPIC];
  for (const [topic, partitions] of Object.entries(
    await boundsOf(kafkaOf(kafkaConnection(servers)), topics),
  )) {
    const records = partitions.reduce((sum, { high }) => sum + high, 0);
    if (records > 0) lines.push(`Kafka, topic ${topic}: ${records} records`);
  }
  const people = manifest.realm ? await accountsIn(administrator(servers)) : 0;
  if (people > 0) lines.push('Keycloak, realm sociograph: accounts of people');
  return lines;
}

async function restoreTopics(servers: Servers, manifest: Manifest, from: string): Promise<void> {
  const kafka = kafkaOf(kafkaConnection(servers));
  const specs = new Map(topicsOf(servers.stack).map((spec) => [spec.name, spec]));
  for (const [topic, bounds] of Object.entries(manifest.topics)) {
    const spec = specs.get(topic);
    if (bounds.every(({ high }) => high === 0)) continue;
    if (spec === undefined || bounds.some(({ partition }) => partition >= spec.partitions))
      throw new PlainFault(
        `The topic ${topic} is not in infra/kafka/topics.json, or has fewer partitions there.`,
      );
    const file = join(from, 'kafka', `${topic}.jsonl.gz`);
    await loadTopic(kafka, {
      topic,
      compacted: isCompacted(spec),
      file: existsSync(file) ? file : undefined,
      bounds,
    });
  }
  await commitOffsets(kafka, manifest.groups);
}

/**
 * The collections are made by the services' own migrations; then the documents, then whoever was erased. The receipts of people
 * who stand in the restored graph are opened anew, so that graph-storage sweeps them out of everything that was restored; marks
 * that the backup does not know go to their topic, from which every service takes them before it does anything.
 */
async function restoreGraph(
  servers: Servers,
  manifest: Manifest,
  from: string,
  ledgers: readonly string[],
  say: Say,
): Promise<void> {
  const { stack } = servers;
  for (const service of Object.keys(ARANGO_DATABASES) as (keyof typeof ARANGO_DATABASES)[])
    await run(
      process.execPath,
      ['--enable-source-maps', join(stack.root, 'services', service, 'dist', 'migrate.js')],
      {
        cwd: stack.root,
        env: {
          PATH: process.env['PATH'],
          HOME: process.env['HOME'],
          ...serviceEnvironment(servers, service, 0, { simulator: undefined }),
        },
      },
    );
  const dumped = join(from, 'kafka', `${SUPPRESSIONS_TOPIC}.jsonl.gz`);
  const then = existsSync(dumped) ? await marksIn(dumped) : [];
  const ledger = [ledgerOf(from, manifest.stack), ...filesThere(ledgers)].map(readLedger);
  const marks = merged(then, ...ledger);
  const key = Buffer.from(
    readFileSync(join(stack.dir, 'secrets', 'suppression-key'), 'utf8').trim(),
    'base64',
  );
  const finder = new ErasedFinder(key, marks);
  const receipts = new Map<string, Document>();
  const store = graphOf(servers);
  await loadGraph(store, join(from, 'graph'), Object.keys(manifest.graph), (document) => {
    if (typeof document['mark'] === 'string') receipts.set(document['mark'], document);
    else finder.look(document);
  });
  const known = new Set(then.map(({ mark }) => mark));
  const since = marks.filter(({ mark }) => !known.has(mark));
  if (since.length > 0) await tellSuppressions(kafkaOf(kafkaConnection(servers)), since);
  await reopen(store, marks, finder.found, receipts);
  if (marks.length > 0)
    say(
      `${marks.length} people were erased, ${since.length} of them since the backup; ` +
        `${finder.found.size} stand in what was restored and are erased again.`,
    );
}

async function reopen(
  store: ReturnType<typeof graphOf>,
  marks: readonly Mark[],
  found: ReadonlyMap<string, string>,
  receipts: ReadonlyMap<string, Document>,
): Promise<void> {
  const open = marks.flatMap((mark) => {
    const personId = found.get(mark.mark);
    return personId === undefined ? [] : [openErasure(mark, personId, receipts.get(mark.mark), Date.now())];
  });
  await store.put('erasures', open, 'replace');
}

function filesThere(files: readonly string[]): string[] {
  return files.map((file) => {
    if (!existsSync(file)) throw new PlainFault(`There is no file of erasures ${file}.`);
    return resolve(file);
  });
}

function administrator({ keycloak }: Servers): AdministratorAccount {
  return { keycloakUrl: keycloak.url(), clientId: ADMIN_CLIENT, clientSecret: keycloak.adminSecret() };
}

/** A new stack runs what the old one did. */
function fleetOptions({ stack }: Servers, manifest: Manifest): Partial<FleetOptions> {
  return existsSync(join(stack.dir, 'fleet-options.json')) ? {} : (manifest.fleet ?? {});
}
