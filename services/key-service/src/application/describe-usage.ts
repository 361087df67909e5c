import type { ApiKey } from '../domain/api-key';
import { type KeyForecast, forecastOf } from '../domain/forecast';
import { keyUnknown } from '../domain/errors';
import { ApiKeys } from '../domain/api-keys';
import { type MethodUse, MethodUses } from '../domain/key-uses';
import type { BudgetKeeper } from './book-budgets';
import { askPool } from './ask-pool';

export interface KeyUsage {
  key: ApiKey;
  /** Its limits of a minute and more; empty when it has none. */
  limits: KeyForecast[];
  /** Methods that were called with it in the last day, each with its own limit of a day where it has one. */
  methods: (MethodUse & { limit: KeyForecast | undefined })[];
}

/** How much of its longer limits a key has used, by which methods, and when they are spent at the pace of the last hour. */
export class UsageDesk {
  constructor(
    private readonly keys: Pick<ApiKeys, 'find'>,
    private readonly budgets: Pick<BudgetKeeper, 'usage'>,
    private readonly uses: MethodUses,
    private readonly nowMs: () => number,
  ) {}

  async describe(workspaceId: string, keyId: string): Promise<KeyUsage> {
    const key = await this.keys.find(workspaceId, keyId);
    if (key === undefined) throw keyUnknown();
    const usage = await askPool(() => this.budgets.usage(key));
    const now = this.nowMs();
    const limits = usage.map((limit) => forecastOf(limit, now));
    const used = await this.uses.of(workspaceId, keyId, now);
    const methods = used.map((use) => ({
      ...use,
      limit: limits.find(({ limit }) => limit === `day:${use.method}`),
    }));
    return { key, limits, methods };
  }
}
