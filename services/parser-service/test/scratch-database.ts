import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Postgres } from '@sociograph/postgres';
import { inPostgres, ownServiceDatabase, testServers } from '@sociograph/testing';
import { LASTING_PLANS } from '../src/infrastructure/pg-plans';
import { openPrisma } from '../src/infrastructure/prisma-imports';

export interface ScratchDatabase {
  appUrl: string;
  workerUrl: string;
  ownerUrl: string;
  /** The service's own accounts, as it connects with them. */
  prisma: ReturnType<typeof openPrisma>;
  app: Postgres;
  worker: Postgres;
  /** A superuser in the same database: sees everything, for assertions only. */
  admin: Postgres;
  drop(): Promise<void>;
}

const silent = { warn: () => undefined };

/** A database of its own for one spec file, with the tables of the migrations, used through the service's own roles. */
export async function scratchDatabase(): Promise<ScratchDatabase> {
  const database = await ownServiceDatabase(testServers(), 'parser-service');
  await inPostgres(database.urlOf('owner'), async (owner) => {
    for (const sql of migrations()) await owner.query(sql);
  });
  const admin = new Postgres({ url: database.adminUrl, max: 2, logger: silent });
  const [appUrl, workerUrl] = [database.urlOf('app'), database.urlOf('worker')];
  const prisma = openPrisma(appUrl);
  const app = new Postgres({ url: appUrl, max: 6, logger: silent });
  const worker = new Postgres({ url: workerUrl, max: 12, logger: silent, ...LASTING_PLANS });
  return {
    appUrl,
    workerUrl,
    ownerUrl: database.urlOf('owner'),
    prisma,
    app,
    worker,
    admin,
    async drop() {
      await Promise.all([prisma.$disconnect(), app.end(), worker.end(), admin.end()]);
      await database.drop();
    },
  };
}

/** The migrations' SQL in their order; Prisma's engine itself cannot be loaded inside jest on Node 20. */
function migrations(): string[] {
  const folder = join(__dirname, '..', 'prisma', 'migrations');
  const names = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return names
    .map(({ name }) => name)
    .sort()
    .map((name) => readFileSync(join(folder, name, 'migration.sql'), 'utf8'));
}
