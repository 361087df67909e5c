import type { Exchange } from '../exchange';
import { ConfigurationFault, integer, object, oneOf, optional, otherwise, text } from '../field-rules';
import type { Plugin, RedisAddress, Surroundings } from './plugin';

interface RateLimitingConfig {
  minute: number;
  limit_by: 'ip' | 'header';
  header_name: string | undefined;
  policy: 'local' | 'redis';
  fault_tolerant: true;
  redis: RedisAddress | undefined;
}

const MINUTE_MS = 60_000;
/** Kong writes the id of the service here; with the limit on a route it is this. */
const NO_SERVICE = '00000000-0000-0000-0000-000000000000';

const shape = object<RateLimitingConfig>({
  minute: integer(1, 1_000_000),
  limit_by: oneOf('ip', 'header'),
  header_name: optional(text),
  policy: oneOf('local', 'redis'),
  fault_tolerant: oneOf(true),
  redis: optional(
    object<RedisAddress>({
      host: text,
      port: otherwise(integer(1, 65_535), 6379),
      timeout: otherwise(integer(1, 60_000), 2000),
      username: optional(text),
      password: optional(text),
      database: otherwise(integer(0, 15), 0),
    }),
  ),
});

/**
 * Fixed windows of a minute on the UTC clock. Exact in both policies (Kong's `local` lets bursts through). When
 * Redis does not answer, requests pass without the headers of the limit.
 */
export const rateLimiting: Plugin<RateLimitingConfig> = {
  name: 'rate-limiting',
  priority: 910,
  config: (value, where) => {
    const config = shape(value, where);
    if ((config.limit_by === 'header') !== (config.header_name !== undefined)) {
      throw new ConfigurationFault(`${where}.header_name goes with limit_by: header.`);
    }
    if ((config.policy === 'redis') !== (config.redis !== undefined)) {
      throw new ConfigurationFault(`${where}.redis goes with policy: redis.`);
    }
    return config;
  },
  async access(exchange, config, surroundings) {
    const now = surroundings.now();
    const windowStart = Math.floor(now / MINUTE_MS) * MINUTE_MS;
    const used = await count(exchange, config, surroundings, windowStart);
    if (used === undefined) return undefined;
    const resetSeconds = Math.max(1, Math.ceil((windowStart + MINUTE_MS - now) / 1000));
    const remaining = String(Math.max(0, config.minute - used));
    const headers: Record<string, string> = {
      'RateLimit-Limit': String(config.minute),
      'RateLimit-Remaining': remaining,
      'RateLimit-Reset': String(resetSeconds),
      'X-RateLimit-Limit-Minute': String(config.minute),
      'X-RateLimit-Remaining-Minute': remaining,
    };
    Object.assign(exchange.answerHeaders, headers);
    if (used <= config.minute) return undefined;
    return {
      status: 429,
      message: 'API rate limit exceeded',
      headers: { 'Retry-After': String(resetSeconds) },
    };
  },
};

async function count(
  exchange: Exchange,
  config: RateLimitingConfig,
  surroundings: Surroundings,
  windowStart: number,
): Promise<number | undefined> {
  const address = exchange.request.socket.remoteAddress ?? 'unknown';
  const named = config.header_name === undefined ? undefined : exchange.header(config.header_name);
  const key = `ratelimit:${exchange.routeId ?? NO_SERVICE}:${NO_SERVICE}:${named ?? address}:${windowStart}:minute`;
  if (config.redis === undefined) return surroundings.countLocally(key, windowStart, MINUTE_MS);
  try {
    return await surroundings.countInRedis(config.redis, key, MINUTE_MS / 1000);
  } catch {
    surroundings.uncounted();
    return undefined;
  }
}
