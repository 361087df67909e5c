import { DomainError, type WorkspaceId } from '@sociograph/kernel';

const roles = ['viewer', 'analyst', 'operator', 'admin', 'platform-operator'] as const;

/** The four roles hold in the token's workspace; `platform-operator` is given by no API and spans workspaces. */
export type Role = (typeof roles)[number];

/** Who calls, as their verified token says. */
export interface Principal {
  /** Keycloak's id of the user or service account. */
  readonly subject: string;
  /** The one workspace of the caller; reading it throws `forbidden` for a platform operator who has none. */
  readonly workspaceId: WorkspaceId;
  readonly roles: readonly Role[];
  /** The client that obtained the token (`azp`). */
  readonly client: string;
}

export function isRole(value: unknown): value is Role {
  return roles.some((role) => role === value);
}

/** Builds a principal; without a workspace, code that needs one fails instead of querying across workspaces. */
export function principalOf(
  claims: Omit<Principal, 'workspaceId'> & { workspaceId: WorkspaceId | undefined },
): Principal {
  const { subject, roles: granted, client, workspaceId } = claims;
  return {
    subject,
    roles: granted,
    client,
    get workspaceId(): WorkspaceId {
      if (workspaceId === undefined) throw noWorkspace();
      return workspaceId;
    },
  };
}

export function noWorkspace(): DomainError {
  return new DomainError({
    code: 'AUTH.NO_WORKSPACE',
    kind: 'forbidden',
    message: 'This account belongs to no workspace.',
  });
}
