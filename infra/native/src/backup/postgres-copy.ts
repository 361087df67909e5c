import { chmodSync } from 'node:fs';
import { find, run, versionedFolders } from '../run-command';
import { connectPostgres } from '../servers/postgres-roles';
import { PlainFault } from '../servers/server';

/**
 * Writes one database as pg_dump sees it: one snapshot, taken while everybody goes on working. Answers the migrations that
 * it has had.
 */
export async function dumpDatabase(url: string, file: string): Promise<string[]> {
  const args = ['--format=custom', '--compress=1', '--no-password', `--file=${file}`];
  await run(tool('pg_dump'), args, { env: accountOf(url) });
  chmodSync(file, 0o600);
  const client = await connectPostgres(url);
  try {
    const table = await client.query(`SELECT to_regclass('public._prisma_migrations') IS NOT NULL AS there`);
    if (!(table.rows as { there: boolean }[])[0]?.there) return [];
    const done = await client.query(
      'SELECT migration_name AS name FROM _prisma_migrations WHERE finished_at IS NOT NULL ORDER BY 1',
    );
    return (done.rows as { name: string }[]).map(({ name }) => name);
  } finally {
    await client.end();
  }
}

/** Puts a dump into an empty database, whole or not at all; the roles that it names must be there. */
export async function restoreDatabase(url: string, file: string): Promise<void> {
  const database = decodeURIComponent(new URL(url).pathname.slice(1));
  const args = ['--exit-on-error', '--single-transaction', '--no-password', `--dbname=${database}`, file];
  await run(tool('pg_restore'), args, { env: accountOf(url) });
}

/** Tables of the database; none in an empty one. */
export async function tablesIn(url: string): Promise<number> {
  const client = await connectPostgres(url);
  try {
    const found = await client.query(
      `SELECT count(*)::int AS tables FROM pg_tables WHERE schemaname = 'public'`,
    );
    return (found.rows as { tables: number }[])[0]?.tables ?? 0;
  } finally {
    await client.end();
  }
}

/**
 * What must not be taken up as it was, by database.
 *
 * Leases and charges were in Redis: the pool begins a new epoch, from which fences follow. Redis may have been lost since the
 * backup too, and epochs begun that nobody remembers: a hundred are left out, or fences would be given twice.
 *
 * Messages were in RabbitMQ: calls that wait for theirs are old enough for parser-service to put them back at its next look,
 * instead of after three minutes.
 */
export const RECONCILING: Readonly<Record<string, string>> = {
  key_service: 'UPDATE pool_epochs SET epoch = epoch + 100, begun_at = now()',
  parser_service: `UPDATE calls SET dispatched_at = dispatched_at - interval '1 hour', begun_at = begun_at - interval '1 hour'
    WHERE state IN ('queued', 'running')`,
};

export async function reconcile(url: string, database: string): Promise<void> {
  const statement = RECONCILING[database];
  if (statement === undefined) return;
  const client = await connectPostgres(url);
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

function tool(name: string): string {
  const path = find(name, [
    ...versionedFolders('/usr/lib/postgresql', /^\d+$/, 'bin'),
    ...versionedFolders('/opt/homebrew/opt', /^postgresql@\d+$/, 'bin'),
  ]);
  if (path === undefined)
    throw new PlainFault(
      `There is no ${name}: install PostgreSQL's client (\`apt-get install postgresql-client\`).`,
    );
  return path;
}

/** The account goes by the environment: a command line can be read by everybody on the machine. */
function accountOf(url: string): Record<string, string | undefined> {
  const { hostname, port, username, password, pathname, searchParams } = new URL(url);
  const mode = searchParams.get('sslmode');
  return {
    PATH: process.env['PATH'],
    PGHOST: hostname,
    PGPORT: port || '5432',
    PGUSER: decodeURIComponent(username),
    PGPASSWORD: decodeURIComponent(password),
    PGDATABASE: decodeURIComponent(pathname.slice(1)),
    ...(mode !== null && { PGSSLMODE: mode }),
  };
}
