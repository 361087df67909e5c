import type { RedisAddress } from './plugins/plugin';
import { RedisConnection } from './redis-connection';
import type { Addresses } from './targets';

/** INCR and the first EXPIRE in one round trip; a key that lost its expiry to a crash in between gets it again. */
const COUNT = `local n = redis.call('INCR', KEYS[1])
if n == 1 then redis.call('EXPIRE', KEYS[1], ARGV[1]) end
return n`;

/** Counters of the rate limits. They outlive a change of configuration, not a restart. */
export class Counters {
  private readonly clients = new Map<string, RedisConnection>();
  private readonly windows = new Map<number, Map<string, number>>();

  constructor(
    private readonly addresses: Addresses,
    /** Resolves `{vault://env/NAME}`. */
    private readonly environment: (name: string) => string | undefined,
  ) {}

  countLocally(key: string, windowStartMs: number, windowMs: number): number {
    let window = this.windows.get(windowStartMs);
    if (window === undefined) {
      for (const start of this.windows.keys())
        if (start <= windowStartMs - windowMs) this.windows.delete(start);
      this.windows.set(windowStartMs, (window = new Map<string, number>()));
    }
    const used = (window.get(key) ?? 0) + 1;
    window.set(key, used);
    return used;
  }

  countInRedis(redis: RedisAddress, key: string, ttlSeconds: number): Promise<number> {
    return this.client(redis).command('EVAL', COUNT, 1, key, ttlSeconds);
  }

  close(): void {
    for (const client of this.clients.values()) client.close();
  }

  private client(redis: RedisAddress): RedisConnection {
    const name = JSON.stringify(redis);
    const known = this.clients.get(name);
    if (known !== undefined) return known;
    const named = `${redis.host}:${redis.port}`;
    const [host = redis.host, port = redis.port] = (this.addresses.get(named)?.[0] ?? named).split(':');
    const client = new RedisConnection({
      host,
      port: Number(port),
      username: this.secret(redis.username),
      password: this.secret(redis.password),
      database: redis.database,
      timeoutMs: redis.timeout,
    });
    this.clients.set(name, client);
    return client;
  }

  private secret(value: string | undefined): string | undefined {
    const reference = /^\{vault:\/\/env\/([a-z0-9-]+)\}$/.exec(value ?? '')?.[1];
    return reference === undefined ? value : this.environment(reference.toUpperCase().replaceAll('-', '_'));
  }
}
