import type { Versioned, WriteOutcome } from '../domain/ports';

/** Writes to maps in memory as a store takes them: only under the revision that was read. `refuse` makes chosen ones conflict. */
export class VersionedMaps {
  #writes = 0;

  constructor(private readonly refuse: () => boolean) {}

  /** Documents written or removed so far. */
  get writes(): number {
    return this.#writes;
  }

  /** An undefined `value` removes; an undefined `rev`: there must be none yet. What became of it is added to `outcome`. */
  put<T>(
    into: Map<string, Versioned<T>>,
    key: string,
    value: T | undefined,
    rev: string | undefined,
    outcome: WriteOutcome,
  ): void {
    if (into.get(key)?.rev !== rev || this.refuse()) {
      outcome.conflicts.push(key);
      return;
    }
    outcome.written += 1;
    this.#writes += 1;
    if (value === undefined) into.delete(key);
    else into.set(key, { ...value, rev: `r${this.#writes}` });
  }
}
