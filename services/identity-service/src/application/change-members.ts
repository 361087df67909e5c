import type { Clock } from '@sociograph/kernel';
import type { Member, MemberChange } from '../domain/members';
import type { Act, Directory, TakenBack, Workspaces } from '../domain/ports';

/** How many members a workspace may have. */
export type MemberLimit = (workspaceId: string) => Promise<number>;

/** Roles, removal and leaving. */
export class MemberKeeper {
  constructor(
    private readonly workspaces: Workspaces,
    private readonly directory: Directory,
    private readonly takenBack: TakenBack,
    private readonly clock: Clock,
    private readonly onFailure: (error: unknown) => void,
  ) {}

  /**
   * Stores the change, then brings it to the services and to Keycloak. Where one of them is away the answer says
   * `pending`, and it is tried until it is done.
   */
  async change(
    workspaceId: string,
    subject: string,
    change: MemberChange,
    options: { version?: number | undefined; act: Act },
  ): Promise<Member> {
    const member = await this.workspaces.change(workspaceId, subject, change, {
      ...options,
      nowMs: this.clock.nowMs(),
    });
    return member.pending ? { ...member, pending: !(await this.applied(subject)) } : member;
  }

  /** Brings the standing of this account to where it holds; false when that failed. */
  async applied(subject: string): Promise<boolean> {
    try {
      while (await this.applyNext(subject));
      return true;
    } catch (error) {
      this.onFailure(error);
      return false;
    }
  }

  /**
   * Of one account, or of any. The subject is shut out before Keycloak is asked, so that no token of before and none
   * that is fetched in between holds; what Keycloak issues from the next second on has the new roles. Where nobody can
   * be told of the shutting out, Keycloak hears all the same: at least no new token has the old roles.
   */
  async applyNext(subject?: string): Promise<boolean> {
    return this.workspaces.applyNext(async (whose, standing, isNew) => {
      if (isNew) return this.directory.apply(whose, standing);
      const [told] = await Promise.allSettled([this.takenBack.shutOut(whose, this.clock.nowMs())]);
      await this.directory.apply(whose, standing);
      if (told.status === 'rejected') throw told.reason;
      const now = this.clock.nowMs();
      await this.takenBack.letIn(whose, Math.floor(now / 1000) + 1, now);
    }, subject);
  }
}
