import type { ApiKey } from '../domain/api-key';
import { type KeyForecast, forecastOf } from '../domain/forecast';
import { keyUnknown } from '../domain/errors';
import { ApiKeys } from '../domain/ports';
import type { BudgetKeeper } from './book-budgets';
import { askPool } from './ask-pool';

export interface KeyUsage {
  key: ApiKey;
  /** Its limits of a minute and more; empty when it has none. */
  limits: KeyForecast[];
}

/** How much of its longer limits a key has used, and when they are spent at the pace of the last hour. */
export class UsageDesk {
  constructor(
    private readonly keys: Pick<ApiKeys, 'find'>,
    private readonly budgets: Pick<BudgetKeeper, 'usage'>,
    private readonly nowMs: () => number,
  ) {}

  async describe(workspaceId: string, keyId: string): Promise<KeyUsage> {
    const key = await this.keys.find(workspaceId, keyId);
    if (key === undefined) throw keyUnknown();
    const usage = await askPool(() => this.budgets.usage(key));
    const now = this.nowMs();
    return { key, limits: usage.map((limit) => forecastOf(limit, now)) };
  }
}
