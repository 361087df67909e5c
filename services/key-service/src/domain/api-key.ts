import type { KeyId, WorkspaceId } from '@sociograph/kernel';
import { keyConflict, keyInput } from './errors';
import { type KeyKind, rulesOf } from './networks';

export type KeyState = 'active' | 'paused' | 'invalid' | 'replaced' | 'deleted';

/** Whose word the pool has that the token may be used. Without it a key is not taken in. */
export interface Consent {
  givenBy: string;
  /** Milliseconds since the Unix epoch. */
  at: number;
}

export interface KeyDetails {
  id: KeyId;
  workspaceId: WorkspaceId;
  network: string;
  kind: KeyKind;
  label: string | null;
  state: KeyState;
  reason: string | null;
  perSecond: number;
  /** Keys of one bucket share their windows; a key is its own bucket unless its owner or app is counted. */
  bucket: string;
  egress: string | null;
  consent: Consent;
  /** Counts changes of the row. */
  version: number;
  /** Counts tokens: what is reported of a call holds only for the token that made it. */
  tokenVersion: number;
  createdAt: number;
  updatedAt: number;
}

export interface NewKey {
  id: KeyId;
  workspaceId: WorkspaceId;
  network: string;
  kind: KeyKind;
  label?: string | undefined;
  perSecond?: number | undefined;
  egress?: string | undefined;
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
    const quota = rules.quotas[input.kind];
    const perSecond = input.perSecond ?? quota;
    if (!Number.isInteger(perSecond) || perSecond < 1 || perSecond > quota) {
      throw keyInput('limits.perSecond', `must be a whole number from 1 to ${quota} for this kind of key`);
    }
    if (input.consent.givenBy.trim() === '') throw keyInput('consent.givenBy', 'must name who consented');
    const at = input.consent.at ?? input.now;
    if (at > input.now) throw keyInput('consent.at', 'must not lie in the future');
    return new ApiKey({
      id: input.id,
      workspaceId: input.workspaceId,
      network: input.network,
      kind: input.kind,
      label: input.label ?? null,
      state: 'active',
      reason: null,
      perSecond,
      bucket: input.id,
      egress: input.egress ?? null,
      consent: { givenBy: input.consent.givenBy, at },
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

  pause(now: number): ApiKey {
    if (this.state === 'paused') return this;
    if (this.state !== 'active') throw keyConflict(this.state, 'paused');
    return this.#become('paused', null, now);
  }

  resume(now: number): ApiKey {
    if (this.state === 'active') return this;
    if (this.state !== 'paused') throw keyConflict(this.state, 'resumed');
    return this.#become('active', null, now);
  }

  /** The network refused the token for good. A paused key can turn out invalid too; a deleted one stays deleted. */
  invalidate(reason: string, now: number): ApiKey {
    if (this.state !== 'active' && this.state !== 'paused') return this;
    return this.#become('invalid', reason, now);
  }

  delete(now: number): ApiKey {
    if (this.state === 'deleted') return this;
    return this.#become('deleted', null, now);
  }

  #become(state: KeyState, reason: string | null, now: number): ApiKey {
    const version = this.details.version + 1;
    return new ApiKey({ ...this.details, state, reason, version, updatedAt: now });
  }
}
