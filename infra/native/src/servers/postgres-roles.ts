import { Client } from 'pg';

/** Kinds of role that every service with a database has. */
export const ROLE_KINDS = ['owner', 'app', 'worker'] as const;

export async function connectPostgres(url: string): Promise<Client> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 2000, query_timeout: 10_000 });
  client.on('error', () => undefined); // The server went away between two calls; the next call says so.
  await client.connect();
  return client;
}

/**
 * One service's database and its three roles. `owner` migrates and owns the tables; `app` and `worker` own nothing and
 * cannot bypass row-level security: they have what the migrations grant them, row by row.
 */
export async function ensureServiceDatabase(
  adminUrl: string,
  database: string,
  password: (role: string) => string,
): Promise<void> {
  const admin = await connectPostgres(adminUrl);
  try {
    for (const kind of ROLE_KINDS)
      await ensureRole(admin, `${database}_${kind}`, password(`${database}_${kind}`));
    const existing = await admin.query('SELECT 1 FROM pg_database WHERE datname = $1', [database]);
    if (existing.rowCount === 0) {
      // A superuser of a managed server is often not one: it must be a member of the owner to give a database away.
      await admin.query(`GRANT ${quoted(`${database}_owner`)} TO CURRENT_USER`);
      await admin.query(`CREATE DATABASE ${quoted(database)} OWNER ${quoted(`${database}_owner`)}`);
    }
  } finally {
    await admin.end();
  }
  const inside = new URL(adminUrl);
  inside.pathname = `/${database}`;
  const client = await connectPostgres(inside.href);
  try {
    await client.query(grants(database));
    if (database === FORGETFUL) await client.query(filesRights(database));
  } finally {
    await client.end();
  }
}

/** Who may enter the database; what app and worker may do with a table is said by the migration that makes it. */
export function grants(database: string): string {
  const [owner, app, worker] = ROLE_KINDS.map((kind) => quoted(`${database}_${kind}`));
  return `
    REVOKE ALL ON DATABASE ${quoted(database)} FROM PUBLIC;
    GRANT CONNECT ON DATABASE ${quoted(database)} TO ${app}, ${worker};
    ALTER SCHEMA public OWNER TO ${owner};
    REVOKE ALL ON SCHEMA public FROM PUBLIC;
    GRANT USAGE ON SCHEMA public TO ${app}, ${worker};
  `;
}

/** The one whose service takes erased people out of its files. */
const FORGETFUL = 'parser_service';

/**
 * Taking erased people out of the database's files ends with its log: the owner may switch it and ask for a checkpoint, where
 * this server knows such rights and we may give them away.
 */
export function filesRights(database: string): string {
  const owner = quoted(`${database}_owner`);
  return `
    DO $$ BEGIN
      GRANT pg_checkpoint TO ${owner};
      GRANT EXECUTE ON FUNCTION pg_switch_wal(), pg_ls_waldir() TO ${owner};
    EXCEPTION WHEN insufficient_privilege OR undefined_object THEN NULL;
    END $$;
  `;
}

async function ensureRole(admin: Client, role: string, password: string): Promise<void> {
  const existing = await admin.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [role]);
  const verb = existing.rowCount === 0 ? 'CREATE' : 'ALTER';
  await admin.query(
    `${verb} ROLE ${quoted(role)} LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE PASSWORD ${literal(password)}`,
  );
}

function quoted(identifier: string): string {
  return `"${identifier.replaceAll('"', '""')}"`;
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
