import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inPostgres, type OwnServiceDatabase, ownServiceDatabase } from './own-database';
import { testServers } from './test-servers';

const SERVICES = join(__dirname, '../../../services');
const FOLDERS = ['prisma/migrations', 'database/migrations'];
/** Columns that say whose a row is. `workspaces` is keyed by the workspace itself. */
const MARKS = ['workspace_id', 'key_workspace_id'];

export interface ServiceTable {
  name: string;
  /** Row-level security is on, for the owner of the table too. */
  forced: boolean;
  /** What `app` may read. */
  columns: string[];
  /** Those of the columns that say whose a row is. */
  marks: string[];
  /** A column that `app` may read and change. */
  changeable: string | undefined;
  /** `app` may add rows. */
  takes: boolean;
}

/** Services with migrations, so that a new one is tried as well. */
export function servicesWithDatabases(): string[] {
  return readdirSync(SERVICES).filter((service) => folderOf(service) !== undefined);
}

/** The tables of a service in a database of its own. */
export async function migratedDatabase(service: string): Promise<OwnServiceDatabase> {
  const folder = folderOf(service);
  if (folder === undefined) throw new Error(`${service} has no migrations`);
  const database = await ownServiceDatabase(testServers(), service);
  const names = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  await inPostgres(database.urlOf('owner'), async (owner) => {
    for (const { name } of names.sort((a, b) => (a.name < b.name ? -1 : 1)))
      await owner.query(readFileSync(join(folder, name, 'migration.sql'), 'utf8'));
  });
  return database;
}

/** Every table of the schema, and what `app` may do with it. */
export async function tablesOf(database: OwnServiceDatabase): Promise<ServiceTable[]> {
  const app = decodeURIComponent(new URL(database.urlOf('app')).username);
  const { rows } = await inPostgres(database.adminUrl, (admin) =>
    admin.query<{
      name: string;
      forced: boolean;
      column: string;
      reads: boolean;
      changes: boolean;
      takes: boolean;
    }>(
      `SELECT c.relname AS name, c.relrowsecurity AND c.relforcerowsecurity AS forced, a.attname AS column,
              has_column_privilege($1, c.oid, a.attnum, 'SELECT') AS reads,
              has_column_privilege($1, c.oid, a.attnum, 'UPDATE') AS changes,
              has_table_privilege($1, c.oid, 'INSERT') AS takes
       FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
       WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
       ORDER BY c.relname, a.attnum`,
      [app],
    ),
  );
  return [...new Set(rows.map(({ name }) => name))].map((name) => {
    const own = rows.filter((row) => row.name === name);
    const columns = own.filter(({ reads }) => reads).map(({ column }) => column);
    const marks = columns.filter((column) => MARKS.includes(column));
    return {
      name,
      forced: own.every(({ forced }) => forced),
      columns,
      marks: name === 'workspaces' ? ['id'] : marks,
      changeable: own.find(({ column, reads, changes }) => reads && changes && !marks.includes(column))
        ?.column,
      takes: own.some(({ takes }) => takes),
    };
  });
}

/** So many rows of each workspace in every table, past all checks, triggers and references: only whose they are counts. */
export async function fillTables(
  database: OwnServiceDatabase,
  workspaces: readonly string[],
  rowsOfEach: number,
): Promise<void> {
  await inPostgres(database.adminUrl, async (admin) => {
    await admin.query("SET session_replication_role = 'replica'");
    const checks = await admin.query<{ table: string; name: string }>(
      `SELECT conrelid::regclass::text AS table, quote_ident(conname) AS name FROM pg_constraint
       WHERE contype = 'c' AND connamespace = 'public'::regnamespace`,
    );
    for (const { table, name } of checks.rows)
      await admin.query(`ALTER TABLE ${table} DROP CONSTRAINT ${name}`);
    const { rows } = await admin.query<{ table: string; columns: string[]; types: string[] }>(
      `SELECT table_name AS table, array_agg(column_name::text) AS columns, array_agg(udt_name::text) AS types
       FROM information_schema.columns WHERE table_schema = 'public' GROUP BY table_name`,
    );
    for (const { table, columns, types } of rows) {
      for (const [at, workspace] of workspaces.entries())
        // Fewer where the workspace is the key.
        await admin.query(
          `INSERT INTO ${table} (${columns.join(', ')})
           SELECT ${columns.map((column, n) => valueOf(table, column, types[n] ?? '')).join(', ')}
           FROM generate_series($2::int, $3::int) n, (SELECT $1::text AS workspace) given
           ON CONFLICT DO NOTHING`,
          [workspace, 1 + at * rowsOfEach, (at + 1) * rowsOfEach],
        );
    }
    // What the tables number themselves begins after the rows that are there.
    await admin.query(
      `SELECT setval(oid::regclass, 1000000) FROM pg_class
       WHERE relkind = 'S' AND relnamespace = 'public'::regnamespace`,
    );
  });
}

function valueOf(table: string, column: string, type: string): string {
  if (MARKS.includes(column) || (table === 'workspaces' && column === 'id')) return 'workspace';
  switch (type) {
    case 'text':
      return `'${column}-' || n`;
    case 'uuid':
      return 'gen_random_uuid()';
    case 'jsonb':
      return "'{}'";
    case 'bool':
      return 'false';
    case '_text':
      return "'{}'";
    case 'bytea':
      return "'x'";
    case 'timestamptz':
      return 'now()';
    default:
      return 'n';
  }
}

function folderOf(service: string): string | undefined {
  return FOLDERS.map((folder) => join(SERVICES, service, folder)).find((folder) => existsSync(folder));
}
