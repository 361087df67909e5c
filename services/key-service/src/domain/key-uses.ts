/** One lease as a use of a key. Times are the pool's clock, ms. */
export interface KeyUse {
  leaseId: string;
  keyId: string;
  /** The owner of the key. */
  keyWorkspaceId: string;
  network: string;
  /** Who used it, and for what. */
  workspaceId: string;
  importId: string;
  service: string;
  methods: Readonly<Record<string, number>>;
  calls: number;
  grantedAt: number;
  settledAt: number | null;
  /** Calls by result; null while nobody said what became of them. */
  results: Record<string, number> | null;
}

/** Calls granted with one key between two moments, by method. */
export interface KeyUsePeriod {
  keyId: string;
  keyWorkspaceId: string;
  network: string;
  from: number;
  to: number;
  calls: Record<string, number>;
}

/** Uses of keys, kept for a while; every verb takes many at once and may be repeated. */
export abstract class KeyUses {
  abstract write(uses: readonly KeyUse[]): Promise<void>;
  /** Results of leases whose row is there already; of others nothing is kept. */
  abstract settle(
    settled: readonly { leaseId: string; settledAt: number; results: Record<string, number> }[],
  ): Promise<void>;
  /** Notes the last use of each key and announces what it was used for, both or neither. */
  abstract announce(periods: readonly KeyUsePeriod[]): Promise<void>;
  /** Removes up to `most` uses that are older; answers how many. */
  abstract forget(before: number, most: number): Promise<number>;
}

/** Calls of one method with one key, up to now. */
export interface MethodUse {
  method: string;
  callsInLastDay: number;
  callsInLastHour: number;
  /** Pool clock, ms. */
  lastUsedAt: number;
}

/** What a key was used for in the last day, whoever used it; seen by the workspace that it belongs to. */
export abstract class MethodUses {
  /** Methods in the order of their names. */
  abstract of(workspaceId: string, keyId: string, now: number): Promise<MethodUse[]>;
}
