import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Postgres } from '@sociograph/postgres';
import { inPostgres, ownServiceDatabase, testServers } from '@sociograph/testing';

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
  const database = await ownServiceDatabase(testServers(), 'key-service');
  await inPostgres(database.urlOf('owner'), (client) => client.query(readFileSync(MIGRATION, 'utf8')));
  const open = (role: 'app' | 'worker') =>
    new Postgres({ url: database.urlOf(role), max: 4, logger: { warn: () => undefined } });
  const [worker, app] = [open('worker'), open('app')];
  return {
    worker,
    app,
    asAdmin: (sql) => inPostgres(database.adminUrl, async (client) => void (await client.query(sql))),
    async close() {
      await Promise.all([worker.end(), app.end()]);
      await database.drop();
    },
  };
}
