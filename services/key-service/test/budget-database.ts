import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Postgres } from '@sociograph/postgres';
import { testServers } from '@sociograph/testing';
import { Client } from 'pg';

const MIGRATION = join(
  __dirname,
  '..',
  'prisma',
  'migrations',
  '20261121151000_budget_blocks',
  'migration.sql',
);

/** The table of budget blocks in a database of its own, with the rights that its migration gives and no others. */
export async function budgetDatabase(): Promise<{
  worker: Postgres;
  app: Postgres;
  asAdmin(sql: string): Promise<void>;
  close(): Promise<void>;
}> {
  const servers = testServers();
  const name = `key_service_budgets_${randomBytes(5).toString('hex')}`;
  const at = (url: string) => Object.assign(new URL(url), { pathname: `/${name}` }).href;
  const run = async (url: string, sql: string): Promise<void> => {
    const client = new Client({ connectionString: url });
    await client.connect();
    await client.query(sql).finally(() => client.end());
  };
  await run(servers.adminDatabaseUrl, `CREATE DATABASE ${name} OWNER key_service_owner`);
  const admin = at(servers.adminDatabaseUrl);
  await run(
    admin,
    `ALTER SCHEMA public OWNER TO key_service_owner;
     GRANT USAGE ON SCHEMA public TO key_service_app, key_service_worker;`,
  );
  await run(at(servers.of('key-service', 'DATABASE_URL_OWNER')), readFileSync(MIGRATION, 'utf8'));
  const open = (variable: string) =>
    new Postgres({ url: at(servers.of('key-service', variable)), max: 4, logger: { warn: () => undefined } });
  const [worker, app] = [open('DATABASE_URL_WORKER'), open('DATABASE_URL_APP')];
  return {
    worker,
    app,
    asAdmin: (sql) => run(admin, sql),
    async close() {
      await Promise.all([worker.end(), app.end()]);
      await run(servers.adminDatabaseUrl, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    },
  };
}
