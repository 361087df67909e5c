import { DomainError, type FieldFault } from '@sociograph/kernel';
import type { ImportState, ImportStep } from './import-job';

/** One or more fields of a request cannot be used; each fault names its field as the caller named it. */
export function invalidImport(fields: FieldFault[]): DomainError {
  return new DomainError({
    code: 'IMPORTS.INVALID',
    kind: 'invalid-input',
    message: 'The import cannot be started as described.',
    fields,
  });
}

/** No import of this id in the caller's workspace; an import of another workspace looks exactly the same. */
export function importUnknown(importId: string): DomainError {
  return new DomainError({
    code: 'IMPORTS.UNKNOWN',
    kind: 'not-found',
    message: 'There is no such import.',
    facts: { importId },
  });
}

/** The import's state does not allow the step, see the table in import-job.ts. */
export function stepRefused(importId: string, state: ImportState, step: ImportStep): DomainError {
  return new DomainError({
    code: 'IMPORTS.STEP_REFUSED',
    kind: 'conflict',
    message: `An import that is ${state} cannot ${step}.`,
    facts: { importId, state, step },
  });
}

/** `If-Match` names a revision that is no longer the present one. */
export function importChanged(importId: string, expected: number, current: number): DomainError {
  return new DomainError({
    code: 'IMPORTS.CHANGED',
    kind: 'precondition-failed',
    message: 'The import has taken a step since it was read.',
    facts: { importId, expected, current },
  });
}

/** The workspace has as many running imports as it may have; those that are paused or settling do not count. */
export function tooManyRunning(most: number): DomainError {
  return new DomainError({
    code: 'IMPORTS.QUOTA_RUNNING',
    kind: 'too-many',
    message: `The quota running-imports of this workspace (${most}) is used up.`,
    facts: { quota: 'running-imports', most },
    retryAfterSeconds: 30,
  });
}

/** As many people of this workspace are stored as may be: nothing is begun until people are erased or it may have more. */
export function peopleQuotaReached(most: number): DomainError {
  return new DomainError({
    code: 'IMPORTS.QUOTA_PEOPLE',
    kind: 'forbidden',
    message: `The quota people of this workspace (${most}) is used up.`,
    facts: { quota: 'people', most },
  });
}

/** So many streams of this workspace are open as may be, of imports and of events together. */
export function tooManyStreams(most: number): DomainError {
  return new DomainError({
    code: 'IMPORTS.QUOTA_STREAMS',
    kind: 'too-many',
    message: `The quota streams of this workspace (${most}) is used up.`,
    facts: { quota: 'streams', most },
    retryAfterSeconds: 15,
  });
}

/** No dead call of this id: it was redriven, or kept no longer. */
export function deadCallUnknown(deadCallId: string): DomainError {
  return new DomainError({
    code: 'CALLS.DEAD_UNKNOWN',
    kind: 'not-found',
    message: 'There is no such dead call.',
    facts: { deadCallId },
  });
}

/** A call names a network that this process has no adapter for: a deployment fault, not the caller's. */
export function networkMissing(network: string): DomainError {
  return new DomainError({
    code: 'IMPORTS.NETWORK_MISSING',
    kind: 'bug',
    message: 'This service has no adapter for the network.',
    facts: { network },
  });
}
