import { Clock } from '@sociograph/kernel';
import type { Redis } from 'ioredis';
import { WriterLock } from '../projections/ports';
import { onRedis } from './redis-connection';

/** A request that the store got in time may still be worked on: the holder stops so much before the expiry. */
const MARGIN_MS = 500;

const ACQUIRE = `
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
local fence = math.max(tonumber(redis.call('GET', KEYS[2]) or '0'), tonumber(ARGV[3])) + 1
redis.call('SET', KEYS[2], string.format('%.0f', fence))
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return fence`;

// An expired lock may be taken up again as long as nobody got a newer fence meanwhile.
const RENEW = `
local holder = redis.call('GET', KEYS[1])
if holder == ARGV[1] or (not holder and redis.call('GET', KEYS[2]) == ARGV[3]) then
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
  return 1
end
return 0`;

const RELEASE = `
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0`;

/**
 * The writer's lock in redis-pool, which keeps its data over a restart: a key that expires, and a fence that
 * only rises. It excludes two writers as long as a write takes less than the margin; a process frozen in the
 * middle of a write is not covered, the next flush of the new writer repairs what such a write leaves.
 */
export class RedisWriterLock extends WriterLock {
  private fence = 0;
  private validUntil = -Infinity;

  /** `holder` must be unique to this process; `scope` keeps specs apart. */
  constructor(
    private readonly redis: Redis,
    private readonly clock: Clock,
    private readonly holder: string,
    private readonly ttlMs: number,
    private readonly scope = '',
  ) {
    super();
  }

  async acquire(above: number): Promise<number | undefined> {
    const sentAt = this.clock.monotonicMs();
    const fence = Number(await this.run(ACQUIRE, above));
    if (fence === 0) return undefined;
    this.fence = fence;
    this.validUntil = sentAt + this.ttlMs - MARGIN_MS;
    return fence;
  }

  async renew(): Promise<boolean> {
    const sentAt = this.clock.monotonicMs();
    const kept = (await this.run(RENEW, this.fence)) === 1;
    this.validUntil = kept ? sentAt + this.ttlMs - MARGIN_MS : -Infinity;
    return kept;
  }

  held(): boolean {
    return this.clock.monotonicMs() < this.validUntil;
  }

  async release(): Promise<void> {
    this.validUntil = -Infinity;
    await this.run(RELEASE, this.fence);
  }

  private run(script: string, number: number): Promise<unknown> {
    const keys = [`projector:${this.scope}writer`, `projector:${this.scope}fence`] as const;
    return onRedis('VIEWS.LOCK_AWAY', () =>
      this.redis.eval(script, 2, ...keys, this.holder, this.ttlMs, number),
    );
  }
}
