import type { SimulatorStats } from '@sociograph/api-client';

/** Share of keys x limit that was used between the first and the last call. */
export function quotaUsed({ totals }: SimulatorStats, limitPerSecond: number): number | undefined {
  return totals.seconds > 0 ? totals.served / (limitPerSecond * totals.seconds) : undefined;
}
