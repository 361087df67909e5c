import type { ApiKey, KeyState } from './api-key';
import type { KeyRest, StoredRest } from './key-rests';
import type { LearnedPath } from './learned-path';
import type { NetworkRules } from './networks';
import type { Effect } from './outcomes';
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

export interface WrappedDataKey {
  id: string;
  workspaceId: string;
  wrapped: Uint8Array;
  createdAt: number;
}

/** Wrapped data keys: the newest of a workspace seals, all of them open. */
export abstract class DataKeys {
  abstract oldest(workspaceId: string): Promise<WrappedDataKey | undefined>;
  abstract newest(workspaceId: string): Promise<WrappedDataKey | undefined>;
  abstract byId(id: string): Promise<WrappedDataKey | undefined>;
  abstract add(key: WrappedDataKey): Promise<void>;
}

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

export type SettleStatus = 'settled' | 'already-settled' | 'late' | 'unknown';

export type KeyEventKind =
  | 'resting'
  | 'method-resting'
  | 'method-barred'
  | 'method-returned'
  | 'egress-barred'
  | 'egress-returned'
  | 'invalid'
  | 'refresh-needed'
  | 'circuit-open'
  | 'circuit-closed'
  | 'network-circuit-open'
  | 'network-circuit-closed'
  | 'foreign-use'
  | 'needs-owner';

/** What the reports of a settle changed about keys. */
export interface KeyEvent {
  keyId: string;
  kind: KeyEventKind;
  /** What the network said; 0 where it was not an answer. */
  code: number;
  forMs: number;
  /** Pool clock, ms: of what ends by itself. */
  untilAt?: number | undefined;
  /** Of an invalidation, and of what the owner is told. */
  reason?: string | undefined;
  method?: string | undefined;
  egress?: string | undefined;
  /** Of a token that another one is needed for. */
  tokenVersion?: number | undefined;
  /** Of the circuit of a network; `keyId` is then the key whose call decided it. */
  network?: string | undefined;
}

export type SettleVerdict =
  | { kind: 'settled'; poolNow: number; statuses: SettleStatus[]; events: KeyEvent[] }
  | { kind: 'denied'; poolNow: number; reason: 'replay' | 'recovering' };

/** What a worker measured of the path to a network, by requests that no limit counts. Pool clock and ms. */
export interface PathFacts {
  by: string;
  session: string;
  sequence: number;
  rules: NetworkRules;
  probes: { sentAt: number; roundTripMs: number; serverDate?: number | undefined }[];
  lateness?: { sends: number; meanMs: number; maxMs: number } | undefined;
  /** How far the worker's reading of the pool's clock may be off. */
  clockErrorMs: number;
  /** When the report left, by the worker's reading of the pool's clock. */
  issuedAt?: number | undefined;
}

export type PathVerdict =
  | { kind: 'learned'; poolNow: number; marginMs: number }
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
