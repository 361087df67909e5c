import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Postgres } from '@sociograph/postgres';
import { testServers } from '@sociograph/testing';

export interface ScratchDatabase {
  appUrl: string;
  workerUrl: string;
  /** A superuser in the same database: sees everything, for assertions only. */
  admin: Postgres;
  drop(): Promise<void>;
}

const silent = { warn: () => undefined };

/** A database of its own for one spec file, with the tables of the migrations, used through the service's own roles. */
export async function scratchDatabase(): Promise<ScratchDatabase> {
  const servers = testServers();
  const name = `parser_spec_${randomUUID().replaceAll('-', '').slice(0, 16)}`;
  const inScratch = (url: string): string => Object.assign(new URL(url), { pathname: `/${name}` }).href;
  const of = (variable: string): string => inScratch(servers.of('parser-service', variable));
  const cluster = new Postgres({ url: servers.adminDatabaseUrl, max: 1, logger: silent });
  await cluster.query(`CREATE DATABASE ${name} OWNER parser_service_owner`);
  await migrateAsOwner(of('DATABASE_URL_OWNER'));
  const admin = new Postgres({ url: inScratch(servers.adminDatabaseUrl), max: 2, logger: silent });
  return {
    appUrl: of('DATABASE_URL_APP'),
    workerUrl: of('DATABASE_URL_WORKER'),
    admin,
    async drop() {
      await admin.end();
      await cluster.query(`DROP DATABASE ${name} WITH (FORCE)`);
      await cluster.end();
    },
  };
}

/** The migrations' SQL in their order; Prisma's engine itself cannot be loaded inside jest on Node 20. */
async function migrateAsOwner(url: string): Promise<void> {
  const folder = join(__dirname, '..', 'prisma', 'migrations');
  const owner = new Postgres({ url, max: 1, logger: silent });
  const names = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  for (const { name } of names.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    await owner.query(readFileSync(join(folder, name, 'migration.sql'), 'utf8'));
  }
  await owner.end();
}
