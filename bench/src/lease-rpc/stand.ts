import { execFile, spawn } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { LEASE_QUEUE, rabbitTopology } from '@sociograph/contracts';
import { createLogger } from '@sociograph/observability';
import { Postgres } from '@sociograph/postgres';
import { eventually, ProcessHandle, testServers, type TestServers } from '@sociograph/testing';
import { Redis } from 'ioredis';
import type { LeaseBenchArguments } from './arguments';
import { holdToCore, onCore, withChildren } from './cores';

const ROOT = resolve(__dirname, '../../..');
const NATIVE = join(ROOT, 'infra/native/dist/main.js');
const STACK = process.env['SOCIOGRAPH_TEST_STACK'] ?? 'test';
const FOLDER = join(ROOT, '.sociograph', STACK);
const KEYS_AT_ONCE = 20;

/** key-service on its core, with a database, a vhost and a Redis of its own; everything else is the test stack's. */
export interface Stand {
  readonly servicePid: number;
  readonly redisPid: number;
  /** Empty where the broker is not ours to look at. */
  readonly brokerPids: readonly number[];
  readonly redis: Redis;
  readonly rabbitUrl: string;
  /** That of the demo's account, which the keys belong to. */
  readonly workspaceId: string;
  readonly identityKeyPem: string;
  /** What could not be had as wished, in words. */
  readonly remarks: readonly string[];
  /** What key-service logged last. */
  lastWords(): string[];
  close(): Promise<void>;
}

