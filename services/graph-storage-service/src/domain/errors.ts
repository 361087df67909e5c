import { DomainError } from '@sociograph/kernel';
import type { PersonRef } from './observation';

export function personUnknown({ network, id }: PersonRef): DomainError {
  return new DomainError({
    code: 'GRAPH.PERSON_UNKNOWN',
    kind: 'not-found',
    message: `No person ${id} of ${network} is known in this workspace`,
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
