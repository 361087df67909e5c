import type { Secret } from '@sociograph/kernel';
import type { ApiKey, KeyState } from './api-key';
import type { Effect } from './outcomes';
import type { KeyKind, NetworkRules } from './networks';

/** A token as it is stored: opened only by the vault, bound to workspace, key id and version of the token. */
export interface SealedToken {
  dataKeyId: string;
  /** iv(12) | tag(16) | ciphertext. */
  bytes: Uint8Array;
}

export interface TokenBinding {
  workspaceId: string;
  keyId: string;
  tokenVersion: number;
  /** The refresh token of the pair is bound to being one. */
  part?: 'refresh' | undefined;
}

/** A sealed refresh token with what its network wants to see beside it. */
export interface SealedRefresh {
  token: SealedToken;
  clientId: string;
  deviceId?: string | undefined;
  /** When the token of the pair ends, and when it is to be refreshed (Unix ms); undefined: when it is refused. */
  expiresAt?: number | undefined;
  dueAt?: number | undefined;
}

/**
 * What a network gave for a refresh token, or why it did not. Refused is for good, failed is not; lost: it may have
 * replaced the pair, and what it answered is gone.
 */
export type RefreshVerdict =
  | { kind: 'renewed'; token: Secret; refreshToken: Secret; expiresInMs?: number | undefined }
  | { kind: 'refused'; reason: string }
  | { kind: 'failed' | 'lost'; cause: string };

/** Asks a network for another pair of tokens. Its answer is all there is of them: the old refresh token is dead then. */
export abstract class TokenRefresher {
  abstract refresh(request: {
    network: string;
    refreshToken: Secret;
    clientId: string;
    deviceId: string | undefined;
  }): Promise<RefreshVerdict>;
}

export interface DueRefresh {
  keyId: string;
  workspaceId: string;
  network: string;
  /** Of the pair that is to be replaced. */
  tokenVersion: number;
  /** How often it failed so far. */
  tries: number;
  /** The answer to one of these tries was lost. */
  answerLost: boolean;
  refresh: SealedRefresh;
}

export type RefreshOutcome =
  | {
      kind: 'renewed';
      token: SealedToken;
      fingerprint: string;
      refreshToken: SealedToken;
      expiresAt?: number | undefined;
      dueAt?: number | undefined;
    }
  | { kind: 'later'; dueAt: number; cause: string; answerLost: boolean }
  | { kind: 'refused'; reason: string };

/** Refresh tokens of all keys, with the worker's rights. */
export abstract class TokenPairs {
  /**
   * Makes the refresh of this version of the pair due now, which may be planned for later; false when the key has no
   * such pair. One that failed keeps its pause.
   */
  abstract want(keyId: string, tokenVersion: number, now: number): Promise<boolean>;
  /**
   * Takes one key whose refresh is due and that nobody else of the fleet works at, and stores what `work` made of it,
   * in one transaction with the key's new token, its event and its audit record. Undefined when none is due.
   */
  abstract withDue(
    now: number,
    work: (due: DueRefresh) => Promise<RefreshOutcome>,
  ): Promise<{ due: DueRefresh; outcome: RefreshOutcome } | undefined>;
}

/** Rests that are long enough to outlive the pool's memory. */
export abstract class KeyRests {
  /** One transaction; a rest that is there already is replaced. */
  abstract write(changes: {
    kept: StoredRest[];
    gone: Pick<StoredRest, 'keyId' | 'kind' | 'name'>[];
  }): Promise<void>;
  /** Those that are not over for more than two days. */
  abstract all(now: number): Promise<StoredRest[]>;
}

/** Tells owners what only they can mend, through the event log and the audit trail. Never waits. */
export abstract class OwnerNotices {
  abstract tell(key: ApiKey, notice: { change: string; reason: string }): void;
}

/** Who asked for a change, for the audit trail. */
export interface AuditNote {
  actor: { kind: 'person' | 'service'; id: string };
  action: string;
  correlationId?: string | undefined;
}

export interface StoredKey {
  key: ApiKey;
  token: SealedToken;
}

export interface KeyFilter {
  network?: string | undefined;
  state?: KeyState | undefined;
  kind?: KeyKind | undefined;
  labelPrefix?: string | undefined;
  egress?: string | undefined;
  /** Name of a bucket of the workspace. */
  bucket?: string | undefined;
}

/** One version of a key: what became different, by whom. Never a token. */
export interface KeyHistoryEntry {
  version: number;
  at: number;
  actor: AuditNote['actor'];
  action: string;
  changes: Record<string, { from: unknown; to: unknown }>;
  reason: string | null;
  correlationId: string | null;
}

