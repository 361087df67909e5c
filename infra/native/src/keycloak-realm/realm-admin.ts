export interface AdministratorAccount {
  keycloakUrl: string;
  clientId: string;
  clientSecret: string;
}

/** Tokens of the master realm live for a minute. */
const TOKEN_MS = 30_000;

/** Keycloak's Admin API of one realm, as its administrator. Answers of 4xx and 5xx are thrown. */
export class RealmAdmin {
  private token = { value: '', until: 0 };

  constructor(
    private readonly account: AdministratorAccount,
    readonly realm: string,
  ) {}

  /** The body of a GET; `path` is below the realm. */
  async get<T>(path: string): Promise<T> {
    return (await (await this.send('GET', path)).json()) as T;
  }

  async change(method: 'POST' | 'PUT' | 'DELETE', path: string, body?: unknown): Promise<void> {
    await this.send(method, path, body);
  }

  private async send(method: string, path: string, body?: unknown): Promise<Response> {
    const response = await fetch(`${this.account.keycloakUrl}/admin/realms/${this.realm}${path}`, {
      method,
      headers: { authorization: `Bearer ${await this.bearer()}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(60_000),
    });
    if (!response.ok)
      throw new Error(
        `Keycloak answered ${response.status} to ${method} ${path}: ${(await response.text()).slice(0, 200)}`,
      );
    return response;
  }

  private async bearer(): Promise<string> {
    if (performance.now() < this.token.until) return this.token.value;
    const { keycloakUrl, clientId, clientSecret } = this.account;
    const response = await fetch(`${keycloakUrl}/realms/master/protocol/openid-connect/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: clientId,
        client_secret: clientSecret,
      }),
    });
    if (!response.ok) throw new Error(`Keycloak refused its administrator: ${response.status}`);
    const { access_token: value } = (await response.json()) as { access_token: string };
    this.token = { value, until: performance.now() + TOKEN_MS };
    return value;
  }
}
