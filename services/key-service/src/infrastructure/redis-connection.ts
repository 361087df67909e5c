import { Redis } from 'ioredis';

export type PoolRedis = Redis;

export interface PoolRedisLogger {
  warn(fields: object, sentence: string): void;
  error(fields: object, sentence: string): void;
}

/** Made for charging: what cannot be sent now fails now. */
export function connectPoolRedis(url: string, logger: PoolRedisLogger): PoolRedis {
  const redis = new Redis(url, {
    enableAutoPipelining: true,
    // A request that cannot be sent now is answered now: nothing is charged later that nobody waits for.
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    commandTimeout: 2_000,
    noDelay: true,
    retryStrategy: (attempt) => Math.min(50 * attempt, 500),
  });
  redis.on('error', (error: Error) => logger.warn({ err: error.message }, 'redis-pool cannot be reached'));
  redis.on('ready', () => void checkPolicy(redis, logger));
  return redis;
}

/** Leases that are evicted are windows that are forgotten. */
async function checkPolicy(redis: Redis, logger: PoolRedisLogger): Promise<void> {
  const answer = await redis.config('GET', 'maxmemory-policy').catch(() => undefined);
  const policy = Array.isArray(answer) ? String(answer[1]) : 'noeviction';
  if (policy !== 'noeviction')
    logger.error({ policy }, 'redis-pool evicts keys: set maxmemory-policy noeviction');
}
