import type { HostContext } from '@sociograph/service-host';
import type { Redis } from 'ioredis';
import { openPoolRedis } from './follow-revocations';

/** What a workspace has limits of; who enforces each is in docs/adr/0009-quotas-through-redis.md. */
export const QUOTAS = [
  'people',
  'running-imports',
  'keys',
  'exports',
  'stored-bytes',
  'streams',
  'members',
] as const;

export type Quota = (typeof QUOTAS)[number];

/** Hash in redis-pool: workspace -> JSON {quota: limit}, only of those that were set. identity-service writes it. */
export const LIMITS_HASH = 'identity:quotas';
/** Hash in redis-pool of what one service counts: workspace -> JSON {quota: use}. */
export const useHash = (service: string): string => `identity:use:${service}`;

const FRESH_MS = 2_000;
const MOST_KNOWN = 10_000;

/** Limits that were set for single workspaces; the enforcing service has the default in its own configuration. */
export abstract class WorkspaceLimits {
  /** The limit, or `otherwise` where none was set; never waits longer than 2 s and never fails. */
  abstract limitOf(workspaceId: string, quota: Quota, otherwise: number): Promise<number>;
  /** What another service told of its use, at most 10 s old; undefined while that is not known. Never fails. */
  abstract useOf(service: string, workspaceId: string, quota: Quota): Promise<number | undefined>;
}

export class DefaultLimits extends WorkspaceLimits {
  override limitOf(_workspaceId: string, _quota: Quota, otherwise: number): Promise<number> {
    return Promise.resolve(otherwise);
  }

  override useOf(): Promise<undefined> {
    return Promise.resolve(undefined);
  }
}

/** Asked again after 2 s; while Redis is away what was known last holds. */
export class RedisLimits extends WorkspaceLimits {
  readonly #known = new Map<string, { limits: Readonly<Record<string, unknown>>; at: number }>();

  constructor(
    private readonly redis: Pick<Redis, 'hget'>,
    private readonly monotonicMs: () => number,
  ) {
    super();
  }

  override async limitOf(workspaceId: string, quota: Quota, otherwise: number): Promise<number> {
    const limit = (await this.#limits(workspaceId))[quota];
    return typeof limit === 'number' && Number.isSafeInteger(limit) && limit >= 0 ? limit : otherwise;
  }

  override async useOf(service: string, workspaceId: string, quota: Quota): Promise<number | undefined> {
    try {
      const text = await this.redis.hget(useHash(service), workspaceId);
      const use = text === null ? 0 : ((JSON.parse(text) as Record<string, unknown>)[quota] ?? 0);
      return typeof use === 'number' ? use : undefined;
    } catch {
      return undefined;
    }
  }

  async #limits(workspaceId: string): Promise<Readonly<Record<string, unknown>>> {
    const known = this.#known.get(workspaceId);
    const now = this.monotonicMs();
    if (known !== undefined && now - known.at < FRESH_MS) return known.limits;
    let limits = known?.limits ?? {};
    try {
      const text = await this.redis.hget(LIMITS_HASH, workspaceId);
      limits = text === null ? {} : (JSON.parse(text) as Record<string, unknown>);
    } catch {
      // What was known last holds; asking again at every request would only make each of them wait.
    }
    if (this.#known.size >= MOST_KNOWN) this.#known.clear();
    this.#known.set(workspaceId, { limits, at: now });
    return limits;
  }
}

/** Use of the quotas that a service enforces, by workspace. */
export type QuotaUse = ReadonlyMap<string, Partial<Record<Quota, number>>>;

/** Replaces what the service told before, so that a workspace without use is not remembered. */
export async function publishUse(redis: Pick<Redis, 'multi'>, service: string, use: QuotaUse): Promise<void> {
  const hash = useHash(service);
  const change = redis.multi().del(hash);
  const fields = [...use].flatMap(([workspaceId, counts]) => [workspaceId, JSON.stringify(counts)]);
  if (fields.length > 0) change.hset(hash, ...fields);
  for (const [error] of (await change.exec()) ?? []) if (error !== null) throw error;
}

const TELL_EVERY_MS = 10_000;

/**
 * Limits for one service; where `count` is given its use is published every 10 s by each instance (the same figures).
 * Without an address the service's own defaults hold.
 */
export function workspaceLimits(
  url: string | undefined,
  ctx: HostContext,
  told?: { service: string; count: () => Promise<QuotaUse> },
): WorkspaceLimits {
  if (url === undefined) return new DefaultLimits();
  const redis = openPoolRedis(url, ctx, 'limits');
  if (told !== undefined) {
    const tell = (): void =>
      void told
        .count()
        .then((use) => publishUse(redis, told.service, use))
        .catch((error: unknown) =>
          ctx.logger.warn({ err: String(error) }, 'the use of quotas cannot be told'),
        );
    const timer = setInterval(tell, TELL_EVERY_MS).unref();
    ctx.shutdown.add('stop-taking', 'use of quotas', async () => clearInterval(timer));
  }
  return new RedisLimits(redis, () => ctx.clock.monotonicMs());
}
