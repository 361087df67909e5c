import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import {
  askRabbit,
  eventually,
  inPostgres,
  redisValuesOf,
  type SecretScan,
  withPath,
} from '@sociograph/testing';
import { Redis } from 'ioredis';
import { fromStack } from '../fleet';

const ROOT = resolve(__dirname, '../..');

interface ProcessRecord {
  name: string;
  pid?: number;
  ports: Record<string, number>;
}

/** The folder of the stack with data, logs and run files. */
export function stackFolder(): string {
  return join(ROOT, '.sociograph', fromStack('SOCIOGRAPH_STACK'));
}

/** Servers and processes of the fleet, as they run now. */
export function processes(): ProcessRecord[] {
  return JSON.parse(readFileSync(join(stackFolder(), 'processes.json'), 'utf8')) as ProcessRecord[];
}

/** Everything that is written is on disk afterwards: Redis writes its file behind its answers. */
export async function checkpoint(): Promise<void> {
  await inPostgres(fromStack('ADMIN_DATABASE_URL'), (client) => client.query('CHECKPOINT'));
  const redis = new Redis(fromStack('ADMIN_REDIS_POOL_URL'));
  const behind = [
    'aof_rewrite_in_progress',
    'aof_rewrite_scheduled',
    'aof_buffer_length',
    'aof_pending_bio_fsync',
  ];
  try {
    await eventually(async () => {
      const info = await redis.info('persistence');
      return behind.every((name) => info.includes(`${name}:0\r\n`));
    });
  } finally {
    redis.disconnect();
  }
}

/** Every file of servers, services and gateway that changed since; ArangoDB's stand-in maps its file into memory. */
export function lookIntoFiles(
  scan: SecretScan,
  changedSince: number,
  except: (path: string) => boolean,
): void {
  for (const part of ['data', 'logs', 'run', 'traces']) {
    const folder = join(stackFolder(), part);
    scan.lookIntoFolder(part, folder, { changedSince, except: (path) => except(join(part, path)) });
  }
  scan.lookIntoFolder('data', join(stackFolder(), 'data', 'arango'));
}

/** Every row of every table: values that PostgreSQL stores compressed are not in its files' bytes. */
export async function lookIntoRows(scan: SecretScan, databases: readonly string[]): Promise<void> {
  for (const database of databases) {
    await inPostgres(withPath(fromStack('ADMIN_DATABASE_URL'), database), async (client) => {
      const { rows: tables } = await client.query<{ name: string }>(
        `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
         WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`,
      );
      for (const { name } of tables) {
        const { rows } = await client.query<{ row: string }>(
          `SELECT t::text AS row FROM ${name} t LIMIT 200000`,
        );
        scan.look(`PostgreSQL ${database}, rows of ${name}`, rows.map(({ row }) => row).join('\n'));
        // Binary columns are shown in hex there; a secret in one is seen as text only when it is decoded.
        scan.look(
          `PostgreSQL ${database}, rows of ${name}`,
          Buffer.concat(rows.flatMap(({ row }) => bytesIn(row))),
        );
      }
    });
  }
}

function bytesIn(row: string): Buffer[] {
  return [...row.matchAll(/\\\\?x((?:[0-9a-f]{2})+)/g)].map((match) => Buffer.from(match[1] ?? '', 'hex'));
}

/** Every value of a Redis: what its files hold packed is read through the server. */
export async function lookIntoRedis(scan: SecretScan, place: string, url: string): Promise<void> {
  const redis = new Redis(url);
  try {
    for await (const keys of redis.scanBufferStream({ count: 1000 })) {
      for (const key of keys as Buffer[]) {
        scan.look(`${place}, names of keys`, key);
        scan.look(`${place}, values`, Buffer.concat(await redisValuesOf(redis, key)));
      }
    }
  } finally {
    redis.disconnect();
  }
}

/** Messages that lie in the queues of a virtual host; they are put back. An exclusive queue opens to its owner alone. */
export async function lookIntoQueues(scan: SecretScan, vhost: string): Promise<void> {
  const of = encodeURIComponent(vhost);
  const broker = fromStack('RABBITMQ_MANAGEMENT_URL');
  const queues = await askRabbit<{ name: string; exclusive: boolean }[]>(broker, 'GET', `queues/${of}`);
  for (const { name } of (queues ?? []).filter(({ exclusive }) => !exclusive)) {
    const messages = await askRabbit<{ payload: string; properties: object }[]>(
      broker,
      'POST',
      `queues/${of}/${encodeURIComponent(name)}/get`,
      { count: 500, ackmode: 'reject_requeue_true', encoding: 'base64' },
    );
    for (const { payload, properties } of messages ?? []) {
      scan.look(`RabbitMQ, queue ${name}`, Buffer.from(payload, 'base64'));
      scan.look(`RabbitMQ, queue ${name}`, JSON.stringify(properties));
    }
  }
}

/** Pages of figures and details of every process that has a management port, and of the gateway. */
export async function lookIntoPages(scan: SecretScan, more: readonly string[] = []): Promise<number> {
  const ports = processes().flatMap(({ ports: own }) =>
    [own['management'], own['status'], own['admin']].filter((port) => port !== undefined),
  );
  const pages = ports.flatMap((port) => [
    `http://127.0.0.1:${port}/metrics`,
    `http://127.0.0.1:${port}/details`,
  ]);
  let read = 0;
  for (const page of [...pages, ...more]) {
    const response = await fetch(page).catch(() => undefined);
    if (response === undefined) continue;
    scan.look(`page ${page}`, await response.text());
    if (response.ok) read += 1;
  }
  return read;
}

/** Command lines and environments, which every process of the same user can read. */
export function lookIntoProcesses(scan: SecretScan, more: readonly ProcessRecord[] = []): void {
  for (const { name, pid } of [...processes(), ...more]) {
    if (pid === undefined) continue;
    for (const file of ['cmdline', 'environ']) {
      try {
        scan.look(`process ${name}, ${file}`, readFileSync(`/proc/${pid}/${file}`));
      } catch (error) {
        // Ended between the list and the look.
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      }
    }
  }
}
