import type { ApiKey, KeyState } from './api-key';
import type { BudgetAccount } from './budget-blocks';
import type { KeyEvent } from './key-events';
import type { KeyRest, StoredRest } from './key-rests';
import type { LearnedPath, PathFacts, PathVerdict } from './learned-path';
import type { NetworkRules } from './networks';
import type { Effect } from './outcomes';

export interface LedgerGrantRequest {
  leaseId: string;
  /** The worker service that asks; a lease is settled only by the one that has it. */
  by: string;
  session: string;
  sequence: number;
  /** True for the first try of a request: only then its sequence is taken. */
  first: boolean;
  /** True when other requests of its import wait behind it: their turn must not be passed over once it has its lease. */
  more?: boolean;
  workspaceId: string;
  importId: string;
  rules: NetworkRules;
  kinds: readonly string[];
  methods: Readonly<Record<string, number>>;
  calls: number;
  /** Pool clock, ms. */
  deadlineAt: number;
  egress: string;
  /** From the grant to its first slot at least, ms; never below what every grant has. */
  leadMs?: number | undefined;
}

export interface LedgerGrant {
  fence: number;
  keyId: string;
  tokenVersion: number;
  grantedAt: number;
  expiresAt: number;
  slots: number[];
  /** The strategy, what won, how many keys were ruled out and by what; at most 256 characters. */
  why: string;
}

export type DenialReason =
  | 'no-slot'
  | 'budget-spent'
  | 'network-resting'
  | 'no-key'
  | 'line-full'
  | 'recovering'
  | 'tokens-unavailable'
  | 'expired'
  | 'stale'
  | 'replay';

/** Pool clock, ms. */
export type LedgerVerdict =
  | { kind: 'granted'; poolNow: number; grant: LedgerGrant }
  | { kind: 'denied'; poolNow: number; reason: DenialReason; retryAt: number };

export type SlotReport =
  | { slot: number; outcome: 'unsent' }
  | {
      slot: number;
      outcome: 'answered';
      sentAt: number;
      answeredAt: number;
      /** The network's own clock as the answer told it: whole seconds, in ms. */
      serverDate?: number | undefined;
      effects: Effect[];
    }
  | { slot: number; outcome: 'broken'; sentAt: number; effects: Effect[] };

export interface LedgerSettle {
  leaseId: string;
  fence: number;
  workspaceId: string;
  reports: SlotReport[];
  /** Parts of `methods` that were not used: their budgets get them back. */
  unusedMethods?: Readonly<Record<string, number>> | undefined;
}

/** Of several requests that wait: one verdict each, in the order asked; undefined for those whose turn did not come. */
export interface LedgerDeal {
  poolNow: number;
  verdicts: (LedgerVerdict | undefined)[];
}

/** Why a key can be taken or not, at one moment. Nothing was charged for it. */
export interface KeyExplanation {
  keyId: string;
  /** Undefined: it can be taken. */
  reason?: string | undefined;
  /** Pool clock, ms: when the reason ends, where it ends by itself. */
  untilAt?: number | undefined;
  /** Pool clock, ms: its next slot. */
  nextSlotAt?: number | undefined;
  weight: number;
  /** Calls granted in about the last day, as far as this memory of the pool goes back. */
  usedInDay: number;
  lastGrantAt?: number | undefined;
}

/** A lease that is neither settled nor over. Pool clock, ms. */
export interface OpenLease {
  leaseId: string;
  workspaceId: string;
  importId: string;
  service: string;
  grantedAt: number;
  expiresAt: number;
  calls: number;
  methods: string[];
  why: string;
}

export type SettleStatus = 'settled' | 'already-settled' | 'late' | 'unknown';

export type SettleVerdict =
  | { kind: 'settled'; poolNow: number; statuses: SettleStatus[]; events: KeyEvent[] }
  | { kind: 'denied'; poolNow: number; reason: 'replay' | 'recovering' };

/**
 * The windows of all keys: one atomic verb per request, all windows or none. When its memory is lost or away it
 * denies (`recovering`) until nothing that was granted before can still arrive; it never guesses.
 */
export abstract class QuotaLedger {
  abstract grant(request: LedgerGrantRequest): Promise<LedgerVerdict>;
  /** One lease for the one of these that has had least and can have a key; all of one network, at most 8. */
  abstract deal(candidates: LedgerGrantRequest[]): Promise<LedgerDeal>;
  /** What stands for and against each of these keys; charges nothing. */
  abstract explain(request: {
    workspaceId: string;
    rules: NetworkRules;
    methods: Readonly<Record<string, number>>;
    calls: number;
    egress: string;
    keyIds: readonly string[];
  }): Promise<{ poolNow: number; keys: KeyExplanation[] }>;
  /** Ends a lease of the workspace before its time: its slots stay charged, a later settle is late. */
  abstract release(workspaceId: string, leaseId: string): Promise<'released' | 'ended' | 'unknown'>;
  abstract leasesOf(keyId: string): Promise<OpenLease[]>;
  /** What is booked and unspent of these buckets; closes blocks that are empty or old. */
  abstract accounts(
    buckets: readonly string[],
  ): Promise<{ poolNow: number; epoch: number; accounts: BudgetAccount[] }>;
  /**
   * Lets a booked block be spent, or says how long none can be booked. A block that comes after `before` (pool clock,
   * ms) is not taken: it may be given up already. Answers whether it was taken.
   */
  abstract credit(
    bucket: string,
    limit: string,
    given: { block: { id: string; size: number }; before: number } | { spentForMs: number },
  ): Promise<boolean>;
  abstract settle(request: {
    by: string;
    session: string;
    /** 0 when the sequence of the request was taken by an earlier call. */
    sequence: number;
    rules: NetworkRules;
    settles: LedgerSettle[];
  }): Promise<SettleVerdict>;
  /** Takes in what workers measured; answers the margin that is in force then. */
  abstract learn(facts: PathFacts): Promise<PathVerdict>;
  /** What is in force; undefined when nothing was learned: the declared margin holds. */
  abstract learnedPath(network: string): Promise<LearnedPath | undefined>;
  /** Begins with a path that was kept; what the memory knows already is newer and stays. */
  abstract restorePath(network: string, path: LearnedPath): Promise<void>;
  /** Begins with the declared margin again. */
  abstract forgetPath(network: string): Promise<void>;
  abstract capacity(request: {
    workspaceId: string;
    rules: NetworkRules;
    kinds: readonly string[];
  }): Promise<{ poolNow: number; keys: number; callsPerSecond: number }>;
  /** A reading of the pool's clock, ms; one round trip. */
  abstract readClock(): Promise<number>;
  /** The pool's clock as estimated without asking; NaN before the first exchange. */
  abstract poolNow(): number;
  abstract rests(keyId: string): Promise<KeyRest[]>;
  /** Ends rests before their time; answers how many. Without `which` all of the key. */
  abstract endRests(keyId: string, which?: { kind?: KeyRest['kind']; name?: string }): Promise<number>;
  /** Takes over what an earlier memory knew of keys that are defined; what this one knows itself stays. */
  abstract restoreRests(rests: StoredRest[]): Promise<number>;
  /** Makes the pool know these keys; answers which of them it has in another state (settled so meanwhile). */
  abstract define(keys: ApiKey[]): Promise<{ keyId: string; state: KeyState }[]>;
}
