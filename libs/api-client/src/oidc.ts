import { answerOf, UnexpectedAnswer } from './answers';
import { rest } from './patience';
import type { TokenAnswer } from './tokens';

/** A device authorization as the server gave it (RFC 8628); times in seconds. */
export interface DeviceAuthorization {
  device_code: string;
  user_code: string;
  verification_uri: string;
  verification_uri_complete?: string;
  expires_in: number;
  interval?: number;
}

interface Endpoints {
  issuer: string;
  token_endpoint: string;
  device_authorization_endpoint?: string;
  revocation_endpoint?: string;
}

/** An error of RFC 6749 or 8628: `invalid_grant`, `access_denied`, `expired_token`, ... */
export class OAuthRefused extends Error {
  override readonly name = 'OAuthRefused';

  constructor(
    readonly code: string,
    description?: string,
  ) {
    super(description === undefined ? code : `${code}: ${description}`);
  }
}

const TIMEOUT_MS = 15_000;
/** RFC 8628, 3.5: what a client waits between polls when it is told nothing, and by how much `slow_down` adds to it. */
const INTERVAL_S = 5;

/** A public client of an OpenID Connect provider. */
export class OidcClient {
  private constructor(
    private readonly endpoints: Endpoints,
    readonly clientId: string,
  ) {}

  /** Reads the provider's endpoints; throws when the document names another issuer than was asked. */
  static async discover(issuer: string, clientId: string): Promise<OidcClient> {
    const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
    const found = await answerOf<Endpoints>(
      await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS), redirect: 'error' }),
      url,
    );
    if (found.issuer !== issuer) throw new OAuthRefused('wrong_issuer', `${url} names ${found.issuer}`);
    return new OidcClient(found, clientId);
  }

  get tokenUrl(): string {
    return this.endpoints.token_endpoint;
  }

  /** Asks for a code that a person confirms in a browser, on whatever device. */
  async startDevice(): Promise<DeviceAuthorization> {
    const endpoint = this.endpoints.device_authorization_endpoint;
    if (endpoint === undefined) throw new OAuthRefused('no_device_flow', 'the provider offers none');
    return this.send<DeviceAuthorization>(endpoint, { scope: 'openid' });
  }

  /** Polls at the pace that the server asks for until the person has confirmed; throws when they refuse or the code ends. */
  async awaitDevice(
    device: DeviceAuthorization,
    { signal, sleep = rest }: { signal?: AbortSignal | undefined; sleep?: typeof rest } = {},
  ): Promise<TokenAnswer> {
    let intervalS = device.interval ?? INTERVAL_S;
    for (;;) {
      await sleep(intervalS * 1000, signal);
      try {
        return await this.send<TokenAnswer>(this.tokenUrl, {
          grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
          device_code: device.device_code,
        });
      } catch (error) {
        if (!(error instanceof OAuthRefused)) throw error;
        if (error.code === 'slow_down') intervalS += INTERVAL_S;
        else if (error.code !== 'authorization_pending') throw error;
      }
    }
  }

  /** New tokens for a refresh token, which is used up by it. */
  refresh(refreshToken: string): Promise<TokenAnswer> {
    return this.send<TokenAnswer>(this.tokenUrl, {
      grant_type: 'refresh_token',
      refresh_token: refreshToken,
    });
  }

  /** Ends the session of a refresh token (RFC 7009). */
  async revoke(refreshToken: string): Promise<void> {
    const endpoint = this.endpoints.revocation_endpoint;
    if (endpoint === undefined) return;
    await this.send<undefined>(endpoint, { token: refreshToken, token_type_hint: 'refresh_token' });
  }

  private async send<T>(url: string, form: Record<string, string>): Promise<T> {
    const body = new URLSearchParams({ client_id: this.clientId, ...form });
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    try {
      return await answerOf<T>(await fetch(url, { method: 'POST', body, signal, redirect: 'error' }), url);
    } catch (error) {
      throw error instanceof UnexpectedAnswer ? (refusalIn(error) ?? error) : error;
    }
  }
}

function refusalIn({ body }: UnexpectedAnswer): OAuthRefused | undefined {
  try {
    const { error, error_description } = JSON.parse(body) as Record<string, unknown>;
    if (typeof error !== 'string') return undefined;
    return new OAuthRefused(error, typeof error_description === 'string' ? error_description : undefined);
  } catch {
    return undefined;
  }
}
