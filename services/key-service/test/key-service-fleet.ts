import { execFile } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { LEASE_QUEUE, rabbitTopology } from '@sociograph/contracts';
import { SystemClock, TimeOrderedIds } from '@sociograph/kernel';
import { LeaseClient } from '@sociograph/lease-client';
import { RpcClient } from '@sociograph/messaging';
import { createLogger, type Logger, Metrics } from '@sociograph/observability';
import { createHostContext, startService } from '@sociograph/service-host';
import { ProcessHandle, testServers } from '@sociograph/testing';
import { Redis } from 'ioredis';
import { Client } from 'pg';
import type { KeyServiceConfig } from '../src/config';
import { KeyServiceModule } from '../src/key-service.module';

/** key-service on the servers of the test stack, in a database, a vhost and a Redis database of its own. */
export interface KeyServiceFleet {
  url: string;
  config: KeyServiceConfig;
  /** Everything that the service logged. */
  logs: string[];
  adminDatabaseUrl: string;
  identityKeyPem: string;
  workerRabbitUrl: string;
  client(options?: { instanceId?: string; identityKeyPem?: string; service?: string }): Promise<LeaseClient>;
  close(): Promise<void>;
}

const root = join(__dirname, '..');

/** `separate`: the built program in a process of its own, so that it does not share the spec's event loop. */
export async function startKeyService(
  options: { separate?: boolean } & Partial<KeyServiceConfig> = {},
): Promise<KeyServiceFleet> {
  const { separate = false, ...overrides } = options;
  const servers = testServers();
  const name = `key_service_${randomBytes(5).toString('hex')}`;
  const folder = mkdtempSync(join(tmpdir(), 'key-service-'));
  const adminDatabaseUrl = await createDatabase(servers.adminDatabaseUrl, name);
  const inDatabase = (variable: string): string => withPath(servers.of('key-service', variable), name);
  // The schema engine is an ES module, which jest does not load: the built program does it.
  const migration = {
    DATABASE_URL_OWNER: inDatabase('DATABASE_URL_OWNER'),
    LOG_LEVEL: 'warn',
    PATH: process.env['PATH'],
  };
  await promisify(execFile)(process.execPath, [join(root, 'dist', 'migrate.js')], { env: migration });
  const vhost = await createVhost(servers.rabbitmqManagementUrl as string, name);
  const redisUrl = await emptyRedis(
    servers.of('key-service', 'REDIS_POOL_URL'),
    servers.adminRedisPoolUrl as string,
  );
  const identity = generateKeyPairSync('ed25519', {
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  writeFileSync(join(folder, 'trusted.json'), JSON.stringify({ 'parser-service': identity.publicKey }));
  writeFileSync(join(folder, 'master.key'), randomBytes(32).toString('base64'), { mode: 0o600 });
  const { OIDC_ISSUER, OIDC_JWKS_URL } = process.env as Record<string, string>;
  const config = {
    SERVICE_NAME: 'key-service',
    INSTANCE_ID: '0',
    NODE_ENV: 'test',
    LOG_LEVEL: 'debug',
    HTTP_HOST: '127.0.0.1',
    HTTP_PORT: 0,
    MANAGEMENT_PORT: 0,
    TRACE_SAMPLE_RATIO: 0,
    OIDC_ISSUER: OIDC_ISSUER ?? '',
    OIDC_JWKS_URL: OIDC_JWKS_URL ?? '',
    OIDC_AUDIENCE: 'sociograph-api',
    OIDC_CLIENTS: ['sociograph-demo', 'sociograph-cli'],
    KAFKA_BROKERS: servers.kafkaBrokers,
    KAFKA_USERNAME: process.env['KEY_SERVICE_KAFKA_USERNAME'],
    KAFKA_PASSWORD: process.env['KEY_SERVICE_KAFKA_PASSWORD'],
    RABBITMQ_URL: withPath(servers.of('key-service', 'RABBITMQ_URL'), vhost),
    DATABASE_URL_APP: inDatabase('DATABASE_URL_APP'),
    DATABASE_URL_WORKER: inDatabase('DATABASE_URL_WORKER'),
    REDIS_POOL_URL: redisUrl,
    KMS_PROVIDER: 'local',
    KMS_MASTER_KEY_FILE: join(folder, 'master.key'),
    LEASE_TRUSTED_FILE: join(folder, 'trusted.json'),
    POOL_MARGIN_MS: 40,
    POOL_SLACK_MS: 10,
    POOL_LINE_PER_IMPORT: 200,
    POOL_LINE_PER_WORKSPACE: 1000,
    ...overrides,
  } as KeyServiceConfig;
  const logs: string[] = [];
  const logger = collectingLogger(logs);
  const service = separate ? await startProcess(config) : await startInProcess(config, logger);
  const workerRabbitUrl = withPath(servers.of('parser-service', 'RABBITMQ_URL'), vhost);
  const open: { close(): Promise<void> }[] = [];
  return {
    url: service.url,
    config,
    logs,
    adminDatabaseUrl,
    identityKeyPem: identity.privateKey,
    workerRabbitUrl,
    async client(options = {}) {
      const rpc = new RpcClient({ url: workerRabbitUrl, queue: LEASE_QUEUE, logger });
      const client = new LeaseClient({
        rpc,
        identityKeyPem: options.identityKeyPem ?? identity.privateKey,
        service: options.service ?? 'parser-service',
        instanceId: options.instanceId ?? '0',
        clock: new SystemClock(),
        ids: new TimeOrderedIds(),
      });
      open.push(client, rpc);
      return client;
    },
    async close() {
      for (const part of open) await part.close();
      await service.close();
      await dropVhost(servers.rabbitmqManagementUrl as string, name);
      await dropDatabase(servers.adminDatabaseUrl, name);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

interface Running {
  url: string;
  close(): Promise<void>;
}

function collectingLogger(logs: string[]): Logger {
  const destination = { write: (line: string) => void logs.push(line) };
  return createLogger({ service: 'key-service', instance: '0', level: 'debug', destination });
}

async function startInProcess(config: KeyServiceConfig, logger: Logger): Promise<Running> {
  const metrics = new Metrics({ service: 'key-service', instance: '0', processMetrics: false });
  const context = createHostContext(config, { logger, metrics });
  return startService({
    module: KeyServiceModule.forRoot(config, context),
    config,
    context,
    openApi: { title: 'key-service' },
    ownsProcess: false,
  });
}

async function startProcess(config: KeyServiceConfig): Promise<Running> {
  const port = await freePort();
  const given = Object.entries({
    ...config,
    HTTP_PORT: port,
    MANAGEMENT_PORT: await freePort(),
    NODE_ENV: 'development',
  });
  const env = Object.fromEntries(
    given.flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)] as const])),
  );
  const handle = new ProcessHandle({
    command: process.execPath,
    args: [join(root, 'dist', 'main.js')],
    env: { ...env, LOG_LEVEL: 'info', PATH: process.env['PATH'] },
  });
  await handle.start();
  await handle.waitFor(/service started/, 30_000);
  return { url: `http://127.0.0.1:${port}`, close: async () => void (await handle.end()) };
}

