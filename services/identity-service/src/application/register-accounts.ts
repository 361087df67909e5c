import type { Clock, Ids } from '@sociograph/kernel';
import type { AttemptLimit, Attempts } from '../domain/attempts';
import {
  directoryUnavailable,
  invitationUnknown,
  tooManyMembers,
  tooManyRegistrations,
} from '../domain/errors';
import type {
  Directory,
  HashedPassword,
  Invitations,
  Registration,
  Registrations,
  Workspaces,
} from '../domain/ports';
import type { MemberLimit } from './change-members';

export interface NewcomerCommand {
  readonly email: string;
  readonly password: string;
}

export interface RegistrarOptions {
  readonly attempts: Attempts;
  /** Of all addresses together. */
  readonly everybody: AttemptLimit;
  /** Of one address. */
  readonly perAddress: AttemptLimit;
  readonly hash: (password: string) => Promise<HashedPassword>;
  readonly hashToken: (token: string) => string;
  /** New addresses have to be confirmed. */
  readonly verifyEmail: boolean;
  /** Brings the standing of an admitted account to the directory; what fails is tried again by others. */
  readonly applied: (subject: string) => Promise<unknown>;
  readonly onFailure: (error: unknown) => void;
}

/** Keycloak is asked by so many answered registrations at a time; beyond that they wait for the regular round. */
const AT_ONCE = 2;
/** The name under which the attempts of all addresses are counted. */
const EVERYBODY = 'everybody';

/**
 * Accounts with a workspace. The answer is the same whether the address is known or not, and it takes the same time: the
 * password is hashed in both cases, Keycloak is asked afterwards. What a crash leaves half done is carried on by whoever
 * lives, or by a repeated call.
 */
export class Registrar {
  #carrying = 0;

  constructor(
    private readonly registrations: Registrations,
    private readonly directory: Directory,
    private readonly workspaces: Workspaces,
    private readonly invitations: Invitations,
    private readonly memberLimit: MemberLimit,
    private readonly clock: Clock,
    private readonly ids: Ids,
    private readonly options: RegistrarOptions,
  ) {}

  async register(command: NewcomerCommand & { workspaceName: string }): Promise<void> {
    await this.#begin(command, {
      workspaceId: `w-${this.ids.next().replaceAll('-', '')}`,
      workspaceName: command.workspaceName,
      roles: ['viewer', 'analyst', 'operator', 'admin'],
      invitationId: undefined,
    });
  }

  /** A newcomer accepts an invitation. Throws IDENTITY.INVITATION_UNKNOWN, IDENTITY.QUOTA_MEMBERS. */
  async registerInvited(command: NewcomerCommand & { token: string }): Promise<void> {
    const now = this.clock.nowMs();
    const invitation = await this.invitations.byToken(this.options.hashToken(command.token), now);
    if (invitation === undefined) throw invitationUnknown();
    const { workspaceId, roles, id } = invitation;
    const most = await this.memberLimit(workspaceId);
    if ((await this.workspaces.countMembers(workspaceId)) >= most) throw tooManyMembers(most);
    await this.#begin(command, { workspaceId, workspaceName: undefined, roles, invitationId: id });
  }

  /** Carries on what is due; true while there is more. Of a failure the caller's log tells, and it is tried again. */
  async carryOn(email?: string): Promise<boolean> {
    let admitted: string | undefined;
    const more = await this.registrations.carryOn(
      this.clock.nowMs(),
      async (registration) => {
        admitted = await this.#finish(registration);
        return 'done';
      },
      email,
    );
    // Afterwards: the standing is the member's by now, and may have changed since.
    if (admitted !== undefined) await this.options.applied(admitted);
    return more;
  }

  async #begin(
    { email: given, password }: NewcomerCommand,
    goal: Pick<Registration, 'workspaceId' | 'workspaceName' | 'roles' | 'invitationId'>,
  ): Promise<void> {
    const email = given.toLowerCase();
    const { attempts, everybody, perAddress } = this.options;
    // First, so that whoever is sent away now is not refused later for having tried: the answer is known for seconds.
    if (!(await this.directory.available())) throw directoryUnavailable();
    const waitMs = await attempts.take(EVERYBODY, everybody, this.clock.nowMs());
    if (waitMs > 0) throw tooManyRegistrations(Math.ceil(waitMs / 1000));
    const hashed = await this.options.hash(password);
    // Said nothing of: a refusal would tell that somebody registers this address.
    if ((await attempts.take(`address ${email}`, perAddress, this.clock.nowMs())) > 0) return;
    const registration = { id: this.ids.next(), email, password: hashed, ...goal };
    await this.registrations.begin(registration, this.clock.nowMs());
    if (this.#carrying >= AT_ONCE) return;
    this.#carrying += 1;
    void this.carryOn(email)
      .catch(this.options.onFailure)
      .finally(() => (this.#carrying -= 1));
  }

  /** Each step may be repeated: the account knows its registration, the member its account. */
  async #finish(registration: Registration): Promise<string | undefined> {
    const { id, email, password } = registration;
    const unconfirmed = this.options.verifyEmail;
    const made = await this.directory.create({ registrationId: id, email, password, unconfirmed });
    if (made.kind === 'taken') return undefined;
    await this.workspaces.admit(registration, made.subject, this.clock.nowMs());
    return made.subject;
  }
}
