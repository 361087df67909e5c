import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { accepts, type Launch } from '../launch';
import { Server } from './server';

/** Services that keep collections in ArangoDB: each has an account and a database of its own. */
export const ARANGO_DATABASES = {
  'graph-storage-service': 'graph',
  'read-model-projector': 'views',
} as const;

/** Our stand-in for ArangoDB where none can be had. Test mode shuffles results and injects conflicts. */
export class ArangoEmbeddedServer extends Server {
  readonly name = 'arango-embedded';
  readonly port = this.stack.ports.of('arango');
  private readonly program = join('libs', 'arango-embedded', 'dist', 'main.js');
  readonly marker = `--conditions=sociograph-${this.stack.name} ${this.program}`;

  override given(): string | undefined {
    return this.stack.given['ARANGO_URL'];
  }

  /** False until it is built; `up` says so and goes on without it. */
  built(): boolean {
    return existsSync(join(this.stack.root, this.program));
  }

  async prepare(): Promise<void> {
    mkdirSync(join(this.stack.dir, 'data', 'arango'), { recursive: true });
    const account = (username: string, databases: readonly string[]): object => ({
      username,
      password: this.password(username),
      databases,
    });
    const accounts = Object.entries(ARANGO_DATABASES).map(([service, database]) =>
      account(service, [database]),
    );
    this.stack.secrets.derived(
      'arango-users.json',
      JSON.stringify([account('root', ['*', '_system']), ...accounts], null, 1),
    );
  }

  launch(): Launch {
    return {
      file: process.execPath,
      // The condition has no effect on a program without conditional imports: it marks the process as this stack's.
      args: [`--conditions=sociograph-${this.stack.name}`, this.program],
      cwd: this.stack.root,
      env: {
        PATH: process.env['PATH'] ?? '/usr/bin:/bin',
        NODE_OPTIONS: '--max-old-space-size=160 --max-semi-space-size=4',
        SERVICE_NAME: 'arango-embedded',
        ARANGO_EMBEDDED_HOST: '127.0.0.1',
        ARANGO_EMBEDDED_PORT: String(this.port),
        ARANGO_EMBEDDED_DATA_DIR: join(this.stack.dir, 'data', 'arango'),
        ARANGO_EMBEDDED_USERS_FILE: join(this.stack.dir, 'secrets', 'arango-users.json'),
        ARANGO_EMBEDDED_TEST_MODE: this.stack.name === 'test' ? '1' : '0',
      },
    };
  }

  async ready(): Promise<boolean> {
    if (this.given() === undefined) return accepts(this.port);
    return (await this.request('GET', '/_api/version').catch(() => undefined))?.ok ?? false;
  }

  /** Creates the services' databases; 409 means that one is there already. */
  override async fill(): Promise<void> {
    for (const [service, name] of Object.entries(ARANGO_DATABASES)) {
      // Our own server has its accounts from a file.
      const accounts = this.given() !== undefined && this.ownsAccounts();
      const users = accounts
        ? [{ username: service, passwd: this.password(service), active: true }]
        : undefined;
      const response = await this.request('POST', '/_api/database', {
        name,
        ...(users === undefined ? {} : { users }),
      });
      if (!response.ok && response.status !== 409) {
        throw new Error(
          `ArangoDB refused to create database ${name}: ${response.status} ${await response.text()}`,
        );
      }
    }
  }

  url(): string {
    return this.given() ?? `http://127.0.0.1:${this.port}`;
  }

  credentials(account: string): { username: string; password: string } {
    if (this.given() === undefined || (account !== 'root' && this.ownsAccounts())) {
      return { username: account, password: this.password(account) };
    }
    return {
      username: this.stack.given['ARANGO_USERNAME'] ?? 'root',
      password: this.stack.given['ARANGO_PASSWORD'] ?? '',
    };
  }

  private request(method: string, path: string, body?: object): Promise<Response> {
    const { username, password } = this.credentials('root');
    return fetch(`${this.url()}/_db/_system${path}`, {
      method,
      headers: { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` },
      signal: AbortSignal.timeout(10_000),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }

  private password(account: string): string {
    return this.stack.secrets.password(`arango.${account}`);
  }
}
