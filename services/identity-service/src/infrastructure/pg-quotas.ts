import { LIMITS_HASH, QUOTAS, type Quota, streamsKey, useHash } from '@sociograph/auth';
import type { Ids } from '@sociograph/kernel';
import type { Postgres } from '@sociograph/postgres';
import type { Redis } from 'ioredis';
import { type QuotaLine, Quotas } from '../application/describe-quotas';
import type { Act } from '../domain/ports';
import { auditAct } from './audit-rows';

/** Services that tell their use. */
export const COUNTING = ['key-service', 'parser-service', 'graph-storage-service', 'read-model-projector'];

type Limits = Partial<Record<Quota, number>>;

/** Limits are kept in PostgreSQL and copied to redis-pool, where the services that enforce them look. */
export class PgQuotas extends Quotas {
  constructor(
    private readonly worker: Postgres,
    private readonly redis: Redis,
    private readonly defaults: Readonly<Record<Quota, number>>,
    private readonly ids: Ids,
    private readonly countMembers: (workspaceId: string) => Promise<number>,
  ) {
    super();
  }

  override async limitOf(workspaceId: string, quota: Quota): Promise<number> {
    return (await this.#limits(workspaceId))[quota] ?? this.defaults[quota];
  }

  override async describe(workspaceId: string): Promise<QuotaLine[]> {
    const limits = await this.#limits(workspaceId);
    const told = await this.#use(workspaceId);
    const members = await this.countMembers(workspaceId);
    return QUOTAS.map((quota) => ({
      quota,
      limit: limits[quota] ?? this.defaults[quota],
      use: quota === 'members' ? members : told && (told[quota] ?? 0),
    }));
  }

  override async set(workspaceId: string, limits: Limits, nowMs: number, act: Act): Promise<void> {
    await this.worker.tx(async (q) => {
      await q.query(
        `INSERT INTO quotas (workspace_id, limits) VALUES ($1, $2)
         ON CONFLICT (workspace_id) DO UPDATE SET limits = quotas.limits || EXCLUDED.limits`,
        [workspaceId, JSON.stringify(limits)],
      );
      await auditAct(q, this.ids, workspaceId, `quotas/${workspaceId}`, nowMs, act);
    });
    await this.copy();
  }

  /** Every set limit to where the services look, also to a Redis that lost its memory. */
  async copy(): Promise<void> {
    const { rows } = await this.worker.query<{ workspace_id: string; limits: Limits }>(
      'SELECT workspace_id, limits FROM quotas',
    );
    const fields = rows.flatMap(({ workspace_id: id, limits }) => [id, JSON.stringify(limits)]);
    if (fields.length > 0) await this.redis.hset(LIMITS_HASH, ...fields);
  }

  async #limits(workspaceId: string): Promise<Limits> {
    const { rows } = await this.worker.query<{ limits: Limits }>(
      'SELECT limits FROM quotas WHERE workspace_id = $1',
      [workspaceId],
    );
    return rows[0]?.limits ?? {};
  }

  /** What the services told within the last seconds, added up; undefined while redis-pool is away. */
  async #use(workspaceId: string): Promise<Limits | undefined> {
    try {
      const texts = await Promise.all(
        COUNTING.map((service) => this.redis.hget(useHash(service), workspaceId)),
      );
      const sum: Limits = {};
      for (const text of texts)
        for (const [quota, use] of Object.entries(JSON.parse(text ?? '{}') as Limits))
          sum[quota as Quota] = (sum[quota as Quota] ?? 0) + use;
      // Places count until they are no longer renewed; those of a process that died are still in the set.
      sum.streams = await this.redis.zcount(streamsKey(workspaceId), `(${Date.now()}`, '+inf');
      return sum;
    } catch {
      return undefined;
    }
  }
}
