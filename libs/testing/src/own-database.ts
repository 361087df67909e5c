import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import type { TestServers } from './test-servers';
import { withPath } from './with-path';

export interface OwnDatabase {
  name: string;
  /** A superuser in it, whom row-level security does not hold: for assertions and faults. */
  adminUrl: string;
  drop(): Promise<void>;
}

export interface OwnServiceDatabase extends OwnDatabase {
  /** The service's role in it; its tables come from the service's migrations, which `owner` runs. */
  urlOf(role: 'owner' | 'app' | 'worker'): string;
}

/** One connection for the time of `work`; it is closed however that ends. */
export async function inPostgres<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** An empty database of a random name, which belongs to the administrator. `drop` also ends its connections. */
export async function ownDatabase(servers: TestServers): Promise<OwnDatabase> {
  return create(servers, '');
}

/**
 * A database with the roles and rights that infra/native gives to a service's: `app` and `worker` have what the
 * migrations grant them. `template`: the name of a database to copy, to which nobody may be connected.
 */
export async function ownServiceDatabase(
  servers: TestServers,
  service: string,
  template?: string,
): Promise<OwnServiceDatabase> {
  const roleUrl = (role: string): string => servers.of(service, `DATABASE_URL_${role.toUpperCase()}`);
  const [owner, app, worker] = ['owner', 'app', 'worker'].map(
    (role) => `"${decodeURIComponent(new URL(roleUrl(role)).username)}"`,
  );
  const copied = template === undefined ? '' : ` TEMPLATE "${template}"`;
  const database = await create(servers, ` OWNER ${owner}${copied}`);
  const rights = `
    REVOKE ALL ON DATABASE ${database.name} FROM PUBLIC;
    GRANT CONNECT ON DATABASE ${database.name} TO ${app}, ${worker};
    ALTER SCHEMA public OWNER TO ${owner};
    REVOKE ALL ON SCHEMA public FROM PUBLIC;
    GRANT USAGE ON SCHEMA public TO ${app}, ${worker};`;
  await inPostgres(database.adminUrl, (client) => client.query(rights));
  return { ...database, urlOf: (role) => withPath(roleUrl(role), database.name) };
}

async function create(servers: TestServers, options: string): Promise<OwnDatabase> {
  const name = `own_${randomBytes(6).toString('hex')}`;
  const asAdmin = (sql: string): Promise<unknown> =>
    inPostgres(servers.adminDatabaseUrl, (client) => client.query(sql));
  await asAdmin(`CREATE DATABASE ${name}${options}`);
  return {
    name,
    adminUrl: withPath(servers.adminDatabaseUrl, name),
    drop: async () => void (await asAdmin(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)),
  };
}
