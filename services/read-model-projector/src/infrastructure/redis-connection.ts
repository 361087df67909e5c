import { DomainError } from '@sociograph/kernel';
import type { Logger } from '@sociograph/observability';
import { Redis } from 'ioredis';

const COMMAND_TIMEOUT_MS = 1000;

/**
 * A connection that fails fast: no command waits for a lost connection, none longer than a second; it
 * reconnects by itself within half a second of the server's return.
 */
export function connectRedis(url: string, name: string, logger: Logger): Redis {
  const redis = new Redis(url, {
    connectionName: name,
    lazyConnect: false,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    commandTimeout: COMMAND_TIMEOUT_MS,
    connectTimeout: 2000,
    retryStrategy: (times) => Math.min(50 * times, 500),
  });
  let down = false;
  redis.on('error', (error: Error) => {
    if (!down) logger.warn({ connection: name, err: error }, 'redis cannot be reached');
    down = true;
  });
  redis.on('ready', () => {
    if (down) logger.info({ connection: name }, 'redis is back');
    down = false;
  });
  return redis;
}

/** Resolves when the connection stands for the first time, or `limitMs` have passed. */
export function firstReady(redis: Redis, limitMs: number): Promise<void> {
  if (redis.status === 'ready') return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, limitMs);
    redis.once('ready', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/** Runs one command; whatever fails becomes kind `unavailable`. */
export async function onRedis<T>(code: string, command: () => Promise<T>): Promise<T> {
  try {
    return await command();
  } catch (cause) {
    throw new DomainError({
      code,
      kind: 'unavailable',
      message: 'Redis cannot be reached at the moment',
      cause,
    });
  }
}