export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

async function createDatabase(adminUrl: string, name: string): Promise<string> {
  await asAdmin(adminUrl, `CREATE DATABASE ${name} OWNER key_service_owner`);
  const inside = withPath(adminUrl, name);
  await asAdmin(
    inside,
    `ALTER SCHEMA public OWNER TO key_service_owner;
     REVOKE ALL ON SCHEMA public FROM PUBLIC;
     GRANT USAGE ON SCHEMA public TO key_service_app, key_service_worker;`,
  );
  return inside;
}

async function dropDatabase(adminUrl: string, name: string): Promise<void> {
  await asAdmin(adminUrl, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
}

async function asAdmin(url: string, sql: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

async function createVhost(managementUrl: string, name: string): Promise<string> {
  await management(managementUrl, 'PUT', `vhosts/${name}`);
  for (const user of ['key-service', 'parser-service', 'admin']) {
    const everything = { configure: '.*', write: '.*', read: '.*' };
    await management(managementUrl, 'PUT', `permissions/${name}/${user}`, everything);
  }
  const { exchanges, queues } = rabbitTopology();
  for (const { name: exchange, type } of exchanges) {
    await management(managementUrl, 'PUT', `exchanges/${name}/${exchange}`, { type, durable: true });
  }
  const queue = queues.find((known) => known.name === LEASE_QUEUE);
  await management(managementUrl, 'PUT', `queues/${name}/${LEASE_QUEUE}`, {
    durable: true,
    arguments: queue?.arguments,
  });
  return name;
}

async function dropVhost(managementUrl: string, name: string): Promise<void> {
  await management(managementUrl, 'DELETE', `vhosts/${name}`);
}

async function management(base: string, method: string, path: string, body?: object): Promise<void> {
  const url = new URL(base);
  const authorization = `Basic ${Buffer.from(`${url.username}:${decodeURIComponent(url.password)}`).toString('base64')}`;
  const response = await fetch(`${url.protocol}//${url.host}/api/${path}`, {
    method,
    headers: { authorization, 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`RabbitMQ refused ${method} ${path}: ${response.status}`);
}

/** Redis database 1 to 15, emptied: the service's keys have one fixed prefix. */
async function emptyRedis(serviceUrl: string, adminUrl: string): Promise<string> {
  const database = 1 + ((randomBytes(1)[0] as number) % 15);
  const admin = new Redis(withPath(adminUrl, String(database)));
  await admin.flushdb();
  await admin.quit();
  return withPath(serviceUrl, String(database));
}

function withPath(url: string, path: string): string {
  const changed = new URL(url);
  changed.pathname = `/${path}`;
  return changed.href;
}

/** A token of the demo's service account: roles viewer, analyst, operator, admin in workspace `demo`. */
export async function demoToken(): Promise<string> {
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
