/** Times of one phase: kept whole, so that percentiles are exact. */
export interface Times {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

/** Nearest rank: the smallest value that at least `share` of all are not above. NaN of nothing. */
export function percentile(sorted: readonly number[], share: number): number {
  if (sorted.length === 0) return NaN;
  const rank = Math.max(1, Math.ceil(share * sorted.length));
  return sorted[rank - 1] as number;
}

export function timesOf(values: readonly number[]): Times {
  const sorted = [...values].sort((one, other) => one - other);
  return {
    count: sorted.length,
    p50: percentile(sorted, 0.5),
    p99: percentile(sorted, 0.99),
    p999: percentile(sorted, 0.999),
    max: sorted.at(-1) ?? NaN,
  };
}

/** One phase as the load generator saw it. Milliseconds. */
export interface PhaseResult {
  readonly granted: number;
  readonly denied: Readonly<Record<string, number>>;
  readonly failed: number;
  readonly seconds: number;
  readonly latency: Times;
  readonly settleRequests: number;
  readonly clockRequests: number;
}

export interface Bars {
  readonly perSecond: number;
  readonly p99Ms: number;
}

/** What of the bars is not met, in words; empty when all is. */
export function misses(
  measured: { sustained: number; openP99: number; roundTripsPerGrant: number },
  bars: Bars,
): string[] {
  const found: string[] = [];
  if (!(measured.sustained >= bars.perSecond))
    found.push(`${measured.sustained.toFixed(0)} grants/s are fewer than ${bars.perSecond}`);
  if (!(measured.openP99 <= bars.p99Ms))
    found.push(`p99 of ${measured.openP99.toFixed(2)} ms is above ${bars.p99Ms} ms`);
  if (measured.roundTripsPerGrant !== 1)
    found.push(`${measured.roundTripsPerGrant} round trips to Redis per grant instead of one`);
  return found;
}
