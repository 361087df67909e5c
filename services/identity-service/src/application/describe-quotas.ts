import type { Act } from '../domain/ports';
import type { QuotaName } from '../domain/quotas';

export interface QuotaLine {
  readonly quota: QuotaName;
  readonly limit: number;
  /** Told by the service that enforces it, at most 10 s old; undefined while that cannot be asked for. */
  readonly use: number | undefined;
}

/** Limits of workspaces; the services enforce them (docs/adr/0009-quotas-through-redis.md). */
export abstract class Quotas {
  abstract limitOf(workspaceId: string, quota: QuotaName): Promise<number>;
  abstract describe(workspaceId: string): Promise<QuotaLine[]>;
  /** Those that are named; the others stay as they are. */
  abstract set(
    workspaceId: string,
    limits: Partial<Record<QuotaName, number>>,
    nowMs: number,
    act: Act,
  ): Promise<void>;
}
