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

/** A call names a network that this process has no adapter for: a deployment fault, not the caller's. */
export function networkMissing(network: string): DomainError {
  return new DomainError({
    code: 'IMPORTS.NETWORK_MISSING',
    kind: 'bug',
    message: 'This service has no adapter for the network.',
    facts: { network },
  });
}
