/** A limit of a bucket that needs its next block: `calls` allowed per its span, `need` calls asked for at once. */
export interface BudgetHint {
  bucket: string;
  /** `minute`, `hour`, `day` or `day:<method>`. */
  limit: string;
  calls: number;
  need: number;
}

/** What the ledger holds of one limit of a bucket. */
export interface BudgetAccount {
  bucket: string;
  limit: string;
  open: { id: string; size: number; left: number }[];
  /** Just closed: nothing more is spent from them; `left` never was. */
  closed: { id: string; left: number }[];
  callsInLastHour: number;
}

/** Blocks of calls that were booked before they may be spent, kept where they survive every loss of the pool's memory. */
export abstract class BudgetBlocks {
  /**
   * Books up to `size` calls of what the limit's rolling span leaves. `known`: open blocks that the ledger holds; one
   * that somebody else books meanwhile is not booked again.
   */
  abstract book(request: {
    bucket: string;
    limit: string;
    calls: number;
    size: number;
    epoch: number;
    known: readonly string[];
    /** Calls that the known blocks still have. */
    left: number;
  }): Promise<
    | { kind: 'booked'; id: string; size: number }
    | { kind: 'elsewhere' }
    | { kind: 'spent'; retryInMs: number }
  >;
  /** From now on these leave their spans; what was left in them was never spent. */
  abstract close(blocks: readonly { id: string; left: number }[]): Promise<void>;
  /** Blocks of earlier memories count as spent now; answers how many. */
  abstract closeLost(epoch: number): Promise<number>;
  /** Open blocks of a memory by bucket, with their age. */
  abstract open(epoch: number): Promise<{ id: string; bucket: string; ageMs: number }[]>;
  /** Calls of a bucket that are booked within the span of each limit, open blocks included. */
  abstract taken(bucket: string): Promise<ReadonlyMap<string, number>>;
}
