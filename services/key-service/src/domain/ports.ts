import type { Secret } from '@sociograph/kernel';
import type { ApiKey, KeyState } from './api-key';
import type { Effect } from './outcomes';
import type { NetworkRules } from './networks';

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
}

/** Keys of one workspace. Every change writes its event and its audit record in the same transaction. */
export abstract class ApiKeys {
  /** Throws KEY_POOL.TOKEN_REGISTERED when the fingerprint is known in this workspace and network. */
  abstract add(key: ApiKey, token: SealedToken, fingerprint: string, note: AuditNote): Promise<void>;
  /** Deleted keys are not found. */
  abstract find(workspaceId: string, id: string): Promise<ApiKey | undefined>;
  abstract list(
    workspaceId: string,
    filter: KeyFilter,
    page: { limit: number; after?: string | undefined },
  ): Promise<ApiKey[]>;
  /**
   * Applies a pure change to the newest state, again when another change came first. Throws KEY_POOL.KEY_UNKNOWN,
   * and KEY_POOL.KEY_CHANGED when `ifVersion` is not the version it would change.
   */
  abstract update(
    workspaceId: string,
    id: string,
    change: (key: ApiKey) => ApiKey,
    note: AuditNote,
    ifVersion?: number,
  ): Promise<ApiKey>;
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
  ruledOut: number;
}

export type DenialReason =
  'no-slot' | 'no-key' | 'line-full' | 'recovering' | 'tokens-unavailable' | 'expired' | 'stale' | 'replay';

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
}

export type SettleStatus = 'settled' | 'already-settled' | 'late' | 'unknown';

/** What the reports of a settle changed about keys. */
export interface KeyEvent {
  keyId: string;
  kind: 'resting' | 'method-resting' | 'method-barred' | 'egress-barred' | 'invalid';
  code: number;
  forMs: number;
  /** Of an invalidation. */
  reason?: string | undefined;
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
  abstract capacity(request: {
    workspaceId: string;
    rules: NetworkRules;
    kinds: readonly string[];
  }): Promise<{ poolNow: number; keys: number; callsPerSecond: number }>;
  /** A reading of the pool's clock, ms; one round trip. */
  abstract readClock(): Promise<number>;
  /** The pool's clock as estimated without asking; NaN before the first exchange. */
  abstract poolNow(): number;
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
  abstract announce(key: ApiKey, at: number): Promise<void>;
}

/** What was refused, to whom and why. */
export abstract class AuditTrail {
  abstract refused(note: {
    workspaceId: string | undefined;
    service: string;
    action: string;
    reason: string;
  }): void;
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
  abstract end(id: string): Promise<void>;
}

/** What the pool tells those who run it: figures and log lines. */
export abstract class PoolReport {
  /** An answer changed what the pool knows of a key. */
  abstract keyChanged(event: KeyEvent): void;
  abstract keysByState(counts: ReadonlyMap<string, number>): void;
  /** Work that will be tried again could not be done. */
  abstract failed(sentence: string, error: unknown): void;
}
