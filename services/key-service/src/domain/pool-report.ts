import type { KeyEvent } from './key-events';

/** Figures of what is granted and called; a call costs nobody a wait. */
export abstract class PoolFigures {
  abstract keyUsed(keyId: string, calls: number): void;
  /** `code`: the network's own, or `http-<status>`. */
  abstract keyErred(keyId: string, code: string): void;
  abstract called(network: string, method: string, result: string, calls: number): void;
  abstract slotLost(network: string, cause: string): void;
  /** From a granted request to the beginning of its first slot. */
  abstract waited(seconds: number): void;
  /** From a grant to its settle. */
  abstract held(seconds: number): void;
}

/** What the pool tells those who run it: figures and log lines. */
export abstract class PoolReport {
  /** An answer changed what the pool knows of a key. */
  abstract keyChanged(event: KeyEvent): void;
  abstract keysByState(counts: ReadonlyMap<string, number>): void;
  /** Leases that were recorded as uses, or could not be for want of room. */
  abstract utilisation(shares: ReadonlyMap<string, number>): void;
  abstract margin(network: string, marginMs: number): void;
  /** Calls booked of longer limits, by the limit's name, and how many of them were granted. */
  abstract budgets(booked: ReadonlyMap<string, { booked: number; spent: number }>): void;
  abstract usesWritten(outcome: 'written' | 'dropped', leases: number): void;
  /** Work that will be tried again could not be done. */
  abstract failed(sentence: string, error: unknown): void;
}
