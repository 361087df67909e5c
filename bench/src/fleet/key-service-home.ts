import { execFile } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  eventually,
  freePort,
  type OwnServiceDatabase,
  ownServiceDatabase,
  type OwnVhost,
  ownVhost,
  ProcessHandle,
  type TestServers,
  testServers,
} from '@sociograph/testing';
import { type KeyToRegister, type RegisteredKeys, registerKeys } from './register-keys';
import { ROOT, type ServerEnvironment } from './servers';

const SERVICE = join(ROOT, 'services/key-service/dist');

export interface RunningKeyService {
  url: string;
  /** For workers: their account in the vhost of this service. */
  workerRabbitUrl: string;
  identityKeyPem: string;
  handle: ProcessHandle;
  /** What it was started with: another instance beside it needs only ports of its own. */
  env: Readonly<Record<string, string>>;
  register(keys: readonly KeyToRegister[]): Promise<RegisteredKeys>;
  stop(): Promise<void>;
}

export interface StartOptions {
  /** Variables of its config on top of the usual ones. */
  settings?: Readonly<Record<string, string>>;
  /** Words in front of its command: `taskset -c 0`. */
  wrapper?: readonly string[];
  /** Flags of node. */
  flags?: readonly string[];
}

/**
 * key-service as it is built, each time with an empty database and an empty vhost of its own on servers that others
 * may use too. The schema is migrated once and copied.
 */
export class KeyServiceHome {
  readonly #identity = generateKeyPairSync('ed25519', {
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  readonly #folder = mkdtempSync(join(tmpdir(), 'bench-key-service-'));

  private constructor(
    private readonly env: ServerEnvironment,
    private readonly servers: TestServers,
    private readonly template: OwnServiceDatabase,
  ) {}

  static async make(env: ServerEnvironment): Promise<KeyServiceHome> {
    const servers = testServers(env);
    const home = new KeyServiceHome(env, servers, await ownServiceDatabase(servers, 'key-service'));
    const trusted = { 'parser-service': home.#identity.publicKey };
    writeFileSync(join(home.#folder, 'trusted.json'), JSON.stringify(trusted));
    writeFileSync(join(home.#folder, 'master.key'), randomBytes(32).toString('base64'), { mode: 0o600 });
    await promisify(execFile)(process.execPath, [join(SERVICE, 'migrate.js')], {
      env: {
        DATABASE_URL_OWNER: home.template.urlOf('owner'),
        LOG_LEVEL: 'warn',
        PATH: process.env['PATH'],
      },
    });
    return home;
  }

  async close(): Promise<void> {
    await this.template.drop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async start(redisUrl: string, options: StartOptions = {}): Promise<RunningKeyService> {
    const { settings = {}, wrapper = [], flags = [] } = options;
    const database = await ownServiceDatabase(this.servers, 'key-service', this.template.name);
    const vhost = await ownVhost(this.servers, ['key-service', 'parser-service']);
    const ports = { http: await freePort(), management: await freePort() };
    const env = {
      ...this.#settings(database, vhost, redisUrl, ports),
      ...settings,
      PATH: process.env['PATH'] ?? '',
    };
    const [command = process.execPath, ...args] = [
      ...wrapper,
      process.execPath,
      ...flags,
      join(SERVICE, 'main.js'),
    ];
    const handle = await new ProcessHandle({ command, args, env, cwd: ROOT }).start();
    const stop = async (): Promise<void> => {
      await handle.end('SIGTERM', 20_000);
      await vhost.drop();
      await database.drop();
    };
    await started(handle, `http://127.0.0.1:${ports.management}/health/startup`).catch(
      async (error: unknown) => {
        await stop();
        throw error;
      },
    );
    const url = `http://127.0.0.1:${ports.http}`;
    return {
      url,
      workerRabbitUrl: vhost.urlOf('parser-service'),
      identityKeyPem: this.#identity.privateKey,
      handle,
      env,
      register: (keys) => registerKeys(this.env, url, keys),
      stop,
    };
  }

  #settings(
    database: OwnServiceDatabase,
    vhost: OwnVhost,
    redisUrl: string,
    ports: { http: number; management: number },
  ): Record<string, string> {
    const optional = (name: string): Record<string, string> => {
      const value = this.env[`KEY_SERVICE_${name}`];
      return value === undefined ? {} : { [name]: value };
    };
    return {
      SERVICE_NAME: 'key-service',
      INSTANCE_ID: '0',
      NODE_ENV: 'development',
      LOG_LEVEL: 'info',
      HTTP_HOST: '127.0.0.1',
      HTTP_PORT: String(ports.http),
      MANAGEMENT_PORT: String(ports.management),
      OIDC_ISSUER: this.#need('OIDC_ISSUER'),
      OIDC_JWKS_URL: this.#need('OIDC_JWKS_URL'),
      OIDC_AUDIENCE: this.#need('OIDC_AUDIENCE'),
      OIDC_CLIENTS: this.#need('OIDC_CLIENTS'),
      KAFKA_BROKERS: this.#need('KAFKA_BROKERS'),
      ...optional('KAFKA_USERNAME'),
      ...optional('KAFKA_PASSWORD'),
      RABBITMQ_URL: vhost.urlOf('key-service'),
      DATABASE_URL_APP: database.urlOf('app'),
      DATABASE_URL_WORKER: database.urlOf('worker'),
      REDIS_POOL_URL: redisUrl,
      KMS_PROVIDER: 'local',
      KMS_MASTER_KEY_FILE: join(this.#folder, 'master.key'),
      LEASE_TRUSTED_FILE: join(this.#folder, 'trusted.json'),
    };
  }

  #need(name: string): string {
    const value = this.env[name];
    if (value === undefined || value === '') throw new Error(`the servers' environment has no ${name}`);
    return value;
  }
}

/** Its log may be too quiet to say so: the page of its health is asked. */
async function started(handle: ProcessHandle, page: string): Promise<void> {
  await eventually(
    async () => {
      if (handle.running) return (await fetch(page)).ok;
      return { ended: true };
    },
    { timeoutMs: 30_000 },
  );
  if (!handle.running) throw new Error(`key-service ended:\n${handle.lines.slice(-20).join('\n')}`);
}
