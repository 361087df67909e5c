import type { KeyId, WorkspaceId } from '@sociograph/kernel';
import { keyConflict, keyInput } from './errors';
import { type KeyLimits, limitsOf, scopesOf, sharesOf, weightOf } from './key-settings';
import { type KeyKind, rulesOf } from './networks';

export type KeyState = 'active' | 'paused' | 'invalid' | 'replaced' | 'deleted';

/** Whose word the pool has that the token may be used. Without it a key is not taken in; once ended it stays so. */
export interface Consent {
  givenBy: string;
  /** Milliseconds since the Unix epoch. */
  at: number;
  endedAt: number | null;
}

export interface KeyDetails {
  id: KeyId;
  workspaceId: WorkspaceId;
  network: string;
  kind: KeyKind;
  label: string | null;
  state: KeyState;
  reason: string | null;
  limits: KeyLimits;
  /** Share that the `weighted` strategy gives it, 1 to 100. */
  weight: number;
  /** Keys of one bucket share their windows; a key is its own bucket unless its owner or app is counted. */
  bucket: string;
  egress: string | null;
  /** The network's account or app that the token belongs to, as its keeper wrote it. */
  ownerId: string | null;
  scopes: readonly string[];
  /** Workspaces beside its own that may lease it. */
  sharedWith: readonly string[];
  consent: Consent;
  replaces: KeyId | null;
  /** Its successor: no lease of it is granted any more, and it is `replaced` when the open ones are gone. */
  replacedBy: KeyId | null;
  lastUsedAt: number | null;
  /** Counts changes of the row. */
  version: number;
  /** Counts tokens: what is reported of a call holds only for the token that made it. */
  tokenVersion: number;
  /** Another token can be asked for when this one is refused. */
  refreshable?: boolean | undefined;
  createdAt: number;
  updatedAt: number;
}

/** What may be changed of a key that exists. `null` takes a value away. */
export interface KeySettings {
  label?: string | null | undefined;
  limits?: Partial<KeyLimits> | undefined;
  weight?: number | undefined;
  egress?: string | null | undefined;
  /** Name of a bucket inside the workspace and network; null: the key counts alone. */
  bucket?: string | null | undefined;
  ownerId?: string | null | undefined;
  scopes?: readonly string[] | undefined;
}

export interface NewKey extends KeySettings {
  id: KeyId;
  workspaceId: WorkspaceId;
  network: string;
  kind: KeyKind;
  /** The bucket that the token has by itself: the same for the same token, so that it takes its windows along. */
  ownBucket?: string | undefined;
  consent: { givenBy: string; at?: number | undefined };
  now: number;
}

/**
 * A key of the pool, without its token: that one lives sealed in the vault and is never part of the aggregate. Every
 * change makes a new value with the next version; a change that changes nothing returns the key itself.
 */
export class ApiKey {
  private constructor(readonly details: Readonly<KeyDetails>) {}

  static create(input: NewKey): ApiKey {
    const rules = rulesOf(input.network);
    if (rules === undefined) throw keyInput('network', 'is not a network that the pool knows');
    const { workspaceId, network, kind } = input;
    return new ApiKey({
      id: input.id,
      workspaceId,
      network,
      kind,
      label: input.label ?? null,
      state: 'active',
      reason: null,
      limits: limitsOf(rules.quotas[kind], input.limits ?? {}),
      weight: weightOf(input.weight ?? 1),
      bucket: bucketOf(input, input.bucket) ?? input.ownBucket ?? input.id,
      egress: input.egress ?? null,
      ownerId: input.ownerId ?? null,
      scopes: scopesOf(input.scopes ?? []),
      sharedWith: [],
      consent: consentOf(input.consent, input.now),
      replaces: null,
      replacedBy: null,
      lastUsedAt: null,
      version: 1,
      tokenVersion: 1,
      createdAt: input.now,
      updatedAt: input.now,
    });
  }

  /** The only way in from storage. */
  static restore(details: KeyDetails): ApiKey {
    return new ApiKey(details);
  }

  get id(): KeyId {
    return this.details.id;
  }

  get state(): KeyState {
    return this.details.state;
  }

  /** What the ledger is told: a key with a successor is granted no more, though its open leases may end in peace. */
  get stateInPool(): KeyState {
    const { state, replacedBy } = this.details;
    return state === 'active' && replacedBy !== null ? 'replaced' : state;
  }

  /** Nobody will need its token again: storage overwrites it. */
  get tokenIsOver(): boolean {
    return this.state === 'deleted' || this.state === 'replaced' || this.details.consent.endedAt !== null;
  }

  /** Name of the bucket that its keeper gave it; null when it counts alone. */
  get namedBucket(): string | null {
    const prefix = bucketPrefix(this.details);
    return this.details.bucket.startsWith(prefix) ? this.details.bucket.slice(prefix.length) : null;
  }

  pause(now: number): ApiKey {
    if (this.state === 'paused') return this;
    if (this.state !== 'active') throw keyConflict(this.state, 'paused');
    return this.#next({ state: 'paused', reason: null }, now);
  }

