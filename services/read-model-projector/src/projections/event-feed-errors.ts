import { DomainError } from '@sociograph/kernel';

export function badCursor(): DomainError {
  return new DomainError({
    code: 'REQUEST.INVALID',
    kind: 'invalid-input',
    message: 'The cursor is not one of this feed.',
    fields: [{ field: 'cursor', message: 'must be the cursor of an earlier event or page' }],
  });
}

export function cursorTooOld(topic: string): DomainError {
  return new DomainError({
    code: 'EVENTS.CURSOR_TOO_OLD',
    kind: 'unprocessable',
    message: 'Events after the cursor are no longer kept: begin without a cursor, and read the graph itself.',
    facts: { topic },
    fields: [{ field: 'cursor', message: 'is older than what is kept' }],
  });
}

export function cursorBeyondEnd(topic: string): DomainError {
  return new DomainError({
    code: 'EVENTS.CURSOR_BEYOND_END',
    kind: 'unprocessable',
    message: 'The cursor lies beyond the end of the log.',
    facts: { topic },
    fields: [{ field: 'cursor', message: 'is beyond the end of the log' }],
  });
}

export function typeForbidden(): DomainError {
  return new DomainError({
    code: 'EVENTS.TYPE_FORBIDDEN',
    kind: 'forbidden',
    message: 'The roles of this token do not cover all of these types.',
  });
}

export function tooManyReaders(): DomainError {
  return new DomainError({
    code: 'EVENTS.TOO_MANY_READERS',
    kind: 'too-many',
    message: 'Too many readers of events at once: end one of them.',
    retryAfterSeconds: 5,
  });
}

/** So many streams of this workspace are open as may be, of imports and of events together. */
export function tooManyStreams(most: number): DomainError {
  return new DomainError({
    code: 'EVENTS.QUOTA_STREAMS',
    kind: 'too-many',
    message: `The quota streams of this workspace (${most}) is used up.`,
    facts: { quota: 'streams', most },
    retryAfterSeconds: 15,
  });
}

export function notReady(): DomainError {
  return new DomainError({
    code: 'EVENTS.NOT_READY',
    kind: 'unavailable',
    message: 'Events cannot be read at the moment.',
    retryAfterSeconds: 1,
  });
}
