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

/**
 * Why this Redis must not remember what was granted, in one sentence; undefined when it may. A windows' charge that is
 * evicted, or gone after a restart, is a call too many. Where the settings cannot be asked for (a managed Redis without
 * CONFIG) their owner answers for them.
 */
export async function forgetfulness(redis: Pick<Redis, 'config'>): Promise<string | undefined> {
  const eviction = await setting(redis, 'maxmemory-policy');
  if (eviction !== undefined && eviction !== 'noeviction')
    return `redis-pool evicts keys (maxmemory-policy ${eviction}): set it to noeviction.`;
  const appending = await setting(redis, 'appendonly');
  if (appending === 'no') return 'redis-pool forgets at a restart (appendonly no): set it to yes.';
  return undefined;
}

async function setting(redis: Pick<Redis, 'config'>, name: string): Promise<string | undefined> {
  try {
    const answer = await redis.config('GET', name);
    return Array.isArray(answer) && answer.length > 1 ? String(answer[1]) : undefined;
  } catch (error) {
    if (
      error instanceof Error &&
      error.name === 'ReplyError' &&
      /unknown command|NOPERM/i.test(error.message)
    )
      return undefined;
    throw error;
  }
}
