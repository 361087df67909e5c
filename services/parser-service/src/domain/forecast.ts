import type { PackSizes } from './packing';

export interface ForecastInput {
  readonly seeds: number;
  readonly depth: number | null;
  readonly peopleLimit: number | null;
  readonly callsLimit: number | null;
  /** What one key allows, and what all keys of the workspace allow together. */
  readonly keyCallsPerSecond: number;
  readonly callsPerSecond: number;
}

export interface Forecast {
  calls: number;
  keyTimeMs: number;
  /** Null while the workspace has no usable key. */
  etaMs: number | null;
}

/**
 * What the import will cost at least. How many people lie beyond the seeds is not known before their lists are
 * read, so only a people limit says more; the figure is a lower bound otherwise.
 */
export function forecast(input: ForecastInput, sizes: PackSizes): Forecast {
  const people = Math.max(input.seeds, input.peopleLimit ?? 0);
  const lists = input.depth === 0 ? 0 : input.depth === 1 ? input.seeds : people;
  const needed = Math.ceil(lists / sizes.lists) + Math.ceil(people / sizes.profiles);
  const calls = input.callsLimit === null ? needed : Math.min(needed, input.callsLimit);
  return {
    calls,
    keyTimeMs: Math.ceil((calls * 1_000) / input.keyCallsPerSecond),
    etaMs: input.callsPerSecond > 0 ? Math.ceil((calls * 1_000) / input.callsPerSecond) : null,
  };
}
