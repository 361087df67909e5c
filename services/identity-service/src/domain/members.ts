import { lastAdmin, memberChanged } from './errors';

/** Roles that a workspace gives; `platform-operator` is none of them. */
export const WORKSPACE_ROLES = ['viewer', 'analyst', 'operator', 'admin'] as const;

export type WorkspaceRole = (typeof WORKSPACE_ROLES)[number];

export interface Member {
  readonly subject: string;
  readonly workspaceId: string;
  readonly email: string;
  readonly roles: readonly WorkspaceRole[];
  readonly joinedAt: number;
  /** Grows with each change. */
  readonly version: number;
  /** Keycloak does not say so yet; the tokens of before are refused already. */
  readonly pending: boolean;
}

/** What becomes of a member: other roles, or none because they are out. */
export type MemberChange = { kind: 'roles'; roles: readonly WorkspaceRole[] } | { kind: 'out' };

/**
 * Decides over a change among the present members of one workspace. Throws IDENTITY.LAST_ADMIN when nobody would be
 * left who can change it again, IDENTITY.MEMBER_CHANGED when the caller has seen another version.
 * Answers undefined when nothing changes.
 */
export function decide(
  members: readonly Member[],
  member: Member,
  change: MemberChange,
  expected?: number,
): { roles: readonly WorkspaceRole[]; out: boolean } | undefined {
  if (expected !== undefined && expected !== member.version) throw memberChanged(expected, member.version);
  const out = change.kind === 'out';
  const roles = change.kind === 'out' ? [] : inOrder(change.roles);
  if (!out && roles.join() === inOrder(member.roles).join()) return undefined;
  const others = members.filter(({ subject }) => subject !== member.subject);
  const stays = roles.includes('admin') || others.some((other) => other.roles.includes('admin'));
  if (member.roles.includes('admin') && !stays) throw lastAdmin();
  return { roles, out };
}

/** Each role once, in the order of their power. */
export function inOrder(roles: readonly WorkspaceRole[]): WorkspaceRole[] {
  return WORKSPACE_ROLES.filter((role) => roles.includes(role));
}
