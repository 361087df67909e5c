import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { inPostgres, ownServiceDatabase, testServers } from '@sociograph/testing';

jest.setTimeout(60_000);

const ROOT = join(__dirname, '..');

/** What PostgreSQL says that somebody may do, beside the owner; rights to columns with the name of the column. */
const GRANTED = `
  WITH given AS (
    SELECT c.relname AS name, acl.grantee, acl.privilege_type AS what, acl.is_grantable, NULL AS col
    FROM pg_class c, aclexplode(c.relacl) acl
    WHERE c.relnamespace = 'public'::regnamespace AND acl.grantee <> c.relowner
    UNION ALL
    SELECT c.relname, acl.grantee, acl.privilege_type, acl.is_grantable, a.attname
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid, aclexplode(a.attacl) acl
    WHERE c.relnamespace = 'public'::regnamespace AND acl.grantee <> c.relowner
  )
  SELECT name, coalesce(r.rolname, 'PUBLIC') AS role,
         what || coalesce('(' || col || ')', '') || CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END AS what
  FROM given LEFT JOIN pg_roles r ON r.oid = given.grantee`;

/** `SELECT, UPDATE (a, b)` as `SELECT`, `UPDATE(a)`, `UPDATE(b)`. */
function rightsOf(cell: string): string[] {
  return [...cell.matchAll(/([A-Z]+)(?: \(([^)]*)\))?/g)].flatMap(([, what = '', columns]) =>
    columns === undefined ? [what] : columns.split(', ').map((column) => `${what}(${column})`),
  );
}

/** The rows of the README's table: table or sequence, rights of `app`, rights of `worker`. */
function documented(): string[] {
  const text = readFileSync(join(ROOT, 'README.md'), 'utf8');
  const section = text.split('\n## ').find((part) => part.startsWith('Rights in PostgreSQL')) ?? '';
  const rows = section.split('\n').filter((line) => line.startsWith('| `'));
  return rows.flatMap((line) => {
    const [, name = '', app = '', worker = ''] = line.split('|').map((cell) => cell.trim());
    const table = name.replaceAll('`', '');
    return [
      ...rightsOf(app).map((right) => `${table} key_service_app ${right}`),
      ...rightsOf(worker).map((right) => `${table} key_service_worker ${right}`),
    ];
  });
}

/** The rights in a database that all migrations made, after `before` was said to it. */
async function granted(before?: string): Promise<string[]> {
  const database = await ownServiceDatabase(testServers(), 'key-service');
  try {
    if (before !== undefined) await inPostgres(database.adminUrl, (client) => client.query(before));
    const env = {
      DATABASE_URL_OWNER: database.urlOf('owner'),
      LOG_LEVEL: 'warn',
      PATH: process.env['PATH'],
    };
    await promisify(execFile)(process.execPath, [join(ROOT, 'dist', 'migrate.js')], { env });
    const { rows } = await inPostgres(database.adminUrl, (client) => client.query(GRANTED));
    return (rows as { name: string; role: string; what: string }[]).map(
      ({ name, role, what }) => `${name} ${role} ${what}`,
    );
  } finally {
    await database.drop();
  }
}

describe('the rights of the two roles that serve', () => {
  it('are those that the README lists, and no other', async () => {
    const list = documented();
    expect(new Set(list).size).toBe(list.length);
    expect(list.length).toBeGreaterThan(40);
    expect((await granted()).sort()).toEqual(list.sort());
  });

  it('are the same in a database that would give more by default', async () => {
    const generous = `
      ALTER DEFAULT PRIVILEGES FOR ROLE key_service_owner IN SCHEMA public
        GRANT ALL ON TABLES TO key_service_app, key_service_worker;
      ALTER DEFAULT PRIVILEGES FOR ROLE key_service_owner IN SCHEMA public
        GRANT ALL ON SEQUENCES TO key_service_app, key_service_worker`;
    expect((await granted(generous)).sort()).toEqual(documented().sort());
  });
});
