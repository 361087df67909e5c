import { Redis } from 'ioredis';

export type PoolRedis = Redis;

export interface PoolRedisLogger {
  warn(fields: object, sentence: string): void;
  error(fields: object, sentence: string): void;
}

/** Made for charging: what cannot be sent now fails now. */
export function connectPoolRedis(url: string, logger: PoolRedisLogger): PoolRedis {
  const redis = new Redis(url, {
    // A request that cannot be sent now is answered now: nothing is charged later that nobody waits for.
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    commandTimeout: 2_000,
    noDelay: true,
    retryStrategy: (attempt) => Math.min(50 * attempt, 500),
  });
  writeOncePerTurn(redis);
  redis.on('error', (error: Error) => logger.warn({ err: error.message }, 'redis-pool cannot be reached'));
  redis.on('ready', () => void checkPolicy(redis, logger));
  return redis;
}

/**
 * What is asked in one turn of the event loop leaves in one write. ioredis can do that (`enableAutoPipelining`), at the
 * price of a pipeline object and three promises a command: with it a lease costs a fifth more of this process.
 */
function writeOncePerTurn(redis: Redis): void {
  const send = redis.sendCommand.bind(redis);
  let corked = false;
  redis.sendCommand = (command, stream) => {
    const socket = redis.stream;
    if (!corked && socket !== undefined) {
      corked = true;
      socket.cork();
      // Runs after the microtasks of this turn, in which the other requests of one read are sent.
      process.nextTick(() => {
        corked = false;
        socket.uncork();
      });
    }
    return send(command, stream);
  };
}

/** Leases that are evicted are windows that are forgotten. */
async function checkPolicy(redis: Redis, logger: PoolRedisLogger): Promise<void> {
  const answer = await redis.config('GET', 'maxmemory-policy').catch(() => undefined);
  const policy = Array.isArray(answer) ? String(answer[1]) : 'noeviction';
  if (policy !== 'noeviction')
    logger.error({ policy }, 'redis-pool evicts keys: set maxmemory-policy noeviction');
}
