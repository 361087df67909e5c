import { DomainError } from '@sociograph/kernel';

/** No such key in this workspace; a key of another workspace answers the same. */
export function keyUnknown(): DomainError {
  return new DomainError({
    code: 'KEY_POOL.KEY_UNKNOWN',
    kind: 'not-found',
    message: 'There is no such key.',
  });
}

/** The workspace has as many keys as it may have; deleted ones do not count. */
export function tooManyKeys(most: number): DomainError {
  return new DomainError({
    code: 'KEY_POOL.QUOTA_KEYS',
    kind: 'too-many',
    message: `The quota keys of this workspace (${most}) is used up.`,
    facts: { quota: 'keys', most },
    retryAfterSeconds: 60,
  });
}

/** No such open lease of this workspace. */
export function leaseUnknown(): DomainError {
  return new DomainError({
    code: 'KEY_POOL.LEASE_UNKNOWN',
    kind: 'not-found',
    message: 'There is no such lease.',
  });
}

export function networkUnknown(): DomainError {
  return new DomainError({
    code: 'KEY_POOL.NETWORK_UNKNOWN',
    kind: 'not-found',
    message: 'There is no such network.',
  });
}

/** The pool's memory is away or being built anew; leasing says `recovering` meanwhile. */
export function poolUnavailable(cause: unknown): DomainError {
  return new DomainError({
    code: 'KEY_POOL.POOL_UNAVAILABLE',
    kind: 'unavailable',
    message: 'The memory of the pool cannot be asked right now.',
    retryAfterSeconds: 3,
    cause,
  });
}

export function keyInput(field: string, message: string): DomainError {
  return new DomainError({
    code: 'KEY_POOL.KEY_INVALID',
    kind: 'invalid-input',
    message: 'The key cannot be registered as described.',
    fields: [{ field, message }],
  });
}

export function keyConflict(state: string, wish: string): DomainError {
  return new DomainError({
    code: 'KEY_POOL.KEY_STATE',
    kind: 'conflict',
    message: `A key that is ${state} cannot be ${wish}.`,
    facts: { state },
  });
}

export function tokenKnown(): DomainError {
  return new DomainError({
    code: 'KEY_POOL.TOKEN_REGISTERED',
    kind: 'conflict',
    message: 'This token is registered already: two keys of one token would overstep its limit.',
    fields: [{ field: 'token', message: 'is registered already' }],
  });
}

/** Two changes at once: the later one must look again. */
export function keyChangedMeanwhile(): DomainError {
  return new DomainError({
    code: 'KEY_POOL.KEY_CHANGED',
    kind: 'precondition-failed',
    message: 'The key was changed meanwhile; read it again.',
  });
}

/** Only whoever keeps the key can help. */
const KEY_IS_OFF: ReadonlySet<string> = new Set(['DisabledException', 'KMSInvalidStateException']);

/** Tokens cannot be sealed or opened: the key management service is away and what was cached of it is too old. */
export function vaultUnavailable(cause: unknown, said?: string): DomainError {
  return new DomainError({
    code: 'KEY_POOL.VAULT_UNAVAILABLE',
    kind: 'unavailable',
    message:
      said !== undefined && KEY_IS_OFF.has(said)
        ? 'Tokens cannot be encrypted or decrypted: the key of the key management service is switched off.'
        : 'Tokens cannot be encrypted or decrypted right now.',
    facts: { said: said ?? null },
    retryAfterSeconds: 1,
    cause,
  });
}

/** A sealed token that does not open: the row was moved or changed, or belongs to another master key. */
export function sealBroken(cause?: unknown): DomainError {
  return new DomainError({
    code: 'KEY_POOL.SEAL_BROKEN',
    kind: 'bug',
    message: 'A stored token does not open under its key.',
    cause,
  });
}
