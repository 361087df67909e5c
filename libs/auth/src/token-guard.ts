import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { DomainError } from '@sociograph/kernel';
import { ACCESS, type Access } from './access';
import { Admission } from './admission';
import { noWorkspace, type Principal, type Role } from './principal';
import type { TokenLife } from './token-life';
import type { VerifiedToken } from './token-verifier';

interface GuardedRequest {
  raw: { rawHeaders: string[] };
  principal?: Principal;
  token?: TokenLife;
}

/**
 * Stands before every route. No header but Authorization is trusted, whatever the gateway has checked (DESIGN 7).
 * Handlers of messages are not its business: brokers have accounts of their own.
 */
@Injectable()
export class TokenGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly admission: Admission,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    if (context.getType() !== 'http') return true;
    const targets = [context.getHandler(), context.getClass()];
    const access = this.reflector.getAllAndOverride<Access | undefined>(ACCESS, targets);
    if (access === undefined) throw forbidden('AUTH.NOT_DECLARED', 'This address is open to nobody.');
    if (access.kind === 'public') return true;
    const request = context.switchToHttp().getRequest<GuardedRequest>();
    const token = await this.admission.admit(request.raw.rawHeaders);
    // Before the roles are looked at: the audit trail names who was refused, too.
    request.principal = token.principal;
    request.token = {
      expiresAt: token.expiresAt * 1_000,
      isTakenBack: () => this.admission.isTakenBack(token),
    };
    permit(token, access.roles);
    return true;
  }
}

function permit(token: VerifiedToken, allowed: readonly Role[]): void {
  const held = token.principal.roles.filter((role) => allowed.includes(role));
  if (held.length === 0) throw forbidden('AUTH.ROLE_MISSING', `This needs the role ${allowed.join(' or ')}.`);
  // Roles other than the platform's hold in a workspace; without one they mean nothing.
  if (!token.hasWorkspace && !held.includes('platform-operator')) throw noWorkspace();
}

function forbidden(code: string, message: string): DomainError {
  return new DomainError({ code, kind: 'forbidden', message });
}
