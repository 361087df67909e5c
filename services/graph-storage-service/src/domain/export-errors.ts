import { DomainError, type FieldFault } from '@sociograph/kernel';

export function exportUnknown(): DomainError {
  return new DomainError({
    code: 'EXPORT.UNKNOWN',
    kind: 'not-found',
    message: 'There is no such export in this workspace, or its time is over.',
  });
}

export function tooManyExports(limit: number): DomainError {
  return new DomainError({
    code: 'EXPORT.TOO_MANY',
    kind: 'too-many',
    message: `The quota exports of this workspace (${limit}) is used up: delete one, or wait until one expires.`,
    facts: { quota: 'exports', most: limit },
    retryAfterSeconds: 60,
  });
}

/** Files of exports take as many bytes as this workspace may store, or would with the new one. */
export function tooManyBytes(most: number): DomainError {
  return new DomainError({
    code: 'EXPORT.QUOTA_STORED_BYTES',
    kind: 'too-many',
    message: `The quota stored-bytes of this workspace (${most}) is used up: delete exports, or wait until one expires.`,
    facts: { quota: 'stored-bytes', most },
    retryAfterSeconds: 60,
  });
}

export function exportTooCostly(fields: FieldFault[]): DomainError {
  return new DomainError({
    code: 'EXPORT.TOO_COSTLY',
    kind: 'unprocessable',
    message: 'The surroundings asked for are too large; the whole graph has no limit.',
    fields,
  });
}

export function exportNotReady(state: string): DomainError {
  return new DomainError({
    code: 'EXPORT.NOT_READY',
    kind: 'conflict',
    message: `An export that is ${state} has no file.`,
  });
}

export function exportLinkOver(): DomainError {
  return new DomainError({
    code: 'EXPORT.LINK_OVER',
    kind: 'forbidden',
    message: 'The link is over or not one of ours: read the export again for a new one.',
  });
}

/** Where the files are kept cannot be reached or takes no more. */
export function exportStoreUnavailable(cause: unknown): DomainError {
  return new DomainError({
    code: 'EXPORT.STORE_UNAVAILABLE',
    kind: 'unavailable',
    message: 'The store of export files cannot be used at the moment.',
    retryAfterSeconds: 5,
    cause,
  });
}
