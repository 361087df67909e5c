import { createServer } from 'node:http';
import { join } from 'node:path';
import { infoOf } from '../servers/ask-redis';
import { Servers } from '../servers/catalogue';
import { openStack } from '../stack';
import { DiskSpace } from './disk-space';
import { expositionOf, memoryOf } from './exposition';

interface Stores {
  /** Its folders are named after the stores whose data lies in them. */
  folder: string;
  /** Addresses of Redis by the names of the stores. */
  redis: Readonly<Record<string, string>>;
}

/**
 * A process that measures what servers do not show Prometheus themselves: disk, and the memory of both Redis. Of a native stack
 * (STORES_STACK), or of servers whose data is mounted below STORES_FOLDER, with REDIS_POOL_URL and REDIS_CACHE_URL.
 */
function main(env: NodeJS.ProcessEnv): void {
  const { STORES_HOST: host = '127.0.0.1', STORES_PORT: port = '' } = env;
  const stores = storesOf(env);
  if (stores === undefined || !/^\d+$/.test(port))
    throw new Error('STORES_STACK must be a stack or STORES_FOLDER a folder, STORES_PORT a port.');
  const space = new DiskSpace(stores.folder);
  const text = async (): Promise<string> => {
    const redis = Object.entries(stores.redis).map(
      async ([store, url]) => memoryOf(store, await infoOf(url, 'memory')) ?? [],
    );
    return expositionOf(await space.look(), (await Promise.all(redis)).flat());
  };
  const server = createServer((request, response) => {
    if (request.url !== '/metrics') {
      response.writeHead(404).end();
      return;
    }
    text().then(
      (body) => response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end(body),
      () => response.writeHead(503).end(),
    );
  });
  server.listen(Number(port), host, () =>
    process.stdout.write(`figures of the stores are on ${host}:${port}\n`),
  );
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => process.exit(0));
}

function storesOf({
  STORES_STACK: name,
  STORES_FOLDER: folder,
  ...env
}: NodeJS.ProcessEnv): Stores | undefined {
  if (name !== undefined) {
    const servers = new Servers(openStack({ root: join(__dirname, '../../../..'), name }));
    const { stack, redisPool, redisCache } = servers;
    return {
      folder: join(stack.dir, 'data'),
      redis: { 'redis-pool': redisPool.url('admin'), 'redis-cache': redisCache.url('admin') },
    };
  }
  if (folder === undefined) return undefined;
  const given = { 'redis-pool': env['REDIS_POOL_URL'], 'redis-cache': env['REDIS_CACHE_URL'] };
  const known = Object.entries(given).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return { folder, redis: Object.fromEntries(known) };
}

main(process.env);
