import type { Member, MemberChange, WorkspaceRole } from './members';

/** Who asked for a change, for the audit trail. */
export interface Act {
  readonly actor: { kind: 'person' | 'service'; id: string };
  readonly action: string;
  readonly correlationId?: string | undefined;
}

/** A password as Keycloak stores it: nobody can sign in with it, and nobody can read it. */
export interface HashedPassword {
  readonly algorithm: 'pbkdf2-sha512';
  readonly iterations: number;
  /** Base64, both. */
  readonly salt: string;
  readonly value: string;
}

/** What an account is to be in the directory; without a workspace it has no roles. */
export interface Standing {
  readonly workspaceId: string | undefined;
  readonly roles: readonly WorkspaceRole[];
}

export interface NewAccount {
  /** Id of the registration: it is how a repeated step recognises its own account. */
  readonly registrationId: string;
  readonly email: string;
  readonly password: HashedPassword;
  /** True: the address has to be confirmed at the first sign-in. */
  readonly unconfirmed: boolean;
}

/** Keycloak. Every method may be repeated; an unreachable one throws IDENTITY.DIRECTORY_UNAVAILABLE. */
export abstract class Directory {
  /** Whether it answers, asked at most every two seconds. */
  abstract available(): Promise<boolean>;
  /**
   * Makes the account, without workspace and roles, or finds the one that this registration made before. `taken`: the
   * address is somebody else's.
   */
  abstract create(account: NewAccount): Promise<{ kind: 'made'; subject: string } | { kind: 'taken' }>;
  /** Sets workspace and roles to exactly this, and ends the sessions of an account that is out. */
  abstract apply(subject: string, standing: Standing): Promise<void>;
}

export interface Registration {
  readonly id: string;
  readonly email: string;
  readonly password: HashedPassword;
  readonly workspaceId: string;
  /** Absent for those who join an existing workspace. */
  readonly workspaceName: string | undefined;
  readonly roles: readonly WorkspaceRole[];
  readonly invitationId: string | undefined;
}

/** Registrations that are under way. */
export abstract class Registrations {
  /**
   * Keeps it; where one of this address is under way already that one goes on, and the new one is forgotten. It never
   * waits for the one that is under way: the time of the answer would tell that there is one.
   */
  abstract begin(registration: Registration, nowMs: number): Promise<void>;
  /**
   * Takes one that is due under a lock and does `work` with it; `done` removes it. A failure moves its next try.
   * False when none is due.
   */
  abstract carryOn(
    nowMs: number,
    work: (registration: Registration) => Promise<'done'>,
    email?: string,
  ): Promise<boolean>;
}

/** Workspaces and their members. */
export abstract class Workspaces {
  /**
   * The account becomes a member of its new or existing workspace, the invitation is used up: one transaction. The
   * directory does not know yet: `applyNext` tells it.
   */
  abstract admit(registration: Registration, subject: string, nowMs: number): Promise<void>;
  /** An existing account without a workspace accepts an invitation. */
  abstract join(invitationId: string, subject: string, nowMs: number, act: Act): Promise<Member>;
  abstract describe(
    workspaceId: string,
  ): Promise<{ name: string; createdAt: number | undefined; revision: number }>;
  abstract rename(
    workspaceId: string,
    name: string,
    revision: number | undefined,
    nowMs: number,
    act: Act,
  ): Promise<void>;
  abstract members(workspaceId: string, limit: number, after?: string): Promise<Member[]>;
  abstract find(workspaceId: string, subject: string): Promise<Member | undefined>;
  /** Decides and stores under a lock on the workspace, with the audit record. */
  abstract change(
    workspaceId: string,
    subject: string,
    change: MemberChange,
    options: { version?: number | undefined; nowMs: number; act: Act },
  ): Promise<Member>;
  abstract countMembers(workspaceId: string): Promise<number>;
  /**
   * Does `work` with an account whose standing the directory has not got yet; false when there is none. `isNew`: the
   * directory never heard of any standing of it. One whose work fails is tried again after all others.
   */
  abstract applyNext(
    work: (subject: string, standing: Standing, isNew: boolean) => Promise<void>,
    subject?: string,
  ): Promise<boolean>;
}

export interface Invitation {
  readonly id: string;
  readonly workspaceId: string;
  readonly roles: readonly WorkspaceRole[];
  readonly note: string | undefined;
  readonly createdBy: string;
  readonly createdAt: number;
  readonly expiresAt: number;
}

export abstract class Invitations {
  abstract add(invitation: Invitation, tokenHash: string, act: Act): Promise<void>;
  /** Open ones. */
  abstract page(workspaceId: string, nowMs: number, limit: number, after?: string): Promise<Invitation[]>;
  /** Throws IDENTITY.INVITATION_UNKNOWN where it is not open. */
  abstract withdraw(workspaceId: string, id: string, nowMs: number, act: Act): Promise<void>;
  abstract byToken(tokenHash: string, nowMs: number): Promise<Invitation | undefined>;
}

/** Tokens taken back before their expiry; every service hears of it within two seconds. */
export abstract class TakenBack {
  /** The subject is shut out until `letIn`. */
  abstract shutOut(subject: string, nowMs: number): Promise<void>;
  /** Tokens from `earliestIat` (seconds) on are accepted. */
  abstract letIn(subject: string, earliestIat: number, nowMs: number): Promise<void>;
}
