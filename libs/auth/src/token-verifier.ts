import { isWorkspaceId, type Clock, type WorkspaceId } from '@sociograph/kernel';
import GrantManager from 'keycloak-connect/middleware/auth-utils/grant-manager';
import Token from 'keycloak-connect/middleware/auth-utils/token';
import { claimsOf, keyIdOf, refuse, type Refusal } from './bearer-token';
import type { KeySet } from './key-set';
import { isRole, principalOf, type Principal } from './principal';

export interface TokenRules {
  /** Exactly the `iss` claim. */
  issuer: string;
  /** Must be among `aud`. */
  audience: string;
  /** Allowed `azp`. */
  clients: readonly string[];
}

export interface VerifiedToken {
  principal: Principal;
  hasWorkspace: boolean;
  /** Seconds since the Unix epoch. */
  issuedAt: number;
  expiresAt: number;
}

/** How far the clocks of Keycloak's machine and ours may differ for `nbf` and `iat`; none is granted for `exp`. */
const SKEW_SECONDS = 5;
const MAX_SUBJECT = 255;

// What keycloak-connect says in its errors, as one of our reasons.
const reasons: readonly (readonly [RegExp, Refusal])[] = [
  [/expired/, 'expired'],
  [/wrong type/, 'type'],
  [/ISS/, 'issuer'],
  [/audience/, 'audience'],
];

/** Verifies access tokens of one realm, offline once the keys are known (docs/adr/0003-token-verification.md). */
export class TokenVerifier {
  constructor(
    private readonly rules: TokenRules,
    private readonly keys: Pick<KeySet, 'find'>,
    private readonly clock: Clock,
  ) {}

  /** Who the token speaks for; throws `unauthenticated`, or `unavailable` when the keys cannot be had. */
  async verify(token: string): Promise<VerifiedToken> {
    const key = await this.keys.find(keyIdOf(token));
    if (key === undefined) throw refuse('unknown-key');
    // Without a numeric expiry keycloak-connect would take the token for unexpired.
    const { exp, nbf, iat } = this.timesOf(claimsOf(token));
    const manager = new GrantManager({
      realmUrl: this.rules.issuer,
      clientId: this.rules.audience,
      verifyTokenAudience: true,
      publicKey: key,
    });
    await manager.validateToken(new Token(token), 'Bearer').catch((cause: unknown) => {
      throw refuse(reasonOf(cause), cause);
    });
    const now = this.clock.nowMs() / 1000;
    if (exp <= now) throw refuse('expired');
    if (Math.max(nbf, iat) > now + SKEW_SECONDS) throw refuse('not-yet');
    return { ...this.principal(claimsOf(token)), issuedAt: iat, expiresAt: exp };
  }

  private timesOf(claims: Record<string, unknown>): { exp: number; nbf: number; iat: number } {
    const { exp, iat, nbf = 0 } = claims;
    if (!isTime(exp) || !isTime(iat) || !isTime(nbf)) throw refuse('claims');
    return { exp, nbf, iat };
  }

  private principal(claims: Record<string, unknown>): Pick<VerifiedToken, 'principal' | 'hasWorkspace'> {
    const { sub, azp, realm_access: access } = claims;
    if (typeof azp !== 'string' || !this.rules.clients.includes(azp)) throw refuse('client');
    if (typeof sub !== 'string' || sub === '' || sub.length > MAX_SUBJECT) throw refuse('claims');
    const granted = (access as { roles?: unknown } | null | undefined)?.roles;
    const roles = Array.isArray(granted) ? granted.filter(isRole) : [];
    const workspaceId = workspaceOf(claims['workspace_id']);
    return {
      principal: principalOf({ subject: sub, client: azp, roles, workspaceId }),
      hasWorkspace: workspaceId !== undefined,
    };
  }
}

/** A claim that is there must have the shape of a workspace: it becomes part of keys and queries. */
function workspaceOf(claim: unknown): WorkspaceId | undefined {
  if (claim === undefined) return undefined;
  if (typeof claim !== 'string' || !isWorkspaceId(claim)) throw refuse('claims');
  return claim;
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

function reasonOf(error: unknown): Refusal {
  const text = error instanceof Error ? error.message : '';
  return reasons.find(([pattern]) => pattern.test(text))?.[1] ?? 'signature';
}
