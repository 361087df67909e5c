import type { Clock, Ids } from '@sociograph/kernel';
import { invitationUnknown } from '../domain/errors';
import { inOrder, type Member, type WorkspaceRole } from '../domain/members';
import type { Act, Invitation, Invitations, Workspaces } from '../domain/ports';
import type { MemberKeeper } from './change-members';

const DAY_MS = 24 * 60 * 60 * 1000;

/** Invitations are links with a secret; whoever has one joins, once. Sending it is up to the admin. */
export class Inviter {
  constructor(
    private readonly invitations: Invitations,
    private readonly workspaces: Workspaces,
    private readonly keeper: MemberKeeper,
    private readonly clock: Clock,
    private readonly ids: Ids,
    private readonly secrets: { make: () => string; hash: (token: string) => string },
  ) {}

  /** The token is in this answer and nowhere else. */
  async invite(
    workspaceId: string,
    wish: { roles: readonly WorkspaceRole[]; note?: string | undefined; days: number },
    act: Act,
  ): Promise<{ invitation: Invitation; token: string }> {
    const now = Math.floor(this.clock.nowMs());
    const token = this.secrets.make();
    const invitation: Invitation = {
      id: this.ids.next(),
      workspaceId,
      roles: inOrder(wish.roles),
      note: wish.note,
      createdBy: act.actor.id,
      createdAt: now,
      expiresAt: now + wish.days * DAY_MS,
    };
    await this.invitations.add(invitation, this.secrets.hash(token), act);
    return { invitation, token };
  }

  /** An account without a workspace joins. Throws IDENTITY.INVITATION_UNKNOWN, IDENTITY.ALREADY_MEMBER. */
  async accept(token: string, subject: string, act: Act): Promise<Member> {
    const now = this.clock.nowMs();
    const invitation = await this.invitations.byToken(this.secrets.hash(token), now);
    if (invitation === undefined) throw invitationUnknown();
    const member = await this.workspaces.join(invitation.id, subject, now, act);
    return { ...member, pending: !(await this.keeper.applied(subject)) };
  }
}
