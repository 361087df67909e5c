/** Arrivals of one key at the provider, on its clock (ms), in any order. */
export interface KeyArrivals {
  name: string;
  perSecond: number;
  accepted: readonly number[];
  refused: readonly number[];
}

export interface Span {
  from: number;
  to: number;
}

/**
 * Share of one key's quota that was used: (accepted - q) / (q/s x span from the q-th to the last accepted). It is
 * exact for calls spread evenly and for bursts of q, so that the edges of a run flatter nobody. 0 when there are not
 * more than q arrivals: no rate can be told from those.
 */
export function utilisationOf(accepted: readonly number[], perSecond: number, within: Span): number {
  const times = accepted.filter((at) => at >= within.from && at < within.to).sort((a, b) => a - b);
  const first = times[perSecond - 1];
  const last = times.at(-1);
  if (first === undefined || last === undefined || last <= first) return 0;
  return (times.length - perSecond) / ((perSecond * (last - first)) / 1000);
}

/** The keys' utilisation, averaged. */
export function averageUtilisation(keys: readonly KeyArrivals[], within: Span): number {
  if (keys.length === 0) return 0;
  const sum = keys.reduce((total, key) => total + utilisationOf(key.accepted, key.perSecond, within), 0);
  return sum / keys.length;
}

/** What a pool can use at most that does not look at answers: W / (W + J). Fixed windows cost a pool nothing. */
export function ceilingOf(window: string, windowMs: number, jitterMs: number): number {
  return window === 'sliding' ? windowMs / (windowMs + jitterMs) : 1;
}

export interface Minute {
  /** Seconds since the first call. */
  from: number;
  calls: number;
  refused: number;
  /** Share of the quota in that stretch, over all keys. */
  used: number;
}

/** The run in stretches of `everyMs` from `start` on; a last one that is not whole is left out. */
export function stretches(
  keys: readonly KeyArrivals[],
  start: number,
  end: number,
  everyMs: number,
): Minute[] {
  const found: Minute[] = [];
  const quota = keys.reduce((sum, key) => sum + key.perSecond, 0);
  for (let from = start; from + everyMs <= end; from += everyMs) {
    const inside = (at: number): boolean => at >= from && at < from + everyMs;
    const refused = sum(keys, (key) => key.refused.filter(inside).length);
    const accepted = sum(keys, (key) => key.accepted.filter(inside).length);
    found.push({
      from: Math.round((from - start) / 1000),
      calls: accepted + refused,
      refused,
      used: accepted / ((quota * everyMs) / 1000),
    });
  }
  return found;
}

/** The value below which the share `p` of the values lies; NaN for none. */
export function percentile(values: readonly number[], p: number): number {
  if (values.length === 0) return NaN;
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(p * sorted.length) - 1)] ?? NaN;
}

function sum<T>(values: readonly T[], of: (value: T) => number): number {
  return values.reduce((total, value) => total + of(value), 0);
}
