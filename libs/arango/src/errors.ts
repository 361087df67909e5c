import { DomainError, isDomainError } from '@sociograph/kernel';
import { isArangoError } from 'arangojs/errors';

/** Another writer was first: _rev did not match, or the key (or a unique value) was taken meanwhile. */
const CONFLICTS = new Set([1200, 1210]);
/** Gone meanwhile: a conflict for whoever wanted to replace or remove it. */
const NOT_FOUND = 1202;

/** An account that is being made, and a time-out, pass; so does every 5xx but "not implemented". */
const TEMPORARY = new Set([401, 403, 408]);
const NOT_IMPLEMENTED = 501;

/** The error number of an answer from ArangoDB, undefined for anything else (network, time-out, bug). */
export function arangoErrorNum(error: unknown): number | undefined {
  return isArangoError(error) ? error.errorNum : undefined;
}

/** True when reading again and retrying the change makes sense. */
export function isConflict(error: unknown): boolean {
  const errorNum = arangoErrorNum(error);
  return errorNum !== undefined && CONFLICTS.has(errorNum);
}

/** True for the inline error of one element of an array write. */
export function isConflictNumber(errorNum: number): boolean {
  return CONFLICTS.has(errorNum) || errorNum === NOT_FOUND;
}

/** The same failure in words of the kernel: network and 5xx are `unavailable`, a refusal is a bug of ours. */
export function toDomainError(error: unknown, what: string): DomainError {
  if (isDomainError(error)) return error;
  const errorNum = arangoErrorNum(error);
  const status = isArangoError(error) ? error.code : undefined;
  const ours = status !== undefined && !TEMPORARY.has(status) && (status < 500 || status === NOT_IMPLEMENTED);
  return new DomainError({
    code: ours ? 'ARANGO.REQUEST_REFUSED' : 'ARANGO.UNAVAILABLE',
    kind: ours ? 'bug' : 'unavailable',
    message: ours ? 'The graph store refused a request' : 'The graph store cannot be reached',
    facts: { what, errorNum: errorNum ?? null, status: status ?? null },
    ...(ours ? {} : { retryAfterSeconds: 2 }),
    cause: error,
  });
}
