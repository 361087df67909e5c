import type { ApiKey } from './api-key';
import type { SealedToken } from './sealing';
import type { SealedRefresh } from './token-refresh';

export interface StoredKey {
  key: ApiKey;
  token: SealedToken;
}

/** A key that is about to be kept for the first time. */
export interface SealedKey {
  key: ApiKey;
  token: SealedToken;
  fingerprint: string;
  refresh?: SealedRefresh | undefined;
}

/** All keys of the fleet as leasing needs them; reads with the worker's rights. */
export abstract class KeyCatalogue {
  /** Rows changed at or after `since` (row revision counter), deleted ones included, with the next `since`. */
  abstract changedSince(since: number): Promise<{ keys: StoredKey[]; next: number }>;
}

/** The count of the pool's memories, kept where it survives all of them: fences are made of it. */
export abstract class PoolEpochs {
  abstract current(): Promise<number>;
  /** The next epoch, or undefined when somebody else went on from `from` first. */
  abstract advance(from: number): Promise<number | undefined>;
}

/** Tells every worker that a key changed its state. At most once; the truth is in the ledger. */
export abstract class KeyStateBroadcast {
  /**
   * Slots of a key that is not active are void; of an active one those before `restingUntil` (pool clock, ms). With
   * `egress` only workers that call from there are meant.
   */
  abstract announce(
    key: ApiKey,
    at: number,
    limits?: { restingUntil?: number; egress?: string },
  ): Promise<void>;
}

/** One alarm at a time. */
export abstract class Alarm {
  /** Replaces an alarm that is set. */
  abstract set(inMs: number, ring: () => void): void;
  abstract clear(): void;
}
