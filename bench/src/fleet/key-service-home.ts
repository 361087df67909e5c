import { execFile } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { LEASE_QUEUE, rabbitTopology } from '@sociograph/contracts';
import { Postgres } from '@sociograph/postgres';
import { ProcessHandle } from '@sociograph/testing';
import { freePort } from './ports';
import { ROOT, type ServerEnvironment } from './servers';

const SERVICE = join(ROOT, 'services/key-service/dist');
const quiet = { warn: (): void => undefined };

export interface KeyToRegister {
  token: string;
  kind: string;
  name: string;
}

export interface RegisteredKeys {
  workspaceId: string;
  ids: string[];
}

export interface RunningKeyService {
  url: string;
  managementUrl: string;
  /** For workers: their account in the vhost of this service. */
  workerRabbitUrl: string;
  identityKeyPem: string;
  handle: ProcessHandle;
  /** What it was started with: another instance beside it needs only ports of its own. */
  env: Readonly<Record<string, string>>;
  /** Registers keys over REST; says in which workspace (that of the demo's account) and their ids in the order given. */
  register(keys: readonly KeyToRegister[]): Promise<RegisteredKeys>;
  stop(): Promise<void>;
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
  readonly #template = `bench_${randomBytes(5).toString('hex')}`;
  #copies = 0;

  private constructor(private readonly env: ServerEnvironment) {}

