import { DomainError } from '@sociograph/kernel';

/** Keycloak or another server behind the accounts is away; nothing was changed. */
export function directoryUnavailable(cause?: unknown): DomainError {
  return new DomainError({
    code: 'IDENTITY.DIRECTORY_UNAVAILABLE',
    kind: 'unavailable',
    message: 'Accounts cannot be changed right now.',
    retryAfterSeconds: 5,
    cause,
  });
}

/** Keycloak refused what it should have allowed: its permissions are not set up as infra/native does it. */
export function directoryRefused(step: string, status: number): DomainError {
  return new DomainError({
    code: 'IDENTITY.DIRECTORY_REFUSED',
    kind: 'bug',
    message: 'Keycloak refused a change of an account.',
    facts: { step, status },
  });
}

export function tooManyRegistrations(retryAfterSeconds: number): DomainError {
  return new DomainError({
    code: 'IDENTITY.REGISTER_RATE',
    kind: 'too-many',
    message: 'Too many accounts are being registered; try again later.',
    retryAfterSeconds,
  });
}

/** No such member in this workspace; one of another workspace answers the same. */
export function memberUnknown(): DomainError {
  return new DomainError({
    code: 'IDENTITY.MEMBER_UNKNOWN',
    kind: 'not-found',
    message: 'There is no such member.',
  });
}

export function memberChanged(expected: number, current: number): DomainError {
  return new DomainError({
    code: 'IDENTITY.MEMBER_CHANGED',
    kind: 'precondition-failed',
    message: 'The member was changed meanwhile; read it again.',
    facts: { expected, current },
  });
}

/** A workspace without an admin could never change again. */
export function lastAdmin(): DomainError {
  return new DomainError({
    code: 'IDENTITY.LAST_ADMIN',
    kind: 'conflict',
    message: 'The last admin of a workspace must stay one: make somebody else an admin first.',
  });
}

export function invitationUnknown(): DomainError {
  return new DomainError({
    code: 'IDENTITY.INVITATION_UNKNOWN',
    kind: 'not-found',
    message: 'There is no such open invitation.',
  });
}

/** An account belongs to one workspace at a time. */
export function alreadyMember(): DomainError {
  return new DomainError({
    code: 'IDENTITY.ALREADY_MEMBER',
    kind: 'conflict',
    message: 'This account belongs to a workspace already; leave it first.',
  });
}

export function tooManyMembers(most: number): DomainError {
  return new DomainError({
    code: 'IDENTITY.QUOTA_MEMBERS',
    kind: 'too-many',
    message: `The quota members of this workspace (${most}) is used up.`,
    facts: { quota: 'members', most },
    retryAfterSeconds: 60,
  });
}

export function workspaceChanged(): DomainError {
  return new DomainError({
    code: 'IDENTITY.WORKSPACE_CHANGED',
    kind: 'precondition-failed',
    message: 'The workspace was changed meanwhile; read it again.',
  });
}

/** Made by hand in Keycloak, not by a registration: this service may not change it. */
export function accountForeign(): DomainError {
  return new DomainError({
    code: 'IDENTITY.ACCOUNT_FOREIGN',
    kind: 'conflict',
    message: 'This account was not registered here: its workspace is set by the operators of the platform.',
  });
}
