import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Client } from 'pg';
import { dumpDatabase, reconcile, restoreDatabase, tablesIn } from '../src/backup/postgres-copy';
import { grants } from '../src/servers/postgres-roles';

jest.setTimeout(120_000);

const MIGRATIONS = resolve(__dirname, '../../../services/key-service/prisma/migrations');

describe('a database of a service', () => {
  const { ADMIN_DATABASE_URL: admin = '', KEY_SERVICE_DATABASE_URL_OWNER: owner = '' } = process.env;
  const folder = mkdtempSync(join(tmpdir(), 'backup-postgres-'));
  const made: string[] = [];

  const inDatabase = async <T>(url: string, work: (client: Client) => Promise<T>): Promise<T> => {
    const client = new Client({ connectionString: url });
    await client.connect();
    try {
      return await work(client);
    } finally {
      await client.end();
    }
  };
  const named = (url: string, database: string): string => {
    const address = new URL(url);
    address.pathname = `/${database}`;
    return address.href;
  };
  const rows = async (url: string, statement: string): Promise<unknown[]> =>
    inDatabase(url, async (client) => (await client.query(statement)).rows as unknown[]);
  const create = async (): Promise<string> => {
    const name = `own_${randomBytes(6).toString('hex')}`;
    made.push(name);
    await inDatabase(admin, (client) => client.query(`CREATE DATABASE ${name} OWNER key_service_owner`));
    // The roles of the stack, and the rights that a database of this name would have.
    const rights = grants('key_service').replaceAll('DATABASE "key_service"', `DATABASE ${name}`);
    await inDatabase(named(admin, name), (client) => client.query(rights));
    return name;
  };
  afterAll(async () => {
    for (const name of made)
      await inDatabase(admin, (client) => client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`));
    rmSync(folder, { recursive: true, force: true });
  });

  it('is written in one snapshot and put back with rows, rights and rules, into an empty one alone', async () => {
    const source = await create();
    await inDatabase(named(owner, source), async (client) => {
      for (const name of readdirSync(MIGRATIONS)
        .filter((each) => /^\d/.test(each))
        .sort())
        await client.query(readFileSync(join(MIGRATIONS, name, 'migration.sql'), 'utf8'));
      await client.query(`CREATE TABLE _prisma_migrations (migration_name text, finished_at timestamptz)`);
      await client.query(
        `INSERT INTO _prisma_migrations VALUES ('2_b', now()), ('1_a', now()), ('3_c', NULL)`,
      );
    });
    const from = named(admin, source);
    await rows(from, `UPDATE pool_epochs SET epoch = 7`);
    await rows(
      from,
      `INSERT INTO data_keys (id, workspace_id, wrapped, created_at)
      SELECT gen_random_uuid(), 'w' || n, decode('00ff', 'hex'), '2026-11-22' FROM generate_series(1, 500) n`,
    );

    const file = join(folder, 'key_service.dump');
    expect(await dumpDatabase(from, file)).toEqual(['1_a', '2_b']);
    expect(statSync(file).mode & 0o777).toBe(0o600);

    const target = await create();
    const to = named(admin, target);
    expect(await tablesIn(to)).toBe(0);
    await restoreDatabase(to, file);
    for (const statement of [
      'SELECT * FROM data_keys ORDER BY id',
      'SELECT epoch, begun_at FROM pool_epochs',
      `SELECT tablename, tableowner, rowsecurity FROM pg_tables WHERE schemaname = 'public' ORDER BY 1`,
      'SELECT tablename, policyname, roles, cmd, qual, with_check FROM pg_policies ORDER BY 1, 2',
      `SELECT relname, relforcerowsecurity, relacl::text[] FROM pg_class
       WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'S') ORDER BY 1`,
      `SELECT table_name, column_name, grantee, privilege_type FROM information_schema.column_privileges
       WHERE table_schema = 'public' ORDER BY 1, 2, 3, 4`,
      `SELECT nspacl::text[] FROM pg_namespace WHERE nspname = 'public'`,
    ]) {
      const there = await rows(from, statement);
      expect(there.length).toBeGreaterThan(0);
      expect(await rows(to, statement)).toEqual(there);
    }
    expect(await tablesIn(to)).toBe(await tablesIn(from));

    await reconcile(to, 'key_service');
    expect(await rows(to, 'SELECT epoch::int FROM pool_epochs')).toEqual([{ epoch: 107 }]);
    await expect(restoreDatabase(to, file)).rejects.toThrow(/already exists/);
    expect(await rows(to, 'SELECT epoch::int FROM pool_epochs')).toEqual([{ epoch: 107 }]);
  });

  it('of imports has its open calls put back at the next look, and no others', async () => {
    const url = named(admin, await create());
    await rows(
      url,
      `CREATE TABLE calls (state text, dispatched_at timestamptz, begun_at timestamptz);
       INSERT INTO calls VALUES ('queued', '2026-11-22 10:00Z', NULL),
         ('running', '2026-11-22 10:00Z', '2026-11-22 10:01Z'), ('done', '2026-11-22 10:00Z', '2026-11-22 10:01Z')`,
    );
    await reconcile(url, 'parser_service');
    await reconcile(url, 'identity_service');
    expect(
      await rows(
        url,
        `SELECT state, (dispatched_at AT TIME ZONE 'UTC')::time::text AS sent, (begun_at AT TIME ZONE 'UTC')::time::text AS begun
         FROM calls ORDER BY state`,
      ),
    ).toEqual([
      { state: 'done', sent: '10:00:00', begun: '10:01:00' },
      { state: 'queued', sent: '09:00:00', begun: null },
      { state: 'running', sent: '09:00:00', begun: '09:01:00' },
    ]);
  });

  it('that is none, and a dump that is cut off, are told', async () => {
    const empty = join(folder, 'empty.dump');
    expect(await dumpDatabase(named(admin, await create()), empty)).toEqual([]);
    await expect(dumpDatabase(named(admin, 'own_of_nobody'), join(folder, 'x'))).rejects.toThrow(
      /does not exist/,
    );
    const cut = join(folder, 'cut.dump');
    writeFileSync(cut, readFileSync(empty).subarray(0, 200));
    await expect(restoreDatabase(named(admin, await create()), cut)).rejects.toThrow(/pg_restore/);
  });
});