  resume(now: number): ApiKey {
    if (this.state === 'active') return this;
    if (this.state !== 'paused') throw keyConflict(this.state, 'resumed');
    return this.#next({ state: 'active', reason: null }, now);
  }

  /** The network refused the token for good. A paused key can turn out invalid too; a deleted one stays deleted. */
  invalidate(reason: string, now: number): ApiKey {
    if (this.state !== 'active' && this.state !== 'paused') return this;
    return this.#next({ state: 'invalid', reason }, now);
  }

  delete(now: number): ApiKey {
    if (this.state === 'deleted') return this;
    return this.#next({ state: 'deleted', reason: null }, now);
  }

  /** Other limits, weight, label and the like. `ownBucket` is taken when a named bucket is left. */
  amend(settings: KeySettings, ownBucket: string, now: number): ApiKey {
    const known = this.details;
    const { label, limits, weight, egress, bucket, ownerId, scopes } = settings;
    if (this.tokenIsOver) throw keyConflict(this.#ended(), 'changed');
    const quota = rulesOf(known.network)?.quotas[known.kind] ?? known.limits.perSecond;
    return this.#next(
      {
        label: label === undefined ? known.label : label,
        limits: limits === undefined ? known.limits : limitsOf(quota, limits),
        weight: weight === undefined ? known.weight : weightOf(weight),
        egress: egress === undefined ? known.egress : egress,
        bucket: bucket === undefined ? known.bucket : (bucketOf(known, bucket) ?? ownBucket),
        ownerId: ownerId === undefined ? known.ownerId : ownerId,
        scopes: scopes === undefined ? known.scopes : scopesOf(scopes),
      },
      now,
    );
  }

  /** Exactly these workspaces may lease it beside its own. */
  share(workspaces: readonly string[], now: number): ApiKey {
    if (this.tokenIsOver) throw keyConflict(this.#ended(), 'shared');
    return this.#next({ sharedWith: sharesOf(this.details.workspaceId, workspaces) }, now);
  }

  /** The owner takes his word back: nothing is done with the key from now on, and no step leads back. */
  withdrawConsent(now: number): ApiKey {
    const { consent, state } = this.details;
    if (consent.endedAt !== null) return this;
    const ended = { consent: { ...consent, endedAt: now }, sharedWith: [] };
    if (state === 'replaced' || state === 'deleted') return this.#next(ended, now);
    return this.#next({ ...ended, state: 'invalid', reason: 'consent-withdrawn' }, now);
  }

  /** A key with a new token and all settings of this one; it counts in the same bucket, whichever token is asked. */
  successor(
    input: {
      id: KeyId;
      consent?: { givenBy: string; at?: number | undefined } | undefined;
      refreshable?: boolean | undefined;
    },
    now: number,
  ): ApiKey {
    const { consent } = this.details;
    return new ApiKey({
      ...this.details,
      id: input.id,
      state: this.state === 'paused' ? 'paused' : 'active',
      reason: null,
      consent: input.consent === undefined ? consent : consentOf(input.consent, now),
      replaces: this.id,
      replacedBy: null,
      lastUsedAt: null,
      version: 1,
      tokenVersion: 1,
      // The pair of the old token is of no use to the new one.
      refreshable: input.refreshable ?? false,
      createdAt: now,
      updatedAt: now,
    });
  }

  /** From now on its successor is leased instead. */
  retire(successor: KeyId, now: number): ApiKey {
    if (this.tokenIsOver) throw keyConflict(this.#ended(), 'rotated');
    if (this.details.replacedBy !== null) throw keyConflict('being replaced', 'rotated');
    return this.#next({ replacedBy: successor }, now);
  }

  /** Its last lease is gone. */
  finishReplacement(now: number): ApiKey {
    if (this.details.replacedBy === null || this.tokenIsOver) return this;
    return this.#next({ state: 'replaced', reason: null }, now);
  }

  /** What it is called in a refusal once its token is over. */
  #ended(): string {
    return this.state === 'invalid' ? 'without consent' : this.state;
  }

  #next(change: Partial<KeyDetails>, now: number): ApiKey {
    const known = this.details as Readonly<Record<string, unknown>>;
    const changed = Object.entries(change).some(
      ([field, value]) => JSON.stringify(value) !== JSON.stringify(known[field]),
    );
    if (!changed) return this;
    return new ApiKey({ ...this.details, ...change, version: this.details.version + 1, updatedAt: now });
  }
}

/** Named buckets are the workspace's own: no other one can make it wait. */
function bucketPrefix(of: { workspaceId: string; network: string }): string {
  return `${of.workspaceId}:${of.network}:`;
}

function bucketOf(
  of: { workspaceId: string; network: string },
  name: string | null | undefined,
): string | null {
  return name === null || name === undefined ? null : `${bucketPrefix(of)}${name}`;
}

function consentOf(given: { givenBy: string; at?: number | undefined }, now: number): Consent {
  if (given.givenBy.trim() === '') throw keyInput('consent.givenBy', 'must name who consented');
  const at = given.at ?? now;
  if (at > now) throw keyInput('consent.at', 'must not lie in the future');
  return { givenBy: given.givenBy, at, endedAt: null };
}
