import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { eventually, inPostgres, startTokenIssuer, testServers, type TokenIssuer } from '@sociograph/testing';
import { type IdentityStand, identityStand } from './identity-stand';
import { Browser, type SignedIn, signedIn, signIn, type TokenAnswer } from './sign-in';

jest.setTimeout(300_000);

const SLOW = { timeoutMs: 40_000, everyMs: 200 };
const PASSWORD = 'correct horse battery';
/** What a token says of its own making, not of its subject. */
const OF_THE_TOKEN = ['exp', 'iat', 'auth_time', 'jti', 'sid', 'session_state', 'acr'];
/** What decides over what a token may do. */
const RIGHTS = ['iss', 'sub', 'aud', 'azp', 'typ', 'workspace_id', 'realm_access'];

/**
 * Everything of a realm that is open to somebody with an account and no administrator's rights: the account's own API,
 * its pages, the endpoints of OpenID Connect, registration. Whatever it answers, a fresh token says the same afterwards.
 */
describe('somebody who edits the own account', () => {
  const servers = testServers();
  const keycloak = servers.of('identity-service', 'KEYCLOAK_URL');
  const realm = `${keycloak}/realms/sociograph`;
  const connect = `${realm}/protocol/openid-connect`;
  const email = `${randomUUID()}@example.org`;
  let stand: IdentityStand;
  let issuer: TokenIssuer;
  let account: SignedIn;
  let console: SignedIn;
  let before: Record<string, unknown>;
  let session: SignedIn;
  const browser = new Browser();

  beforeAll(async () => {
    issuer = await startTokenIssuer();
    stand = await identityStand(issuer);
    await stand.ask('POST', '/v1/register', undefined, { email, password: PASSWORD, workspace: 'Own' });
    await eventually(async () => {
      const found = await inPostgres(stand.database.adminUrl, (client) =>
        client.query('SELECT 1 FROM accounts WHERE email = $1 AND applied = version', [email]),
      );
      expect(found.rows).toHaveLength(1);
    }, SLOW);
    account = await freshly();
    session = account;
    before = without(account.claims, OF_THE_TOKEN);
    console = await inAccountConsole();
  });
  afterAll(async () => {
    await stand?.close();
    await issuer?.close();
  });

  async function freshly(scope?: string): Promise<SignedIn> {
    const found = await signIn(realm, email, PASSWORD, scope);
    if (found === undefined) throw new Error('cannot sign in any more');
    return found;
  }

  /** A fresh token of the session; of a new one where that was ended. Refresh tokens are good for one use. */
  async function claimsNow(): Promise<Record<string, unknown>> {
    const answer = await form(`${connect}/token`, {
      ...{ grant_type: 'refresh_token', client_id: 'sociograph-cli', refresh_token: session.refreshToken },
    });
    session = answer.ok ? signedIn((await answer.json()) as TokenAnswer) : await freshly();
    return without(session.claims, OF_THE_TOKEN);
  }

  /** By the code flow, as the realm's own page for accounts does it: the token with which its API is open. */
  async function inAccountConsole(more: Record<string, string> = {}): Promise<SignedIn> {
    const verifier = randomBytes(32).toString('base64url');
    const page = await browser.open(
      `${connect}/auth?${new URLSearchParams({
        ...{ client_id: 'account-console', response_type: 'code', scope: 'openid', state: 's' },
        ...{ redirect_uri: `${realm}/account/`, code_challenge_method: 'S256' },
        code_challenge: createHash('sha256').update(verifier).digest('base64url'),
        ...more,
      })}`,
    );
    if (/name="password"/.test(page))
      await browser.submit(page, { username: email, password: PASSWORD, credentialId: '' });
    const code = new URL(browser.address).searchParams.get('code') ?? '';
    const answer = await form(`${connect}/token`, {
      ...{ grant_type: 'authorization_code', client_id: 'account-console', code },
      ...{ redirect_uri: `${realm}/account/`, code_verifier: verifier },
    });
    if (!answer.ok) throw new Error(`the account console gets no token: ${await answer.text()}`);
    return signedIn((await answer.json()) as TokenAnswer);
  }

  const form = (address: string, body: Record<string, string>, token?: string): Promise<Response> =>
    fetch(address, {
      ...{ method: 'POST', body: new URLSearchParams(body) },
      ...(token !== undefined && { headers: { authorization: `Bearer ${token}` } }),
    });
  const ask = async (method: string, address: string, token?: string, body?: unknown): Promise<number> => {
    const answer = await fetch(address, {
      method,
      headers: {
        ...{ accept: 'application/json', 'content-type': 'application/json' },
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    await answer.arrayBuffer();
    return answer.status;
  };

  const wish = (): Record<string, unknown> => ({
    ...{ id: randomUUID(), username: `other-${email}`, email: `other-${email}`, emailVerified: true },
    ...{ firstName: 'Other', lastName: 'Other', enabled: true, requiredActions: [] },
    ...{ roles: ['platform-operator'], realmRoles: ['platform-operator'], groups: ['/people', '/other'] },
    ...{ clientRoles: { 'realm-management': ['manage-users'] }, serviceAccountClientId: 'sociograph-demo' },
    attributes: Object.fromEntries(
      [
        ...['workspace_id', 'Workspace_Id', 'workspace_id ', 'registration_id', 'roles', 'realm_access'],
        ...['groups', 'locale', 'nickname', 'picture', 'website', 'zoneinfo', 'sub', 'email', 'username'],
      ].map((name) => [name, ['demo']]),
    ),
  });
  const onlyAttributes = (): Record<string, unknown> => ({
    ...{ username: email, email, attributes: { workspace_id: ['demo'] } },
  });

  /** The account's API (`/account`), with whichever token opens it. */
  const ofAccount: [method: string, path: string, body?: (() => unknown) | undefined][] = [
    ['GET', '/'],
    ['POST', '/', wish],
    ['POST', '/', onlyAttributes],
    ['POST', '/', () => ({ username: email, email: `changed-${email}` })],
    ['POST', '/', () => ({ username: `changed-${email}`, email })],
    ['POST', '/v1alpha1/', onlyAttributes],
    ['PUT', '/', onlyAttributes],
    ['GET', '/credentials'],
    ['PUT', '/credentials/of-another/label', () => 'label'],
    ['DELETE', '/credentials/of-another'],
    ['GET', '/linked-accounts'],
    ['GET', '/linked-accounts/other'],
    ['DELETE', '/linked-accounts/other'],
    ['GET', '/applications'],
    ['GET', '/applications/sociograph-demo/consent'],
    [
      'POST',
      '/applications/sociograph-demo/consent',
      () => ({ grantedScopes: [{ id: 'x', name: 'roles' }] }),
    ],
    ['PUT', '/applications/sociograph-demo/consent', () => ({ grantedScopes: [{ id: 'x', name: 'roles' }] })],
    ['DELETE', '/applications/sociograph-demo/consent'],
    ['GET', '/groups'],
    ['POST', '/groups', () => ({ id: 'x', name: 'people' })],
    ['PUT', '/groups/people'],
    ['GET', '/organizations'],
    ['POST', '/organizations', () => ({ name: 'other' })],
    ['GET', '/resources'],
    ['GET', '/resources/shared-with-me'],
    ['PUT', '/resources/x/permissions', () => [{ username: email, scopes: ['manage'] }]],
    ['GET', '/verifiable-credentials'],
    ['GET', '/issued-verifiable-credentials'],
    ['GET', '/supportedLocales'],
    ['GET', '/sessions'],
    ['GET', '/sessions/devices'],
    ['DELETE', '/sessions/of-another'],
    ['DELETE', '/sessions?current=true'],
  ];

  it.each(ofAccount.map(([method, path, body]) => [method, path, body] as const))(
    'changes no claim by %s /account%s',
    async (method, path, body) => {
      for (const { accessToken } of [account, console]) {
        const status = await ask(method, `${realm}/account${path}`, accessToken, body?.());
        expect(status).toBeLessThan(500);
      }
      expect(await claimsNow()).toEqual(before);
    },
  );

  it('is let into the API of the account, so that the refusals above are of what was asked', async () => {
    // The last attempt above ended all sessions.
    account = await freshly();
    console = await inAccountConsole();
    expect(await ask('GET', `${realm}/account/`, console.accessToken)).toBe(200);
  });

  it.each(['UPDATE_PROFILE', 'VERIFY_PROFILE', 'UPDATE_EMAIL', 'update_user_locale', 'delete_account'])(
    'changes no claim by the page of %s',
    async (action) => {
      const verifier = createHash('sha256').update('x'.repeat(43)).digest('base64url');
      const page = await browser.open(
        `${connect}/auth?${new URLSearchParams({
          ...{ client_id: 'account-console', response_type: 'code', scope: 'openid', kc_action: action },
          ...{ redirect_uri: `${realm}/account/`, code_challenge_method: 'S256', code_challenge: verifier },
          ...{ kc_locale: 'ru', ui_locales: 'ru' },
        })}`,
      );
      if (/<form/.test(page))
        await browser.submit(page, {
          ...{ username: `other-${email}`, email: `other-${email}`, firstName: 'Other', lastName: 'Other' },
          ...{ workspace_id: 'demo', 'user.attributes.workspace_id': 'demo', roles: 'platform-operator' },
          ...{ locale: 'ru', 'attributes.workspace_id': 'demo' },
        });
      expect(await claimsNow()).toEqual(before);
      expect(without((await freshly()).claims, OF_THE_TOKEN)).toEqual(before);
    },
  );

  const client = (): unknown => ({
    clientId: `own-${randomUUID()}`,
    protocolMappers: [
      {
        ...{ name: 'w', protocol: 'openid-connect', protocolMapper: 'oidc-hardcoded-claim-mapper' },
        config: { 'claim.name': 'workspace_id', 'claim.value': 'demo', 'access.token.claim': 'true' },
      },
    ],
  });
  const described = (): unknown => ({ client_name: 'own', redirect_uris: ['https://example.org/'] });

  it.each([
    ['default', client],
    ['openid-connect', described],
    ['install/sociograph-cli', described],
    ['saml2-entity-descriptor', described],
  ])('registers and changes no client at clients-registrations/%s', async (provider, body) => {
    for (const token of [undefined, account.accessToken, console.accessToken])
      for (const method of ['POST', 'PUT', 'DELETE'])
        for (const path of [provider, `${provider}/sociograph-cli`]) {
          const wish = method === 'DELETE' ? undefined : body();
          const status = await ask(method, `${realm}/clients-registrations/${path}`, token, wish);
          expect([method, path, status >= 400 && status < 500]).toEqual([method, path, true]);
        }
    expect(await claimsNow()).toEqual(before);
  });

  it.each([
    ['/protocol/openid-connect/registrations?client_id=account-console&response_type=code&scope=openid'],
    ['/login-actions/registration?client_id=account-console'],
    ['/login-actions/reset-credentials?client_id=account-console'],
  ])('finds %s closed', async (path) => {
    const guest = new Browser();
    const redirect = `&redirect_uri=${encodeURIComponent(`${realm}/account/`)}`;
    expect(await guest.open(`${realm}${path}${redirect}`)).not.toMatch(/name="(password-confirm|firstName)"/);
  });

  it.each([
    ['token exchange', 'urn:ietf:params:oauth:grant-type:token-exchange'],
    ['a JWT as a grant', 'urn:ietf:params:oauth:grant-type:jwt-bearer'],
    ['a UMA ticket', 'urn:ietf:params:oauth:grant-type:uma-ticket'],
    ['CIBA', 'urn:openid:params:grant-type:ciba'],
    ['the password', 'password'],
    ['client credentials', 'client_credentials'],
  ])('gets no token by %s', async (_what, grant) => {
    for (const client_id of [
      'sociograph-cli',
      'account-console',
      'account',
      'sociograph-demo',
      'admin-cli',
    ]) {
      const answer = await form(
        `${connect}/token`,
        {
          ...{
            grant_type: grant,
            client_id,
            username: email,
            password: PASSWORD,
            audience: 'sociograph-demo',
          },
          ...{ subject_token: account.accessToken, assertion: account.accessToken, scope: 'openid' },
          ...{ subject_token_type: 'urn:ietf:params:oauth:token-type:access_token' },
          ...{ requested_subject: 'service-account-sociograph-demo', auth_req_id: 'x' },
        },
        grant.endsWith('uma-ticket') ? account.accessToken : undefined,
      );
      const body = (await answer.json()) as { access_token?: string };
      expect([client_id, answer.ok, body.access_token]).toEqual([client_id, false, undefined]);
    }
  });

  it('gets the same rights with every scope that may be asked for, also offline and by refreshing', async () => {
    const { scopes_supported: scopes } = (await (
      await fetch(`${realm}/.well-known/openid-configuration`)
    ).json()) as { scopes_supported: string[] };
    const wide = await freshly(scopes.join(' '));
    const rights = only(before, RIGHTS);
    expect(only({ ...wide.claims }, RIGHTS)).toEqual(rights);
    const again = await form(`${connect}/token`, {
      ...{ grant_type: 'refresh_token', client_id: 'sociograph-cli', refresh_token: wide.refreshToken },
      scope: [...scopes, 'workspace_id:demo', 'platform-operator'].join(' '),
    });
    if (again.ok)
      expect(only({ ...signedIn((await again.json()) as TokenAnswer).claims }, RIGHTS)).toEqual(rights);
    expect(await claimsNow()).toEqual(before);
  });

  it('gets no claim by asking for it', async () => {
    const claims = {
      workspace_id: { essential: true, value: 'demo' },
      realm_access: { value: { roles: ['admin'] } },
    };
    const asked = await inAccountConsole({
      claims: JSON.stringify({ access_token: claims, id_token: claims, userinfo: claims }),
      ...{ workspace_id: 'demo', acr_values: '1', login_hint: 'other' },
    });
    expect(asked.claims.workspace_id).toBeUndefined();
    expect(await claimsNow()).toEqual(before);
  });

  const ofAdministrators: [method: string, path: () => string, body?: (() => unknown) | undefined][] = [
    ['PUT', () => `/users/${account.claims.sub}`, onlyAttributes],
    [
      'POST',
      () => `/users/${account.claims.sub}/role-mappings/realm`,
      () => [{ id: 'x', name: 'platform-operator' }],
    ],
    ['PUT', () => `/users/${account.claims.sub}/groups/other`, undefined],
    ['GET', () => `/users/${account.claims.sub}`, undefined],
    ['GET', () => '/users', undefined],
    ['PUT', () => '', () => ({ registrationAllowed: true })],
    ['PUT', () => '/users/profile', () => ({ unmanagedAttributePolicy: 'ENABLED' })],
    ['POST', () => '/clients', client],
  ];

  it.each(ofAdministrators.map(([method, path, body]) => [method, path, body] as const))(
    'is refused by the Admin API: %s',
    async (method, path, body) => {
      for (const { accessToken } of [account, console])
        expect(await ask(method, `${keycloak}/admin/realms/sociograph${path()}`, accessToken, body?.())).toBe(
          403,
        );
      expect(await claimsNow()).toEqual(before);
    },
  );

  it('has tried every endpoint that the realm names', async () => {
    const document = (await (await fetch(`${realm}/.well-known/openid-configuration`)).json()) as object;
    const rest: Record<string, Record<string, string>> = {
      introspection_endpoint: { token: account.accessToken, client_id: 'sociograph-cli' },
      userinfo_endpoint: { workspace_id: 'demo' },
      revocation_endpoint: { token: 'x', client_id: 'sociograph-cli', workspace_id: 'demo' },
      pushed_authorization_request_endpoint: {
        ...{ client_id: 'sociograph-cli', response_type: 'code', redirect_uri: 'https://example.org/' },
        claims: '{"access_token":{"workspace_id":{"value":"demo"}}}',
      },
      backchannel_authentication_endpoint: {
        client_id: 'sociograph-cli',
        login_hint: email,
        scope: 'openid',
      },
      end_session_endpoint: { client_id: 'sociograph-cli', workspace_id: 'demo' },
    };
    for (const [name, body] of Object.entries(rest)) {
      const address = (document as Record<string, string>)[name];
      if (address === undefined) continue;
      expect((await form(address, body, account.accessToken)).status).toBeLessThan(500);
      expect(await claimsNow()).toEqual(before);
    }
    const others = [
      'authorization_endpoint',
      'token_endpoint',
      'registration_endpoint',
      'device_authorization_endpoint',
    ];
    expect(
      Object.keys(document)
        .filter((name) => name.endsWith('_endpoint'))
        .sort(),
    ).toEqual([...others, ...Object.keys(rest)].sort());
  });
});

function without(claims: object, names: readonly string[]): Record<string, unknown> {
  return sorted(
    Object.fromEntries(Object.entries(claims).filter(([name]) => !names.includes(name))),
  ) as Record<string, unknown>;
}

function only(claims: object, names: readonly string[]): Record<string, unknown> {
  const all = claims as Record<string, unknown>;
  return Object.fromEntries(names.map((name) => [name, sorted(all[name])]));
}

/** Lists in an order of their own: Keycloak's has none. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return [...(value as unknown[])].sort();
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, sorted(each)]));
}
