import type { Secret } from '@sociograph/kernel';
import type { SealedToken } from './sealing';

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
  /** The answer to one of these tries was lost, or its process ended before what came of it was stored. */
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
   * Takes one key whose refresh is due and that nobody else of the fleet works at. That its network may be asked is
   * stored first, so that whoever comes after a process that ended meanwhile knows that an answer may be lost. Then
   * `work` is done, and what it made is stored in one transaction with the key's new token, its event and its audit
   * record. Undefined when none is due.
   */
  abstract withDue(
    now: number,
    work: (due: DueRefresh) => Promise<RefreshOutcome>,
  ): Promise<{ due: DueRefresh; outcome: RefreshOutcome } | undefined>;
}