  static async make(env: ServerEnvironment): Promise<KeyServiceHome> {
    const home = new KeyServiceHome(env);
    const trusted = { 'parser-service': home.#identity.publicKey };
    writeFileSync(join(home.#folder, 'trusted.json'), JSON.stringify(trusted));
    writeFileSync(join(home.#folder, 'master.key'), randomBytes(32).toString('base64'), { mode: 0o600 });
    await home.#asAdmin(`CREATE DATABASE ${home.#template} OWNER key_service_owner`);
    await home.#asAdmin(
      `ALTER SCHEMA public OWNER TO key_service_owner;
       REVOKE ALL ON SCHEMA public FROM PUBLIC;
       GRANT USAGE ON SCHEMA public TO key_service_app, key_service_worker;
       ALTER DEFAULT PRIVILEGES FOR ROLE key_service_owner IN SCHEMA public
         GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO key_service_app, key_service_worker;
       ALTER DEFAULT PRIVILEGES FOR ROLE key_service_owner IN SCHEMA public
         GRANT USAGE, SELECT ON SEQUENCES TO key_service_app, key_service_worker`,
      home.#template,
    );
    await promisify(execFile)(process.execPath, [join(SERVICE, 'migrate.js')], {
      env: {
        DATABASE_URL_OWNER: withPath(home.#of('DATABASE_URL_OWNER'), home.#template),
        LOG_LEVEL: 'warn',
        PATH: process.env['PATH'],
      },
    });
    return home;
  }

  async close(): Promise<void> {
    await this.#asAdmin(`DROP DATABASE IF EXISTS ${this.#template} WITH (FORCE)`);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** `settings`: variables of its config on top of the usual ones. */
  async start(redisUrl: string, settings: Readonly<Record<string, string>> = {}): Promise<RunningKeyService> {
    this.#copies += 1;
    const name = `${this.#template}_${this.#copies}`;
    await this.#asAdmin(`CREATE DATABASE ${name} TEMPLATE ${this.#template} OWNER key_service_owner`);
    await this.#makeVhost(name);
    const [http, management] = [await freePort(), await freePort()];
    const env = {
      ...this.#settings(name, redisUrl, http, management),
      ...settings,
      PATH: process.env['PATH'] ?? '',
    };
    const handle = new ProcessHandle({ command: process.execPath, args: [join(SERVICE, 'main.js')], env });
    await handle.start();
    const stop = async (): Promise<void> => {
      await handle.end();
      await this.#management('DELETE', `vhosts/${name}`);
      await this.#asAdmin(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    };
    await handle.waitFor(/service started/, 30_000).catch(async (error: unknown) => {
      await stop();
      throw error;
    });
    const url = `http://127.0.0.1:${http}`;
    return {
      url,
      managementUrl: `http://127.0.0.1:${management}`,
      workerRabbitUrl: withPath(this.#of('RABBITMQ_URL', 'PARSER_SERVICE'), name),
      identityKeyPem: this.#identity.privateKey,
      handle,
      env,
      register: (keys) => this.#register(url, keys),
      stop,
    };
  }

  #settings(database: string, redisUrl: string, http: number, management: number): Record<string, string> {
    const { env } = this;
    const optional = (name: string): Record<string, string> => {
      const value = env[`KEY_SERVICE_${name}`];
      return value === undefined ? {} : { [name]: value };
    };
    return {
      SERVICE_NAME: 'key-service',
      INSTANCE_ID: '0',
      NODE_ENV: 'development',
      LOG_LEVEL: 'info',
      HTTP_HOST: '127.0.0.1',
      HTTP_PORT: String(http),
      MANAGEMENT_PORT: String(management),
      OIDC_ISSUER: this.#need('OIDC_ISSUER'),
      OIDC_JWKS_URL: this.#need('OIDC_JWKS_URL'),
      OIDC_AUDIENCE: this.#need('OIDC_AUDIENCE'),
      OIDC_CLIENTS: this.#need('OIDC_CLIENTS'),
      KAFKA_BROKERS: this.#need('KAFKA_BROKERS'),
      ...optional('KAFKA_USERNAME'),
      ...optional('KAFKA_PASSWORD'),
      RABBITMQ_URL: withPath(this.#of('RABBITMQ_URL'), database),
      DATABASE_URL_APP: withPath(this.#of('DATABASE_URL_APP'), database),
      DATABASE_URL_WORKER: withPath(this.#of('DATABASE_URL_WORKER'), database),
      REDIS_POOL_URL: redisUrl,
      KMS_PROVIDER: 'local',
      KMS_MASTER_KEY_FILE: join(this.#folder, 'master.key'),
      LEASE_TRUSTED_FILE: join(this.#folder, 'trusted.json'),
    };
  }

  async #register(url: string, keys: readonly KeyToRegister[]): Promise<RegisteredKeys> {
    const userToken = await this.#userToken();
    const authorization = `Bearer ${userToken}`;
    const ids: string[] = [];
    for (const { token, kind, name } of keys) {
      const consent = { givenBy: 'simulator' };
      const response = await fetch(`${url}/v1/keys`, {
        method: 'POST',
        headers: { authorization, 'content-type': 'application/json' },
        body: JSON.stringify({ network: 'vk', kind, token, label: name, consent }),
      });
      if (response.status !== 201)
        throw new Error(`key-service answered ${response.status} to a new key: ${await response.text()}`);
      ids.push(((await response.json()) as { id: string }).id);
    }
    const claims = Buffer.from(userToken.split('.')[1] ?? '', 'base64url').toString('utf8');
    return { workspaceId: (JSON.parse(claims) as { workspace_id: string }).workspace_id, ids };
  }

  async #userToken(): Promise<string> {
    const realm = `${this.#need('KEYCLOAK_URL')}/realms/${this.#need('KEYCLOAK_REALM')}`;
    const response = await fetch(`${realm}/protocol/openid-connect/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: this.#need('DEMO_CLIENT_ID'),
        client_secret: this.#need('DEMO_CLIENT_SECRET'),
      }),
    });
    if (!response.ok) throw new Error(`Keycloak gave no token: ${response.status}`);
    return ((await response.json()) as { access_token: string }).access_token;
  }

  async #makeVhost(name: string): Promise<void> {
    await this.#management('PUT', `vhosts/${name}`);
    const all = { configure: '.*', write: '.*', read: '.*' };
    const accounts = ['KEY_SERVICE', 'PARSER_SERVICE'].map(
      (of) => new URL(this.#of('RABBITMQ_URL', of)).username,
    );
    for (const account of new Set([...accounts, new URL(this.#need('ADMIN_RABBITMQ_URL')).username]))
      await this.#management('PUT', `permissions/${name}/${account}`, all);
    const { exchanges, queues } = rabbitTopology();
    for (const { name: exchange, type } of exchanges)
      await this.#management('PUT', `exchanges/${name}/${exchange}`, { type, durable: true });
    const queue = queues.find((known) => known.name === LEASE_QUEUE);
    const settings = { durable: true, arguments: queue?.arguments };
    await this.#management('PUT', `queues/${name}/${LEASE_QUEUE}`, settings);
  }

  async #management(method: string, path: string, body?: object): Promise<void> {
    const url = new URL(this.#need('RABBITMQ_MANAGEMENT_URL'));
    const account = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
    const response = await fetch(`${url.protocol}//${url.host}/api/${path}`, {
      method,
      headers: {
        authorization: `Basic ${Buffer.from(account).toString('base64')}`,
        'content-type': 'application/json',
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`RabbitMQ refused ${method} ${path}: ${response.status}`);
  }

  async #asAdmin(sql: string, database?: string): Promise<void> {
    const admin = this.#need('ADMIN_DATABASE_URL');
    const url = database === undefined ? admin : withPath(admin, database);
    const postgres = new Postgres({ url, max: 1, logger: quiet });
    try {
      await postgres.query(sql);
    } finally {
      await postgres.end();
    }
  }

  #of(name: string, service = 'KEY_SERVICE'): string {
    return this.#need(`${service}_${name}`);
  }

  #need(name: string): string {
    const value = this.env[name];
    if (value === undefined || value === '') throw new Error(`the servers' environment has no ${name}`);
    return value;
  }
}

function withPath(url: string, path: string): string {
  const changed = new URL(url);
  changed.pathname = `/${path}`;
  return changed.href;
}
