import { answerOf } from './answers';

/** An access token, and when another one should be asked for (milliseconds since the Unix epoch). */
export interface IssuedToken {
  accessToken: string;
  renewAt: number;
}

/** Where the API gets the token of its next request. */
export abstract class TokenSource {
  /** A token that is good for a while yet. */
  abstract token(): Promise<string>;
  /** Says that this token was refused though it should have been good: the next one will be another. */
  abstract discard(token: string): void;
}

/** The part of a token endpoint's answer (RFC 6749) that is used here; `expires_in` in seconds. */
export interface TokenAnswer {
  access_token: string;
  expires_in: number;
  refresh_token?: string;
  refresh_expires_in?: number;
}

/** A token is renewed a minute before it ends; a short-lived one when two thirds of its life are over. */
export function issued({ access_token, expires_in }: TokenAnswer, now = Date.now()): IssuedToken {
  return { accessToken: access_token, renewAt: now + Math.max(expires_in - 60, (expires_in * 2) / 3) * 1000 };
}

/** Keeps a token until it should be renewed. However many ask at once, it is renewed once. */
export class RenewedTokens extends TokenSource {
  private flight: Promise<IssuedToken> | undefined;
  private refused: string | undefined;

  /** `renew` is told which token was refused, if one was. */
  constructor(
    private readonly renew: (refused: string | undefined) => Promise<IssuedToken>,
    private current?: IssuedToken,
    private readonly now: () => number = Date.now,
  ) {
    super();
  }

  async token(): Promise<string> {
    if (this.current !== undefined && this.now() < this.current.renewAt) return this.current.accessToken;
    this.flight ??= this.fly().finally(() => (this.flight = undefined));
    return (await this.flight).accessToken;
  }

  discard(token: string): void {
    if (this.current?.accessToken !== token) return;
    this.current = undefined;
    this.refused = token;
  }

  private async fly(): Promise<IssuedToken> {
    this.current = await this.renew(this.refused);
    this.refused = undefined;
    return this.current;
  }
}

export interface ConfidentialClient {
  tokenUrl: string;
  clientId: string;
  clientSecret: string;
}

/** Tokens of a service account, by its client's credentials. */
export function clientCredentials(client: ConfidentialClient): TokenSource {
  return new RenewedTokens(() => clientToken(client));
}

/** One token of a service account. */
export async function clientToken(client: ConfidentialClient): Promise<IssuedToken> {
  const { tokenUrl, clientId, clientSecret } = client;
  const form = { grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret };
  const request = { method: 'POST', body: new URLSearchParams(form), signal: AbortSignal.timeout(15_000) };
  return issued(await answerOf<TokenAnswer>(await fetch(tokenUrl, request), 'the token endpoint'));
}