/** A key that is about to be kept for the first time. */
export interface SealedKey {
  key: ApiKey;
  token: SealedToken;
  fingerprint: string;
  refresh?: SealedRefresh | undefined;
}

/** Keys of one workspace. Every change writes its event and its audit record in the same transaction. */
export abstract class ApiKeys {
  /** Throws KEY_POOL.TOKEN_REGISTERED when a key of the fleet that may still be used has this fingerprint. */
  abstract add(
    key: ApiKey,
    token: SealedToken,
    fingerprint: string,
    note: AuditNote,
    refresh?: SealedRefresh,
  ): Promise<void>;
  /** Keeps all whose fingerprint is new; answers the ids of these. Keys of one workspace, fingerprints all different. */
  abstract addMany(keys: readonly SealedKey[], note: AuditNote): Promise<ReadonlySet<string>>;
  /** Deleted keys are not found. */
  abstract find(workspaceId: string, id: string): Promise<ApiKey | undefined>;
  abstract list(
    workspaceId: string,
    filter: KeyFilter,
    page: { limit: number; after?: string | undefined },
  ): Promise<ApiKey[]>;
  /**
   * Applies a pure change to the newest state, again when another change came first. Throws KEY_POOL.KEY_UNKNOWN,
   * and KEY_POOL.KEY_CHANGED when `ifVersion` is not the version it would change. When the token is over after the
   * change its sealed bytes are overwritten in the same transaction.
   */
  abstract update(
    workspaceId: string,
    id: string,
    change: (key: ApiKey, fingerprint: string) => ApiKey,
    note: AuditNote,
    ifVersion?: number,
  ): Promise<ApiKey>;
  /** Like `update`, and keeps the successor that the change made in the same transaction. */
  abstract replace(
    workspaceId: string,
    id: string,
    change: (key: ApiKey) => { retired: ApiKey; successor: ApiKey },
    sealed: Omit<SealedKey, 'key'>,
    note: AuditNote,
    ifVersion?: number,
  ): Promise<{ retired: ApiKey; successor: ApiKey }>;
  /** Newest first, those before version `before`; of deleted keys too. Throws KEY_POOL.KEY_UNKNOWN. */
  abstract history(
    workspaceId: string,
    id: string,
    page: { limit: number; before?: number | undefined },
  ): Promise<KeyHistoryEntry[]>;
}

/** All keys of the fleet as leasing needs them; reads with the worker's rights. */
export abstract class KeyCatalogue {
  /** Rows changed at or after `since` (row revision counter), deleted ones included, with the next `since`. */
  abstract changedSince(since: number): Promise<{ keys: StoredKey[]; next: number }>;
}

/** Seals and opens tokens. Opened tokens and data keys stay in memory for a bounded age. */
export abstract class KeyVault {
  abstract seal(token: Secret, binding: TokenBinding): Promise<SealedToken>;
  abstract open(sealed: SealedToken, binding: TokenBinding): Promise<Secret>;
  /** Keyed digest by which a token is recognised without being read. */
  abstract fingerprint(network: string, token: Secret): Promise<string>;
  /** Drops what is held of a key in memory. */
  abstract forget(keyId: string): void;
}

export interface WrappedDataKey {
  id: string;
  workspaceId: string;
  wrapped: Uint8Array;
  createdAt: number;
}

/** A token as it stands in a row, wherever: what is needed to seal it anew. */
export interface StoredToken {
  /** Names the row and what it holds. */
  place: string;
  sealed: SealedToken;
  binding: TokenBinding;
}

/** All that is sealed, for a change of the master key or of data keys. Compares before it writes. */
export abstract class SealedStore {
  /** Wrapped data keys of the fleet in the order of their ids. */
  abstract dataKeys(after: string | undefined, limit: number): Promise<WrappedDataKey[]>;
  /** False: it was wrapped anew by somebody else, or is gone. */
  abstract rewrap(id: string, from: Uint8Array, to: Uint8Array): Promise<boolean>;
  /** Tokens of a workspace that are not under this data key. */
  abstract tokensNotUnder(workspaceId: string, dataKeyId: string, limit: number): Promise<StoredToken[]>;
  /** False: the token is another one by now, or destroyed. */
  abstract reseal(token: StoredToken, to: SealedToken): Promise<boolean>;
  /** What stands in the row now. */
  abstract read(token: StoredToken): Promise<SealedToken | undefined>;
}

