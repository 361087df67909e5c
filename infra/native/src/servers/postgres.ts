import {
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { accepts, type Launch } from '../launch';
import { find, run, userIds, versionedFolders } from '../run-command';
import { connectPostgres, ensureServiceDatabase } from './postgres-roles';
import { PlainFault, type Requirement, Server } from './server';

/** Services with a database of their own, by the name that database and roles start with. */
export const DATABASES = ['key_service', 'parser_service', 'identity_service'] as const;

export const POSTGRES_ADMIN = 'sociograph_admin';

/** PostgreSQL: one database per service, three roles each; scram passwords only, no socket, loopback only. */
export class PostgresServer extends Server {
  readonly name = 'postgres';
  readonly port = this.stack.ports.of('postgres');
  private readonly folder = join(this.stack.dir, 'data', 'postgres');
  /** SIGINT is PostgreSQL's fast shutdown: it does not wait for clients. */
  override readonly stopSignal = 'SIGINT';

  get marker(): string {
    return `-D ${this.data()}`;
  }

  override given(): string | undefined {
    return this.stack.given['ADMIN_DATABASE_URL'];
  }

  override requirements(): Requirement[] {
    return [
      {
        packages: ['postgresql'],
        found: () => this.binary('postgres'),
        wayOut:
          'install PostgreSQL 14 or later (`apt-get install postgresql`, `brew install postgresql@17`), ' +
          'or set ADMIN_DATABASE_URL to a superuser of a server of yours.',
      },
    ];
  }

  async prepare(): Promise<void> {
    if (existsSync(join(this.folder, 'PG_VERSION'))) return;
    const user = this.user();
    await this.purge(); // What a start that was cut off left behind.
    await this.makeFolder(user);
    const scratch = mkdtempSync(join(tmpdir(), 'sociograph-'));
    const passwordFile = join(scratch, 'password');
    writeFileSync(passwordFile, this.stack.secrets.password('postgres.admin'), { mode: 0o600 });
    if (user !== undefined) for (const path of [scratch, passwordFile]) chownSync(path, user.uid, user.gid);
    const login = ['-U', POSTGRES_ADMIN, '-A', 'scram-sha-256', `--pwfile=${passwordFile}`];
    try {
      await run(this.binary('initdb') as string, ['-D', this.data(), ...login, '-E', 'UTF8', '--locale=C'], {
        cwd: '/',
        user,
      });
    } catch (error) {
      throw new PlainFault(
        `PostgreSQL could not make its data folder ${this.data()}. ${(error as Error).message}`,
      );
    } finally {
      rmSync(scratch, { recursive: true, force: true });
    }
  }

  override async purge(): Promise<void> {
    rmSync(this.data(), { recursive: true, force: true });
    rmSync(this.folder, { recursive: true, force: true });
  }

  launch(): Launch {
    const settings = {
      port: String(this.port),
      listen_addresses: '127.0.0.1',
      unix_socket_directories: '',
      max_connections: '200',
      shared_buffers: '64MB',
      max_wal_size: '512MB',
      log_timezone: 'UTC',
      timezone: 'UTC',
    };
    return {
      file: this.binary('postgres') as string,
      args: [
        '-D',
        this.data(),
        ...Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`]),
      ],
      cwd: '/',
      user: this.user(),
    };
  }

  async ready(): Promise<boolean> {
    if (this.given() === undefined && !(await accepts(this.port))) return false;
    try {
      await (await connectPostgres(this.adminUrl())).end();
      return true;
    } catch {
      return false;
    }
  }

  override async fill(): Promise<void> {
    for (const database of DATABASES) {
      await ensureServiceDatabase(this.adminUrl(), database, (role) =>
        this.stack.secrets.password(`postgres.${role}`),
      );
    }
  }

  adminUrl(): string {
    const password = this.stack.secrets.password('postgres.admin');
    return this.given() ?? `postgresql://${POSTGRES_ADMIN}:${password}@127.0.0.1:${this.port}/postgres`;
  }

  /** PostgreSQL refuses to run as root: the package's own user runs it then, and owns the data folder. */
  private user(): { uid: number; gid: number } | undefined {
    if (process.getuid?.() !== 0) return undefined;
    const ids = userIds('postgres') ?? userIds('nobody');
    if (ids === undefined)
      throw new PlainFault('PostgreSQL refuses to run as root and there is no user `postgres`: add one.');
    return ids;
  }

  /**
   * Where root's home or another closed folder is in the way, the server's own user cannot reach the stack's folder: the data
   * then lies below /var/tmp, with a link to it.
   */
  private async makeFolder(user: { uid: number; gid: number } | undefined): Promise<void> {
    mkdirSync(this.folder, { recursive: true, mode: 0o700 });
    if (user === undefined) return;
    chownSync(this.folder, user.uid, user.gid);
    const reachable = await run('test', ['-w', this.folder], { cwd: '/', user }).then(
      () => true,
      () => false,
    );
    if (reachable) return;
    const elsewhere = mkdtempSync('/var/tmp/sociograph-postgres-');
    chownSync(elsewhere, user.uid, user.gid);
    rmSync(this.folder, { recursive: true });
    symlinkSync(elsewhere, this.folder);
  }

  /** The folder itself, also behind a link. */
  private data(): string {
    return existsSync(this.folder) ? realpathSync(this.folder) : this.folder;
  }

  private binary(name: string): string | undefined {
    return find(name, [
      ...versionedFolders('/usr/lib/postgresql', /^\d+$/, 'bin'),
      ...versionedFolders('/opt/homebrew/opt', /^postgresql@\d+$/, 'bin'),
    ]);
  }
}
