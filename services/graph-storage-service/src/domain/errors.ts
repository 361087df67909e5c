import { DomainError } from '@sociograph/kernel';
import type { PersonRef } from './observation';

export function personUnknown({ network, id }: PersonRef): DomainError {
  return new DomainError({
    code: 'GRAPH.PERSON_UNKNOWN',
    kind: 'not-found',
    message: `No person ${id} of ${network} is known in this workspace`,
  });
}

export function groupUnknown({ network, id }: PersonRef): DomainError {
  return new DomainError({
    code: 'GRAPH.GROUP_UNKNOWN',
    kind: 'not-found',
    message: `No group or page ${id} of ${network} is known in this workspace`,
  });
}

export function postUnknown({ network, id }: PersonRef): DomainError {
  return new DomainError({
    code: 'GRAPH.POST_UNKNOWN',
    kind: 'not-found',
    message: `No post ${id} of ${network} is known in this workspace`,
  });
}

/** A question that would cost more than one may; `limit` names what was exceeded, as the caller named it. */
export function tooCostly(limit: string, message: string): DomainError {
  return new DomainError({
    code: 'QUERY.TOO_COSTLY',
    kind: 'unprocessable',
    message: `The question costs too much: ${limit} ${message}`,
    fields: [{ field: limit, message }],
  });
}

/** Other writers were faster every time: the batch is repeated as a whole, later. */
export function tooContended(keys: number, attempts: number): DomainError {
  return new DomainError({
    code: 'GRAPH.TOO_CONTENDED',
    kind: 'unavailable',
    message: 'The graph is being changed by too many writers at once',
    facts: { keys, attempts },
    retryAfterSeconds: 1,
  });
}

export function erasureUnknown(id: string): DomainError {
  return new DomainError({
    code: 'GRAPH.ERASURE_UNKNOWN',
    kind: 'not-found',
    message: 'No such erasure is known in this workspace',
    facts: { id },
  });
}

export function positionMalformed(): DomainError {
  return new DomainError({
    code: 'GRAPH.POSITION_MALFORMED',
    kind: 'invalid-input',
    message: 'The position is not one that this service gave',
    fields: [{ field: 'min-position', message: 'is not a position token' }],
  });
}

export function positionBeyondEnd(): DomainError {
  return new DomainError({
    code: 'GRAPH.POSITION_BEYOND_END',
    kind: 'unprocessable',
    message: 'This position is beyond the end of the log',
    fields: [{ field: 'min-position', message: 'is beyond the end of the log' }],
  });
}

export function positionNotReached(): DomainError {
  return new DomainError({
    code: 'GRAPH.POSITION_NOT_REACHED',
    kind: 'unavailable',
    message: 'The graph has not reached this position yet',
    retryAfterSeconds: 1,
  });
}
