import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { FleetOptions } from '../fleet';
import { ARANGO_DATABASES } from '../servers/arango-embedded';
import type { Servers } from '../servers/catalogue';
import type { KafkaConnection, TopicSpec } from '../servers/kafka-admin';
import { DATABASES } from '../servers/postgres';
import { PlainFault } from '../servers/server';
import { databaseUrl } from '../environment';
import type { Stack } from '../stack';
import { addToLedger, marksIn } from './erased-people';
import { dumpGraph } from './graph-copy';
import { GraphStore } from './graph-store';
import { dumpTopics } from './kafka-dump';
import {
  CHANGES_TOPIC,
  HEADS_TOPIC,
  kafkaOf,
  LASTING_GROUPS,
  offsetsOf,
  REBUILT_TOPIC,
  SUPPRESSIONS_TOPIC,
} from './kafka-log';
import { textOf, tellPrometheus } from './last-success';
import { type Manifest, writeManifest } from './manifest';
import { fingerprintsOf } from './platform-keys';
import { dumpDatabase } from './postgres-copy';
import { dumpRealm, hasRealmFile } from './realm-copy';

export const PARTS = ['postgres', 'graph', 'kafka', 'keycloak'] as const;
type Say = (line: string) => void;

/**
 * Takes what cannot be made anew, while everybody goes on working. The order is what makes the parts fit: each is read before
 * what it must not know less of.
 *
 * 1. Offsets that groups have committed. What lies below was in the stores by then; what lies above is applied once more.
 * 2. graph.changes and the heads of the audit trail: they must not know of states and seals that the stores do not have.
 * 3. The graph, which has at least what the offsets of 1 say.
 * 4. PostgreSQL. Whatever an import calls done was published before: it is below the offsets of 1, or comes with 5.
 * 5. The other topics, up to where they end now. Observations that no import knows of are seen again, and change nothing.
 * 6. Keycloak's realm.
 */
export async function takeBackup(servers: Servers, to: string, say: Say): Promise<Manifest> {
  const { stack } = servers;
  const target = resolve(to);
  if (existsSync(target))
    throw new PlainFault(`${target} is there already: every backup has a folder of its own.`);
  const folder = `${target}.partial`;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(dirname(target), { recursive: true, mode: 0o700 });
  mkdirSync(folder, { mode: 0o700 });
  for (const part of PARTS) mkdirSync(join(folder, part), { mode: 0o700 });
  const startedAt = new Date();
  const step = steps(say);

  const topics = topicsOf(stack);
  const connection = kafkaConnection(servers);
  const groups = await offsetsOf(
    kafkaOf(connection),
    LASTING_GROUPS,
    topics.map(({ name }) => name),
  );
  const first = topics.filter(({ name }) => name === CHANGES_TOPIC || name === HEADS_TOPIC);
  const later = topics.filter((topic) => !first.includes(topic));
  const derived = await dumpTopics(connection, first, join(folder, 'kafka'));
  step('graph.changes, audit heads');

  const graph = await dumpGraph(graphOf(servers), join(folder, 'graph'));
  step(`graph, ${Object.values(graph).reduce((sum, count) => sum + count, 0)} documents`);

  copyHeadFile(stack, folder);
  const holdsUntil = new Date();
  const migrations: Record<string, string[]> = {};
  for (const database of DATABASES)
    migrations[database] = await dumpDatabase(
      adminUrl(servers, database),
      join(folder, 'postgres', `${database}.dump`),
    );
  step(`PostgreSQL, ${DATABASES.length} databases`);

  const observed = await dumpTopics(connection, later, join(folder, 'kafka'));
  step('the other topics');

  const home = join(stack.dir, 'data', 'keycloak');
  const realm = servers.keycloak.given() === undefined && hasRealmFile(home);
  if (realm) {
    await dumpRealm(home, join(folder, 'keycloak', 'realm.json'));
    step("Keycloak's realm");
  } else say('Keycloak is yours: its database is to be backed up where it is, it is not in this backup.');

  const manifest = await writeManifest(folder, {
    stack: stack.name,
    version: versionOf(stack),
    startedAt: startedAt.toISOString(),
    finishedAt: new Date().toISOString(),
    holdsUntil: holdsUntil.toISOString(),
    migrations,
    topics: { ...derived, ...observed },
    groups,
    graph,
    realm,
    keys: fingerprintsOf(join(stack.dir, 'secrets')),
    fleet: fleetOptionsOf(stack),
  });
  renameSync(folder, target);
  const erased = await rememberErasures(stack, target, join(target, 'kafka'));
  const seconds = Math.floor(startedAt.getTime() / 1000);
  const text = join(dirname(target), `backup-${stack.name}.prom`);
  writeFileSync(`${text}.new`, textOf(stack.name, seconds));
  // An exporter that reads it is another user: one number, no secret.
  chmodSync(`${text}.new`, 0o644);
  renameSync(`${text}.new`, text);
  await tellPrometheus(stack, servers.prometheus, seconds);
  say(
    `${basename(target)}: ${manifest.files.length} files, ${(sizeOf(manifest) / 1e6).toFixed(1)} MB; ` +
      `${erased} erased people are noted in ${ledgerOf(target, stack.name)}`,
  );
  return manifest;
}

