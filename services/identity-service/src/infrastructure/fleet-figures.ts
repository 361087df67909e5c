import { QUOTAS, type Quota, useHash } from '@sociograph/auth';
import type { Queryable } from '@sociograph/postgres';
import type { Redis } from 'ioredis';
import type { IdentityMetrics } from '../metrics';
import { COUNTING } from './pg-quotas';

type Use = Partial<Record<Quota, number>>;

/** From here on a workspace is near its limit. */
const NEAR = 0.8;

/** What operators ask of all workspaces together: how many there are, and how near the nearest is to each limit. */
export class FleetFigures {
  constructor(
    private readonly worker: Queryable,
    private readonly redis: Pick<Redis, 'hgetall'>,
    private readonly defaults: Readonly<Record<Quota, number>>,
    private readonly metrics: Pick<IdentityMetrics, 'workspaces' | 'members' | 'quotaUse' | 'quotasNear'>,
  ) {}

  async look(): Promise<void> {
    const { rows: workspaces } = await this.worker.query<{ id: string; members: number; limits: Use | null }>(
      `SELECT id, limits, (SELECT count(*) FROM accounts WHERE workspace_id = id AND left_at IS NULL) AS members
       FROM workspaces LEFT JOIN quotas ON quotas.workspace_id = id`,
    );
    this.metrics.workspaces.set(workspaces.length);
    this.metrics.members.set(workspaces.reduce((sum, { members }) => sum + members, 0));
    const told = await this.told();
    const limitsOf = new Map(workspaces.map(({ id, limits }) => [id, limits ?? {}]));
    for (const { id, members } of workspaces) told.set(id, { ...told.get(id), members });
    for (const quota of QUOTAS) {
      const ratios = [...told].map(([id, use]) =>
        ratioOf(use[quota] ?? 0, limitsOf.get(id)?.[quota] ?? this.defaults[quota]),
      );
      this.metrics.quotaUse.set({ quota }, Math.max(0, ...ratios));
      this.metrics.quotasNear.set({ quota }, ratios.filter((ratio) => ratio >= NEAR).length);
    }
  }

  /** Use by workspace as the services told it, added up; workspaces that identity-service never made are among them. */
  private async told(): Promise<Map<string, Use>> {
    const sums = new Map<string, Use>();
    for (const service of COUNTING) {
      for (const [id, text] of Object.entries(await this.redis.hgetall(useHash(service)))) {
        const sum = sums.get(id) ?? {};
        for (const [quota, use] of Object.entries(JSON.parse(text) as Use))
          sum[quota as Quota] = (sum[quota as Quota] ?? 0) + use;
        sums.set(id, sum);
      }
    }
    return sums;
  }
}

/** A limit of none is reached by the first use. */
function ratioOf(use: number, limit: number): number {
  return limit === 0 ? Math.min(use, 1) : use / limit;
}