/** Wrapped data keys: the newest of a workspace seals, all of them open. */
export abstract class DataKeys {
  abstract oldest(workspaceId: string): Promise<WrappedDataKey | undefined>;
  abstract newest(workspaceId: string): Promise<WrappedDataKey | undefined>;
  abstract byId(id: string): Promise<WrappedDataKey | undefined>;
  abstract add(key: WrappedDataKey): Promise<void>;
}

/** Key management service: makes data keys and opens wrapped ones; `context` is bound to them. */
export abstract class Kms {
  abstract generateDataKey(context: Record<string, string>): Promise<{ plain: Buffer; wrapped: Buffer }>;
  abstract unwrap(wrapped: Uint8Array, context: Record<string, string>): Promise<Buffer>;
  /** Wraps a data key that exists, under the newest master key. */
  abstract wrap(plain: Uint8Array, context: Record<string, string>): Promise<Buffer>;
  /** False: another master key than the newest wrapped it. */
  abstract isNewest(wrapped: Uint8Array, context: Record<string, string>): Promise<boolean>;
}

export interface LedgerGrantRequest {
  leaseId: string;
  /** The worker service that asks; a lease is settled only by the one that has it. */
  by: string;
  session: string;
  sequence: number;
  /** True for the first try of a request: only then its sequence is taken. */
  first: boolean;
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

/** What a key is not asked for the time being: all of it, one method, from one address, or because calls failed. */
export interface KeyRest {
  kind: 'key' | 'method' | 'egress' | 'circuit';
  /** Of the method or the address. */
  name: string;
  /** Pool clock, ms; in the past when the next call is its trial. */
  untilAt: number;
  /** What it was given; the next one is twice as long. */
  lengthMs: number;
  code: number;
  /** Its trial call is out. */
  onTrial: boolean;
  /** The network refuses it; otherwise a limit was reached. */
  barred: boolean;
}

/** A rest as it outlives the pool's memory. */
export interface StoredRest extends Omit<KeyRest, 'onTrial'> {
  keyId: string;
  tokenVersion: number;
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

/** What is known of the path to a network; ms. `spreadMs` is how far apart the delays of two requests may lie. */
export interface LearnedPath {
  spreadMs: number;
  /** How far off the clocks of workers may be, within the spread. */
  clockErrorMs: number;
  /** The shortest round trip of the last minute; 0 before the first. */
  shortestTripMs: number;
  /** Measured round trips that the spread rests on; 0: begun with what was kept or declared. */
  samples: number;
  lateness?: { meanMs: number; maxMs: number } | undefined;
  /** Pool clock, ms; 0: never. */
  learnedAt: number;
  /** A refusal keeps the spread from falling until then (pool clock, ms). */
  heldUntil?: number | undefined;
}

/** Learned paths, kept where they survive every loss of the pool's memory. */
export abstract class LearnedPaths {
  abstract get(network: string): Promise<LearnedPath | undefined>;
  abstract save(network: string, path: LearnedPath): Promise<void>;
  abstract remove(network: string): Promise<void>;
}

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

export interface Refusal {
  workspaceId: string | undefined;
  service: string;
  /** Who asked, when it was not the service itself. */
  actor?: AuditNote['actor'] | undefined;
  action: string;
  /** What it was asked of; the pool unless told. */
  target?: string | undefined;
  reason: string;
}

/** What was refused, to whom and why. */
export abstract class AuditTrail {
  abstract refused(note: Refusal): void;
  /** An operator's deed that no change of a row tells of. Without a workspace it was of the whole platform. */
  abstract done(note: AuditNote & { workspaceId: string | undefined; target: string }): Promise<void>;
}

/** One alarm at a time. */
export abstract class Alarm {
  /** Replaces an alarm that is set. */
  abstract set(inMs: number, ring: () => void): void;
  abstract clear(): void;
}

/** An open lease session: who is at its other end, and its keys. */
export interface LeaseSession {
  id: string;
  service: string;
  instance: string;
  /** The broker account that opened it; every request must come from the same. */
  account: string;
  /** Address of the answers: another one is another connection, which has to open a session of its own. */
  replyTo: string;
  /** Wall clock, ms. */
  expiresAt: number;
  keys: { request: Buffer; reply: Buffer; seal: Buffer };
}

/** Sessions of workers; every instance of key-service knows them all. */
export abstract class LeaseSessions {
  abstract keep(session: LeaseSession): Promise<void>;
  abstract find(id: string): Promise<LeaseSession | undefined>;
  /** The session if this process knows it already: no waiting, for the path that every lease takes. */
  abstract held(id: string): LeaseSession | undefined;
  abstract end(id: string): Promise<void>;
}

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