export async function openStand(args: LeaseBenchArguments, say: (line: string) => void): Promise<Stand> {
  const undo: (() => Promise<unknown>)[] = [];
  const close = async (): Promise<void> => {
    for (const step of undo.reverse().splice(0)) await step().catch((error: unknown) => say(String(error)));
  };
  try {
    return { ...(await build(args, say, undo)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function build(
  args: LeaseBenchArguments,
  say: (line: string) => void,
  undo: (() => Promise<unknown>)[],
): Promise<Omit<Stand, 'close'>> {
  const servers = await stackServers(say, undo);
  const name = `bench_lease_${randomBytes(5).toString('hex')}`;
  const folder = mkdtempSync(join(tmpdir(), 'bench-lease-'));
  undo.push(async () => rmSync(folder, { recursive: true, force: true }));

  const { port: redisPort, pid: redisPid } = await ownRedis(folder, args.redisCore, undo);
  const redis = new Redis({ port: redisPort });
  undo.push(() => redis.quit());
  await ownDatabase(servers, name, undo);
  await ownVhost(servers, name, undo);
  const brokerPids = brokerOfStack();
  undo.push(await holdToCore(brokerPids, args.clientCore));
  const remarks = brokerPids.length > 0 ? [] : ['RabbitMQ was given by URL: it is not held to a core'];

  const identity = generateKeyPairSync('ed25519', {
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  writeFileSync(join(folder, 'trusted.json'), JSON.stringify({ 'parser-service': identity.publicKey }));
  writeFileSync(join(folder, 'master.key'), randomBytes(32).toString('base64'), { mode: 0o600 });
  const httpPort = await freePort();
  const inDatabase = (variable: string): string => withPath(servers.of('key-service', variable), name);
  const env = {
    PATH: process.env['PATH'],
    // As the fleet starts it.
    NODE_OPTIONS:
      process.env['KEY_SERVICE_NODE_OPTIONS'] ?? '--max-old-space-size=256 --max-semi-space-size=4',
    MALLOC_ARENA_MAX: '2',
    SERVICE_NAME: 'key-service',
    INSTANCE_ID: '0',
    NODE_ENV: 'development',
    LOG_LEVEL: 'warn',
    HTTP_HOST: '127.0.0.1',
    HTTP_PORT: String(httpPort),
    MANAGEMENT_PORT: String(await freePort()),
    OIDC_ISSUER: process.env['OIDC_ISSUER'],
    OIDC_JWKS_URL: process.env['OIDC_JWKS_URL'],
    OIDC_AUDIENCE: 'sociograph-api',
    OIDC_CLIENTS: 'sociograph-demo',
    KAFKA_BROKERS: servers.kafkaBrokers.join(','),
    KAFKA_USERNAME: process.env['KEY_SERVICE_KAFKA_USERNAME'],
    KAFKA_PASSWORD: process.env['KEY_SERVICE_KAFKA_PASSWORD'],
    RABBITMQ_URL: withPath(servers.of('key-service', 'RABBITMQ_URL'), name),
    DATABASE_URL_OWNER: inDatabase('DATABASE_URL_OWNER'),
    DATABASE_URL_APP: inDatabase('DATABASE_URL_APP'),
    DATABASE_URL_WORKER: inDatabase('DATABASE_URL_WORKER'),
    REDIS_POOL_URL: `redis://127.0.0.1:${redisPort}`,
    KMS_PROVIDER: 'local',
    KMS_MASTER_KEY_FILE: join(folder, 'master.key'),
    LEASE_TRUSTED_FILE: join(folder, 'trusted.json'),
    // The bench asks from one import, with as many requests in flight as it is told.
    POOL_LINE_PER_IMPORT: '10000',
    POOL_LINE_PER_WORKSPACE: '10000',
  };
  await promisify(execFile)(process.execPath, [join(ROOT, 'services/key-service/dist/migrate.js')], { env });
  const profiling =
    args.profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${resolve(args.profile)}`];
  const program = [...profiling, join(ROOT, 'services/key-service/dist/main.js')];
  const [command, words] = onCore(args.serviceCore, process.execPath, program);
  const service = await new ProcessHandle({ command, args: words, env, cwd: ROOT }).start();
  undo.push(() => service.end('SIGTERM', 20_000));
  const url = `http://127.0.0.1:${httpPort}`;
  await eventually(
    async () => {
      if (!service.running) throw new Error(`key-service ended:\n${service.lines.slice(-20).join('\n')}`);
      await fetch(url);
    },
    { timeoutMs: 30_000 },
  );
  say(`registering ${args.keys} keys`);
  const workspaceId = await registerKeys(url, args.keys);
  return {
    servicePid: service.pid,
    redisPid,
    brokerPids,
    workspaceId,
    lastWords: () => service.lines.slice(-5),
    redis,
    rabbitUrl: withPath(servers.of('parser-service', 'RABBITMQ_URL'), name),
    identityKeyPem: identity.privateKey,
    remarks,
  };
}

/** The test stack: used as it is where it runs, started and ended where it does not. */
async function stackServers(
  say: (line: string) => void,
  undo: (() => Promise<unknown>)[],
): Promise<TestServers> {
  const file = join(FOLDER, 'env.json');
  const native = (...words: string[]) =>
    promisify(execFile)(process.execPath, [NATIVE, ...words], { cwd: ROOT });
  const runs =
    existsSync(file) &&
    (await native('status', '--stack', STACK).then(
      () => true,
      () => false,
    ));
  if (!runs) {
    say(`starting the servers of stack "${STACK}"`);
    undo.push(() => native('down', '--stack', STACK, '--purge'));
    await native('up', '--stack', STACK, '--servers-only', '--port-base', '28000');
  }
  Object.assign(process.env, JSON.parse(readFileSync(file, 'utf8')));
  return testServers();
}

async function ownRedis(
  folder: string,
  core: number | undefined,
  undo: (() => Promise<unknown>)[],
): Promise<{ port: number; pid: number }> {
  const port = await freePort();
  const settings = ['--port', String(port), '--dir', folder, '--appendonly', 'yes', '--save', ''];
  const [command, words] = onCore(core, 'redis-server', [...settings, '--maxmemory-policy', 'noeviction']);
  const server = await new ProcessHandle({ command, args: words }).start();
  undo.push(() => server.end());
  await server.waitFor(/Ready to accept connections/i);
  return { port, pid: server.pid };
}

async function ownDatabase(
  servers: TestServers,
  name: string,
  undo: (() => Promise<unknown>)[],
): Promise<void> {
  const logger = createLogger({ service: 'bench', instance: '0', level: 'error' });
  const asAdmin = async (url: string, sql: string): Promise<void> => {
    const postgres = new Postgres({ url, max: 1, logger });
    await postgres.query(sql).finally(() => postgres.end());
  };
  await asAdmin(servers.adminDatabaseUrl, `CREATE DATABASE ${name} OWNER key_service_owner`);
  undo.push(() => asAdmin(servers.adminDatabaseUrl, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`));
  const inside = withPath(servers.adminDatabaseUrl, name);
  await asAdmin(inside, 'ALTER SCHEMA public OWNER TO key_service_owner');
  await asAdmin(inside, 'GRANT USAGE ON SCHEMA public TO key_service_app, key_service_worker');
}

async function ownVhost(servers: TestServers, name: string, undo: (() => Promise<unknown>)[]): Promise<void> {
  const base = new URL(servers.rabbitmqManagementUrl ?? '');
  const password = decodeURIComponent(base.password);
  const authorization = `Basic ${Buffer.from(`${base.username}:${password}`).toString('base64')}`;
  const ask = async (method: string, path: string, body?: object): Promise<void> => {
    const response = await fetch(`${base.protocol}//${base.host}/api/${path}`, {
      method,
      headers: { authorization, 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`RabbitMQ refused ${method} ${path}: ${response.status}`);
  };
  await ask('PUT', `vhosts/${name}`);
  undo.push(() => ask('DELETE', `vhosts/${name}`));
  for (const user of ['key-service', 'parser-service'])
    await ask('PUT', `permissions/${name}/${user}`, { configure: '.*', write: '.*', read: '.*' });
  const { exchanges, queues } = rabbitTopology();
  for (const { name: exchange, type } of exchanges)
    await ask('PUT', `exchanges/${name}/${exchange}`, { type, durable: true });
  const queue = queues.find((known) => known.name === LEASE_QUEUE);
  await ask('PUT', `queues/${name}/${LEASE_QUEUE}`, { durable: true, arguments: queue?.arguments });
}

/** A broker that was given by URL is not ours to hold to a core. */
function brokerOfStack(): number[] {
  const table = join(FOLDER, 'processes.json');
  if (!existsSync(table)) return [];
  const known = JSON.parse(readFileSync(table, 'utf8')) as { name: string; pid: number }[];
  return known.filter(({ name }) => name === 'rabbitmq').flatMap(({ pid }) => withChildren(pid));
}

/** Community tokens with 20 calls a second: slots are never what limits. Says whose keys they are. */
async function registerKeys(url: string, keys: number): Promise<string> {
  const token = await demoToken();
  const register = async (index: number): Promise<void> => {
    const response = await fetch(`${url}/v1/keys`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        network: 'vk',
        kind: 'community',
        token: `vk1.bench.${index}.${randomBytes(16).toString('hex')}`,
        limits: { perSecond: 20 },
        consent: { givenBy: 'the bench' },
      }),
    });
    if (response.status !== 201)
      throw new Error(`key ${index} was not registered: ${response.status} ${await response.text()}`);
  };
  for (let from = 0; from < keys; from += KEYS_AT_ONCE)
    await Promise.all(
      Array.from({ length: Math.min(KEYS_AT_ONCE, keys - from) }, (_, offset) => register(from + offset)),
    );
  const claims = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString();
  return (JSON.parse(claims) as { workspace_id: string }).workspace_id;
}

async function demoToken(): Promise<string> {
  const { KEYCLOAK_URL, KEYCLOAK_REALM, DEMO_CLIENT_ID, DEMO_CLIENT_SECRET } = process.env;
  const response = await fetch(`${KEYCLOAK_URL}/realms/${KEYCLOAK_REALM}/protocol/openid-connect/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: DEMO_CLIENT_ID ?? '',
      client_secret: DEMO_CLIENT_SECRET ?? '',
    }),
  });
  return ((await response.json()) as { access_token: string }).access_token;
}

/** The load generator, with a channel to tell it its phases. */
export function startLoad(core: number, settings: object) {
  // Its own pauses would be measured as the pool's: short collections of the young generation.
  const program = ['--max-semi-space-size=4', join(__dirname, 'load.js')];
  const [command, words] = onCore(core, process.execPath, program);
  const child = spawn(command, words, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], cwd: ROOT });
  let answered: (answer: { fault?: string; result?: unknown }) => void = () => undefined;
  child.on('message', (answer: object) => answered(answer));
  child.once('exit', (code) => answered({ fault: `the load generator ended with ${String(code)}` }));
  const ask = <T>(message: object): Promise<T> =>
    new Promise((done, failed) => {
      answered = ({ fault, result }) => (fault === undefined ? done(result as T) : failed(new Error(fault)));
      child.send(message);
    });
  return {
    ready: ask({ settings }),
    run: <T>(phase: object): Promise<T> => ask<T>({ phase }),
    pid: child.pid as number,
    stop: () => child.kill(),
  };
}

function freePort(): Promise<number> {
  return new Promise((done) => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => done(port));
    });
  });
}

function withPath(url: string, path: string): string {
  const changed = new URL(url);
  changed.pathname = `/${path}`;
  return changed.href;
}
