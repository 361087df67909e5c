import { inPostgres, redisValuesOf, withPath } from '@sociograph/testing';
import { Redis } from 'ioredis';
import { needed, type ServerEnvironment } from '../fleet/servers';
import type { PersonScan } from './person-scan';

const DATABASES = ['key_service', 'parser_service', 'identity_service'];

/** What servers hold packed or in memory only, read through them. */
export async function lookIntoServers(scan: PersonScan, env: ServerEnvironment): Promise<void> {
  for (const database of DATABASES) await lookIntoRows(scan, env, database);
  await lookIntoRedis(scan, 'keys of redis-pool', needed(env, 'ADMIN_REDIS_POOL_URL'));
  await lookIntoRedis(scan, 'keys of redis-cache', needed(env, 'ADMIN_REDIS_CACHE_URL'));
}

/** Rows of every table, and what PostgreSQL knows of the values of their columns. */
async function lookIntoRows(scan: PersonScan, env: ServerEnvironment, database: string): Promise<void> {
  await inPostgres(withPath(needed(env, 'ADMIN_DATABASE_URL'), database), async (client) => {
    const { rows: tables } = await client.query<{ name: string }>(
      `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname = 'public'`,
    );
    for (const name of [...tables.map((table) => table.name), 'pg_stats']) {
      const { rows } = await client.query<{ row: string }>(`SELECT t::text AS row FROM ${name} t`);
      scan.look(
        'rows of PostgreSQL',
        `${database}, ${name}`,
        Buffer.from(rows.map(({ row }) => row).join('\n')),
      );
    }
  });
}

async function lookIntoRedis(
  scan: PersonScan,
  kind: 'keys of redis-pool' | 'keys of redis-cache',
  url: string,
): Promise<void> {
  const redis = new Redis(url);
  try {
    for await (const keys of redis.scanBufferStream({ count: 1000 })) {
      for (const key of keys as Buffer[]) {
        const name = key.toString().replace(/[^:]{9,}/g, '...');
        scan.look(kind, `name of ${name}`, key);
        scan.look(kind, `value of ${name}`, Buffer.concat(await redisValuesOf(redis, key)));
      }
    }
  } finally {
    redis.disconnect();
  }
}
