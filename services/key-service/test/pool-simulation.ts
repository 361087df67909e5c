import { Clock } from '@sociograph/kernel';
import { Redis } from 'ioredis';
import type { ApiKey } from '../src/domain/api-key';
import { InMemoryPoolEpochs } from '../src/infrastructure/in-memory';
import { PoolMemory } from '../src/infrastructure/pool-memory';
import { POOL_LUA } from '../src/infrastructure/pool-script';
import { RedisQuotaLedger } from '../src/infrastructure/redis-quota-ledger';
import { SIMULATED_LUA } from '../src/simulation/simulated-lua';

export { SIMULATED_LUA };

export class VirtualClock extends Clock {
  /** Microseconds. */
  micros = 1_800_000_000_000_000;

  nowMs(): number {
    return this.micros / 1000;
  }

  monotonicMs(): number {
    return this.micros / 1000;
  }
}

export function redisUrl(): string {
  const { KEY_SERVICE_REDIS_POOL_URL, ADMIN_REDIS_POOL_URL, REDIS_POOL_URL } = process.env;
  const url = ADMIN_REDIS_POOL_URL ?? KEY_SERVICE_REDIS_POOL_URL ?? REDIS_POOL_URL;
  if (url === undefined)
    throw new Error('The pool specs need REDIS_POOL_URL (npm run up -- --stack test --servers-only).');
  return url;
}

/** A ledger over the real script, in a corner of its own of the Redis of the test stack. */
export async function aLedger(
  redis: Redis,
  options: { clock?: VirtualClock; chance?: () => number } = {},
): Promise<{
  ledger: RedisQuotaLedger;
  prefix: string;
  epochs: InMemoryPoolEpochs;
  define: (keys: ApiKey[]) => void;
}> {
  const prefix = `test:${process.pid}:${performance.now()}:`;
  const epochs = new InMemoryPoolEpochs();
  let keys: ApiKey[] = [];
  const { clock } = options;
  const ledger: RedisQuotaLedger = new RedisQuotaLedger({
    redis,
    memory: new PoolMemory({
      redis,
      epochs,
      prefix,
      settleMs: clock === undefined ? 50 : 0,
      lua: clock === undefined ? POOL_LUA : SIMULATED_LUA,
    }),
    clock: clock ?? new RealClock(),
    logger: { info: () => undefined, warn: () => undefined },
    prefix,
    chance: options.chance ?? (() => 0),
    onMemory: async () => {
      await ledger.define(keys);
    },
    ...(clock !== undefined && {
      virtualTime: (): [number, number] => [Math.floor(clock.micros / 1e6), clock.micros % 1e6],
    }),
  });
  await ledger.start();
  return { ledger, prefix, epochs, define: (known) => (keys = known) };
}

class RealClock extends Clock {
  nowMs(): number {
    return Date.now();
  }

  monotonicMs(): number {
    return performance.now();
  }
}
