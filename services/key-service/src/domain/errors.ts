import { DomainError } from '@sociograph/kernel';

/** No such key in this workspace; a key of another workspace answers the same. */
export function keyUnknown(): DomainError {
  return new DomainError({
    code: 'KEY_POOL.KEY_UNKNOWN',
    kind: 'not-found',
    message: 'There is no such key.',
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

/** Tokens cannot be sealed or opened: the key management service is away and what was cached of it is too old. */
export function vaultUnavailable(cause: unknown): DomainError {
  return new DomainError({
    code: 'KEY_POOL.VAULT_UNAVAILABLE',
    kind: 'unavailable',
    message: 'Tokens cannot be encrypted or decrypted right now.',
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
