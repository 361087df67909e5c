import { Injectable } from '@nestjs/common';
import { DomainError } from '@sociograph/kernel';
import { Metrics } from '@sociograph/observability';
import { bearerToken, refuse } from './bearer-token';
import { Revocations } from './revocations';
import { TokenVerifier, type VerifiedToken } from './token-verifier';

/**
 * Whether a request's token is accepted at all. The guard asks it for every route with roles; a route that is open to
 * accounts without a workspace asks it itself.
 */
@Injectable()
export class Admission {
  private readonly refused;

  constructor(
    private readonly verifier: TokenVerifier,
    private readonly revocations: Revocations,
    metrics: Metrics,
  ) {
    this.refused = metrics.counter(
      'auth_tokens_refused_total',
      'Tokens not accepted; a spike means an attack or a clock',
      ['reason'] as const,
    );
  }

  /** The request's headers as they came (name, value, name, value, ...). Throws as TokenVerifier does; counted. */
  async admit(rawHeaders: readonly string[]): Promise<VerifiedToken> {
    try {
      const token = await this.verifier.verify(bearerToken(rawHeaders));
      if (await this.isTakenBack(token)) throw refuse('revoked');
      return token;
    } catch (error) {
      const reason = error instanceof DomainError ? String(error.facts['refusal'] ?? error.kind) : 'bug';
      this.refused.inc({ reason });
      throw error;
    }
  }

  /** From memory: may be asked again and again while an answer lasts. */
  async isTakenBack({ principal, issuedAt }: VerifiedToken): Promise<boolean> {
    const earliest = await this.revocations.earliestAcceptedIat(principal.subject);
    return earliest !== undefined && issuedAt < earliest;
  }
}
