import type { HostContext } from '@sociograph/service-host';
import type { Redis } from 'ioredis';
import { openPoolRedis } from './follow-revocations';

/** Sorted set in redis-pool of one workspace's open streams, over all services: id -> until when it counts (ms). */
export const streamsKey = (workspaceId: string): string => `identity:streams:${workspaceId}`;

/** A process that died gives its places back after so long. */
const KEPT_MS = 30_000;
const RENEW_EVERY_MS = 10_000;

/** What was taken; calling it gives the place back, once or often. */
export type Leave = () => void;

/** Takes one of so many places for streams of a workspace; undefined where none is left. */
export type TakePlace = (workspaceId: string, most: number) => Promise<Leave | undefined>;

/**
 * Counts open streams over all processes. Of two that ask for the last place at once one gets it: each adds itself and
 * counts in one transaction. While Redis is away everybody is let in; what each process bounds by itself still holds.
 */
export class StreamPlaces {
  readonly #held = new Map<string, string>();

  constructor(
    private readonly redis: Pick<Redis, 'multi' | 'zrem'>,
    private readonly nowMs: () => number,
    private readonly newId: () => string,
  ) {}

  async take(workspaceId: string, most: number): Promise<Leave | undefined> {
    const key = streamsKey(workspaceId);
    const id = this.newId();
    const now = this.nowMs();
    try {
      const answers = await this.redis
        .multi()
        .zremrangebyscore(key, '-inf', now)
        .zadd(key, now + KEPT_MS, id)
        .zcard(key)
        .pexpire(key, 2 * KEPT_MS)
        .exec();
      if (Number(answers?.[2]?.[1] ?? 0) > most) {
        await this.redis.zrem(key, id);
        return undefined;
      }
    } catch {
      // Entered when it is back, by the next renewal.
    }
    this.#held.set(id, key);
    return () => {
      if (this.#held.delete(id)) void this.redis.zrem(key, id).catch(() => undefined);
    };
  }

  /** Says that the streams of this process are still open. */
  async renew(): Promise<void> {
    if (this.#held.size === 0) return;
    const until = this.nowMs() + KEPT_MS;
    const change = this.redis.multi();
    for (const [id, key] of this.#held) change.zadd(key, until, id).pexpire(key, 2 * KEPT_MS);
    await change.exec();
  }
}

/** Places for the streams of one service. Without an address nothing is counted over processes. */
export function streamPlaces(url: string | undefined, ctx: HostContext): TakePlace {
  if (url === undefined) return () => Promise.resolve(() => undefined);
  const places = new StreamPlaces(
    openPoolRedis(url, ctx, 'streams'),
    () => Math.floor(ctx.clock.nowMs()),
    () => ctx.ids.next(),
  );
  // Away: the next one tells, and a place that was lost meanwhile is taken again by it.
  const timer = setInterval(() => void places.renew().catch(() => undefined), RENEW_EVERY_MS).unref();
  ctx.shutdown.add('stop-taking', 'places of streams', async () => clearInterval(timer));
  return (workspaceId, most) => places.take(workspaceId, most);
}