/** Notes who was erased, and nothing else: cheap enough for every few minutes between two backups. */
export async function takeErasures(servers: Servers, to: string): Promise<number> {
  const { stack } = servers;
  const target = resolve(to);
  mkdirSync(dirname(target), { recursive: true, mode: 0o700 });
  const scratch = `${target}.erasures`;
  rmSync(scratch, { recursive: true, force: true });
  mkdirSync(scratch, { mode: 0o700 });
  try {
    const topics = topicsOf(stack).filter(({ name }) => name === SUPPRESSIONS_TOPIC);
    await dumpTopics(kafkaConnection(servers), topics, scratch);
    return await rememberErasures(stack, target, scratch);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Beside the backups of a stack: who was erased, also after the newest of them. */
export function ledgerOf(backup: string, stackName: string): string {
  return join(dirname(resolve(backup)), `erasures-${stackName}.jsonl`);
}

export function topicsOf(stack: Stack): TopicSpec[] {
  const file = join(stack.root, 'infra', 'kafka', 'topics.json');
  const topics = JSON.parse(readFileSync(file, 'utf8')) as TopicSpec[];
  return topics.filter(({ name }) => name !== REBUILT_TOPIC);
}

export function kafkaConnection({ kafka }: Servers): KafkaConnection {
  return { brokers: kafka.brokers().split(','), credentials: kafka.credentials('admin') };
}

export function graphOf(
  { arango }: Servers,
  service: keyof typeof ARANGO_DATABASES = 'graph-storage-service',
): GraphStore {
  return new GraphStore({
    url: arango.url(),
    database: ARANGO_DATABASES[service],
    ...arango.credentials('root'),
  });
}

/** A superuser in one service's database, whom row-level security does not hold. */
export function adminUrl({ postgres }: Servers, database: string): string {
  const { username, password } = new URL(postgres.adminUrl());
  return databaseUrl(
    postgres.adminUrl(),
    decodeURIComponent(username),
    decodeURIComponent(password),
    database,
  );
}

export function steps(say: Say): (what: string) => void {
  let since = performance.now();
  return (what) => {
    const now = performance.now();
    say(`${what.padEnd(44)} ${((now - since) / 1000).toFixed(1).padStart(6)} s`);
    since = now;
  };
}

async function rememberErasures(stack: Stack, backup: string, folder: string): Promise<number> {
  const file = join(folder, `${SUPPRESSIONS_TOPIC}.jsonl.gz`);
  return addToLedger(ledgerOf(backup, stack.name), existsSync(file) ? await marksIn(file) : []);
}

/** The heads of the audit trail that lie outside the database. */
function copyHeadFile(stack: Stack, folder: string): void {
  const file = join(stack.dir, 'audit-heads.jsonl');
  if (!existsSync(file)) return;
  copyFileSync(file, join(folder, 'audit-heads.jsonl'));
  chmodSync(join(folder, 'audit-heads.jsonl'), 0o600);
}

function fleetOptionsOf(stack: Stack): Partial<FleetOptions> | undefined {
  const file = join(stack.dir, 'fleet-options.json');
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Partial<FleetOptions>) : undefined;
}

function versionOf({ root }: Stack): string {
  return (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }).version;
}

function sizeOf({ files }: Manifest): number {
  return files.reduce((sum, { bytes }) => sum + bytes, 0);
}
