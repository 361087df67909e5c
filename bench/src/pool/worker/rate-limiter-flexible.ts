import { Redis } from 'ioredis';
import { RateLimiterQueue, RateLimiterRedis } from 'rate-limiter-flexible';
import { type Contender, lanesOf, OWN_LATENESS_MS } from './contender';
import { PlainCaller } from './plain-call';
import type { BenchKey, WorkerSettings } from './protocol';
import type { Tally } from './tally';

/**
 * rate-limiter-flexible on Redis: `points` per `duration` and, as its documentation has it for calls to somebody
 * else's API, a RateLimiterQueue in front. Hand-tuned: its window lasts W + J, which its whole seconds do not allow
 * but its option `customIncrTtlLuaScript` does.
 */
export class RateLimiterFlexibleContender implements Contender {
  readonly #redis: Redis;
  readonly #queue: RateLimiterQueue;
  readonly #caller: PlainCaller;

  constructor(
    private readonly settings: WorkerSettings,
    private readonly tally: Tally,
    tuned: boolean,
  ) {
    this.#redis = new Redis(settings.redisUrl);
    const window = settings.windowMs + settings.jitterMs + OWN_LATENESS_MS;
    const limiter = new RateLimiterRedis({
      storeClient: this.#redis,
      keyPrefix: 'bench',
      points: settings.keys[0]?.perSecond ?? 1,
      duration: settings.windowMs / 1000,
      ...(tuned && { customIncrTtlLuaScript: scriptWithWindow(Math.ceil(window)) }),
    });
    this.#queue = new RateLimiterQueue(limiter);
    this.#caller = new PlainCaller(settings, tally);
  }

  async open(): Promise<void> {
    await this.#redis.ping();
  }

  async run(running: () => boolean): Promise<void> {
    const lanes = this.settings.keys.flatMap((key) =>
      Array.from({ length: lanesOf(key.perSecond, this.settings.workers) }, () => this.#lane(key, running)),
    );
    await Promise.all(lanes);
  }

  async close(): Promise<void> {
    this.#caller.close();
    this.#redis.disconnect();
  }

  async #lane(key: BenchKey, running: () => boolean): Promise<void> {
    while (running()) {
      const askedAt = performance.now();
      await this.#queue.removeTokens(1, key.name);
      if (!running()) return;
      this.tally.leased(performance.now() - askedAt);
      await this.#caller.call(key);
    }
  }
}

/** The package's own script with the window in milliseconds instead of whole seconds. */
function scriptWithWindow(ms: number): string {
  return `redis.call('set', KEYS[1], 0, 'PX', ${ms}, 'NX')
local consumed = redis.call('incrby', KEYS[1], ARGV[1])
return { consumed, redis.call('pttl', KEYS[1]) }`;
}
