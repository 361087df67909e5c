import type { Clock, Secret } from '@sociograph/kernel';
import { directoryRefused, directoryUnavailable } from '../domain/errors';
import { WORKSPACE_ROLES } from '../domain/members';
import { Directory, type NewAccount, type Standing } from '../domain/ports';

export interface KeycloakOptions {
  /** Of the server, without realm. */
  readonly url: string;
  readonly realm: string;
  readonly clientId: string;
  readonly clientSecret: Secret;
  readonly clock: Clock;
}

interface User {
  id: string;
  username: string;
  email?: string;
  attributes?: Record<string, string[]>;
}

const TIMEOUT_MS = 5_000;
const PROBE_TIMEOUT_MS = 2_000;
const PROBED_FOR_MS = 2_000;
/** The group whose members this client may see and change (infra/native/src/servers/keycloak-access.ts). */
const GROUP = '/people';
/** Attribute by which a repeated step knows its own account. */
const REGISTRATION = 'registration_id';
const WORKSPACE = 'workspace_id';

/**
 * The realm's Admin API, as a client that may see and change members of one group and map four roles. Plain fetch
 * instead of Keycloak's client: eight requests need none of its 90 packages, and each has a time limit here.
 */
export class KeycloakDirectory extends Directory {
  #token: { value: string; until: number } | undefined;
  #probe: { at: number; answer: Promise<boolean> } | undefined;

  constructor(private readonly options: KeycloakOptions) {
    super();
  }

  override available(): Promise<boolean> {
    const now = this.options.clock.monotonicMs();
    if (this.#probe === undefined || now - this.#probe.at > PROBED_FOR_MS) {
      const address = `${this.options.url}/realms/${this.options.realm}`;
      const answer = fetch(address, { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) }).then(
        async (response) => {
          await response.arrayBuffer();
          return response.ok;
        },
        () => false,
      );
      this.#probe = { at: now, answer };
    }
    return this.#probe.answer;
  }

  override async create(account: NewAccount): Promise<{ kind: 'made'; subject: string } | { kind: 'taken' }> {
    const { email, password, registrationId, unconfirmed } = account;
    const response = await this.#ask('POST', '/users', {
      username: email,
      email,
      emailVerified: !unconfirmed,
      enabled: true,
      groups: [GROUP],
      attributes: { [REGISTRATION]: [registrationId] },
      requiredActions: unconfirmed ? ['VERIFY_EMAIL'] : [],
      credentials: [
        {
          type: 'password',
          credentialData: JSON.stringify({
            algorithm: password.algorithm,
            hashIterations: password.iterations,
            additionalParameters: {},
          }),
          secretData: JSON.stringify({
            value: password.value,
            salt: password.salt,
            additionalParameters: {},
          }),
        },
      ],
    });
    if (response.status !== 201 && response.status !== 409) throw failed('create an account', response);
    // Of 201 too: the address of the new account is in a header, its id is taken from the same question either way.
    const user = await this.#byName(email);
    return user?.attributes?.[REGISTRATION]?.[0] === registrationId
      ? { kind: 'made', subject: user.id }
      : { kind: 'taken' };
  }

  override async apply(subject: string, { workspaceId, roles }: Standing): Promise<void> {
    const user = await this.#json<User | undefined>('GET', `/users/${encodeURIComponent(subject)}`, true);
    // Removed in Keycloak by hand: there is nobody left whose rights could be wrong.
    if (user === undefined) return;
    const { [WORKSPACE]: known, ...others } = user.attributes ?? {};
    if (known?.[0] !== workspaceId) {
      const attributes = { ...others, ...(workspaceId !== undefined && { [WORKSPACE]: [workspaceId] }) };
      await this.#done('PUT', `/users/${user.id}`, { ...user, attributes });
    }
    await this.#setRoles(user.id, roles);
    if (workspaceId === undefined) await this.#done('POST', `/users/${user.id}/logout`);
  }

  async #setRoles(id: string, wanted: readonly string[]): Promise<void> {
    const path = `/users/${id}/role-mappings/realm`;
    const given = await this.#json<{ id: string; name: string }[]>('GET', path);
    const surplus = given.filter(({ name }) => isOurs(name) && !wanted.includes(name));
    if (surplus.length > 0) await this.#done('DELETE', path, surplus);
    const lacking = wanted.filter((name) => !given.some((role) => role.name === name));
    if (lacking.length === 0) return;
    const available = await this.#json<{ id: string; name: string }[]>('GET', `${path}/available`);
    const roles = available.filter(({ name }) => lacking.includes(name));
    if (roles.length < lacking.length) throw directoryRefused('map a role', 403);
    await this.#done('POST', path, roles);
  }

  async #byName(username: string): Promise<User | undefined> {
    const query = new URLSearchParams({ username, exact: 'true', briefRepresentation: 'false' });
    return (await this.#json<User[]>('GET', `/users?${query.toString()}`))[0];
  }

  async #json<T>(method: string, path: string, orNone = false): Promise<T> {
    const response = await this.#ask(method, path);
    if (orNone && response.status === 404) return undefined as T;
    if (!response.ok) throw failed(`${method} ${stepOf(path)}`, response);
    return (await response.json()) as T;
  }

  async #done(method: string, path: string, body?: unknown): Promise<void> {
    const response = await this.#ask(method, path, body);
    if (!response.ok) throw failed(`${method} ${stepOf(path)}`, response);
  }

  async #ask(method: string, path: string, body?: unknown, again = true): Promise<Response> {
    const { url, realm } = this.options;
    const headers = {
      authorization: `Bearer ${await this.#accessToken()}`,
      'content-type': 'application/json',
    };
    const response = await this.#fetch(`${url}/admin/realms/${realm}${path}`, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (response.status !== 401 || !again) return response;
    // The signing key was changed, or the client's session ended: with a new token it holds again.
    this.#token = undefined;
    return this.#ask(method, path, body, false);
  }

  async #accessToken(): Promise<string> {
    const { url, realm, clientId, clientSecret, clock } = this.options;
    if (this.#token !== undefined && clock.monotonicMs() < this.#token.until) return this.#token.value;
    const response = await this.#fetch(`${url}/realms/${realm}/protocol/openid-connect/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: clientId,
        client_secret: clientSecret.reveal(),
      }),
    });
    if (!response.ok) throw failed('sign in', response);
    const { access_token: value, expires_in: seconds } = (await response.json()) as {
      access_token: string;
      expires_in: number;
    };
    this.#token = { value, until: clock.monotonicMs() + (seconds * 1000) / 2 };
    return value;
  }

  /** Answers are read whole in here, so that none keeps a connection. */
  async #fetch(address: string, request: RequestInit): Promise<Response> {
    try {
      const response = await fetch(address, { ...request, signal: AbortSignal.timeout(TIMEOUT_MS) });
      const body = await response.arrayBuffer();
      const { status, headers } = response;
      return new Response(body.byteLength === 0 ? null : body, { status, headers });
    } catch (cause) {
      throw directoryUnavailable(cause);
    }
  }
}

function isOurs(role: string): boolean {
  return WORKSPACE_ROLES.some((name) => name === role);
}

/** Paths hold ids and addresses of people. */
function stepOf(path: string): string {
  return path.replace(/\?.*/, '').replace(/^\/users\/[^/]+/, '/users/:id');
}

function failed(step: string, { status }: Response): Error {
  return status >= 500 || status === 429 ? directoryUnavailable() : directoryRefused(step, status);
}
