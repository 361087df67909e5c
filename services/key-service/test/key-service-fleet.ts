import { execFile } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { LEASE_QUEUE } from '@sociograph/contracts';
import { SystemClock, TimeOrderedIds } from '@sociograph/kernel';
import { LeaseClient } from '@sociograph/lease-client';
import { RpcClient } from '@sociograph/messaging';
import { createLogger, type Logger, Metrics } from '@sociograph/observability';
import { createHostContext, startService } from '@sociograph/service-host';
import {
  freePort,
  ownServiceDatabase,
  ownVhost,
  ProcessHandle,
  testServers,
  withPath,
} from '@sociograph/testing';
import { Redis } from 'ioredis';
import type { KeyServiceConfig } from '../src/config';
import { KeyServiceModule } from '../src/key-service.module';

/** key-service on the servers of the test stack, in a database, a vhost and a Redis database of its own. */
export interface KeyServiceFleet {
  url: string;
  config: KeyServiceConfig;
  /** Of a `separate` one. */
  pid: number | undefined;
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
  const folder = mkdtempSync(join(tmpdir(), 'key-service-'));
  const database = await ownServiceDatabase(servers, 'key-service');
  // The schema engine is an ES module, which jest does not load: the built program does it.
  const migration = {
    DATABASE_URL_OWNER: database.urlOf('owner'),
    LOG_LEVEL: 'warn',
    PATH: process.env['PATH'],
  };
  await promisify(execFile)(process.execPath, [join(root, 'dist', 'migrate.js')], { env: migration });
  const vhost = await ownVhost(servers, ['key-service', 'parser-service']);
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
    HTTP_NOTICE_MS: 0,
    TRACE_SAMPLE_RATIO: 0,
    OIDC_ISSUER: OIDC_ISSUER ?? '',
    OIDC_JWKS_URL: OIDC_JWKS_URL ?? '',
    OIDC_AUDIENCE: 'sociograph-api',
    OIDC_CLIENTS: ['sociograph-demo', 'sociograph-cli'],
    KAFKA_BROKERS: servers.kafkaBrokers,
    KAFKA_USERNAME: process.env['KEY_SERVICE_KAFKA_USERNAME'],
    KAFKA_PASSWORD: process.env['KEY_SERVICE_KAFKA_PASSWORD'],
    RABBITMQ_URL: vhost.urlOf('key-service'),
    DATABASE_URL_APP: database.urlOf('app'),
    DATABASE_URL_WORKER: database.urlOf('worker'),
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
  const workerRabbitUrl = vhost.urlOf('parser-service');
  const open: { close(): Promise<void> }[] = [];
  return {
    url: service.url,
    pid: service.pid,
    config,
    logs,
    adminDatabaseUrl: database.adminUrl,
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
      await vhost.drop();
      await database.drop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

interface Running {
  url: string;
  pid?: number | undefined;
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
  return { url: `http://127.0.0.1:${port}`, pid: handle.pid, close: async () => void (await handle.end()) };
}

/** Redis database 1 to 15, emptied: the service's keys have one fixed prefix. */
async function emptyRedis(serviceUrl: string, adminUrl: string): Promise<string> {
  const database = 1 + ((randomBytes(1)[0] as number) % 15);
  const admin = new Redis(withPath(adminUrl, String(database)));
  await admin.flushdb();
  await admin.quit();
  return withPath(serviceUrl, String(database));
}
