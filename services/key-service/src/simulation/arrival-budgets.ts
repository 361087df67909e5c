import { type LongLimit, methodOf, spanOf } from '../domain/limits';

/** The provider's longer limits: calls of a bucket, or of one method with it, in a rolling minute, hour or day. */
export class ArrivalBudgets {
  readonly #limits = new Map<string, { limit: LongLimit; arrivals: number[] }[]>();

  set(bucket: string, limits: readonly LongLimit[]): void {
    this.#limits.set(
      bucket,
      limits.map((limit) => ({ limit, arrivals: [] })),
    );
  }

  /** Counts a call that arrives now (us); which limit it is too much for, if any. */
  overstep(bucket: string, methods: readonly string[], now: number): string | undefined {
    let broken: string | undefined;
    for (const { limit, arrivals } of this.#limits.get(bucket) ?? []) {
      const method = methodOf(limit.name);
      if (method !== undefined && !methods.includes(method)) continue;
      arrivals.push(now);
      const from = now - spanOf(limit.name) * 1000;
      let gone = 0;
      while ((arrivals[gone] as number) <= from) gone += 1;
      arrivals.splice(0, gone);
      if (arrivals.length > limit.calls)
        broken = `${bucket}: ${arrivals.length} calls in one ${limit.name} of ${limit.calls}`;
    }
    return broken;
  }
}
