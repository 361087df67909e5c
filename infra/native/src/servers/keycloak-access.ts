/** Client of identity-service: the only one that may use the Admin API of the realm. */
export const IDENTITY_CLIENT = 'sociograph-identity';
/** Every account that identity-service made is a member; nothing but them it may see or change. */
export const PEOPLE_GROUP = 'people';
/** Roles that identity-service may give and take; `platform-operator` is given by hand only. */
const GIVEN_ROLES = ['viewer', 'analyst', 'operator', 'admin'];

/** One request to Keycloak as its administrator: a path below the realm's Admin API. */
export type AskRealm = (method: string, path: string, body?: unknown) => Promise<Response>;

interface Named {
  id: string;
  name: string;
}

/**
 * Gives identity-service its client and, through Keycloak's fine-grained permissions (v2), these rights: see and manage
 * the members of the group `people`, create accounts in it, and map the four roles of a workspace. It may not see or
 * change other accounts, reset their passwords, map `platform-operator`, or touch groups, clients and the realm.
 * Not by realm.json: an import with permissions in it fails or leaves them dead (keycloak#44360, #47901).
 * Harmless to repeat. What it finds it leaves as it is, but for the client's secret.
 */
export async function ensureIdentityAccess(ask: AskRealm, secret: string): Promise<void> {
  const clientId = await ensureClient(ask, secret);
  const account = await json<Named>(await ask('GET', `/clients/${clientId}/service-account-user`));
  await mapQueryRoles(ask, account.id);
  const group = await ensureGroup(ask);
  const realm = await json<{ adminPermissionsEnabled?: boolean }>(await ask('GET', ''));
  if (realm.adminPermissionsEnabled !== true)
    await done(await ask('PUT', '', { adminPermissionsEnabled: true }), 'switch permissions on');
  const permissions = `/clients/${await idOfClient(ask, 'admin-permissions')}/authz/resource-server`;
  // A policy of the kind `client` never matches a service account here, hence the account itself.
  const policy = await ensure(ask, `${permissions}/policy`, 'user', {
    name: 'identity-service',
    users: [account.id],
    logic: 'POSITIVE',
  });
  const grant = (
    name: string,
    resourceType: string,
    scopes: string[],
    resources?: string[],
  ): Promise<string> =>
    ensure(ask, `${permissions}/permission`, 'scope', {
      name,
      resourceType,
      scopes,
      ...(resources !== undefined && { resources }),
      policies: [policy],
      decisionStrategy: 'UNANIMOUS',
    });
  await grant(
    'identity-service manages people',
    'Groups',
    ['view', 'view-members', 'manage-members', 'manage-membership'],
    [group],
  );
  // Two-sided: whose roles, and which. Of all users, because Keycloak knows no such permission by group.
  await grant('identity-service maps roles of users', 'Users', ['map-roles']);
  const roles = await Promise.all(
    GIVEN_ROLES.map(async (name) => (await json<Named>(await ask('GET', `/roles/${name}`))).id),
  );
  await grant('identity-service maps the roles of a workspace', 'Roles', ['map-role'], roles);
}

async function ensureClient(ask: AskRealm, secret: string): Promise<string> {
  const wanted = {
    clientId: IDENTITY_CLIENT,
    name: 'identity-service: accounts and their roles',
    secret,
    enabled: true,
    publicClient: false,
    clientAuthenticatorType: 'client-secret',
    serviceAccountsEnabled: true,
    standardFlowEnabled: false,
    implicitFlowEnabled: false,
    directAccessGrantsEnabled: false,
  };
  const known = await findClient(ask, IDENTITY_CLIENT);
  if (known === undefined) {
    await done(await ask('POST', '/clients', wanted), 'create the client of identity-service');
    return idOfClient(ask, IDENTITY_CLIENT);
  }
  await done(await ask('PUT', `/clients/${known.id}`, { ...known, ...wanted }), 'update the client');
  return known.id;
}

/** They open the lists, which then show what the permissions allow; any other role would switch the permissions off. */
async function mapQueryRoles(ask: AskRealm, accountId: string): Promise<void> {
  const management = await idOfClient(ask, 'realm-management');
  const roles = await json<Named[]>(await ask('GET', `/clients/${management}/roles`));
  const wanted = roles.filter(({ name }) => name === 'query-users' || name === 'query-groups');
  await done(
    await ask('POST', `/users/${accountId}/role-mappings/clients/${management}`, wanted),
    'map roles',
  );
}

async function ensureGroup(ask: AskRealm): Promise<string> {
  const found = async (): Promise<Named | undefined> =>
    (await json<Named[]>(await ask('GET', `/groups?search=${PEOPLE_GROUP}&exact=true`))).find(
      ({ name }) => name === PEOPLE_GROUP,
    );
  const known = await found();
  if (known !== undefined) return known.id;
  await done(await ask('POST', '/groups', { name: PEOPLE_GROUP }), 'create the group of people');
  return ((await found()) as Named).id;
}

/** Policies and permissions have unique names in their server. */
async function ensure(
  ask: AskRealm,
  path: string,
  type: string,
  wanted: { name: string } & Record<string, unknown>,
): Promise<string> {
  const found = async (): Promise<Named | undefined> =>
    (await json<Named[]>(await ask('GET', `${path}?name=${encodeURIComponent(wanted.name)}&max=50`))).find(
      ({ name }) => name === wanted.name,
    );
  const known = await found();
  if (known !== undefined) return known.id;
  await done(await ask('POST', `${path}/${type}`, wanted), `create "${wanted.name}"`);
  return ((await found()) as Named).id;
}

async function idOfClient(ask: AskRealm, clientId: string): Promise<string> {
  const client = await findClient(ask, clientId);
  if (client === undefined) throw new Error(`Keycloak has no client ${clientId}`);
  return client.id;
}

async function findClient(ask: AskRealm, clientId: string): Promise<{ id: string } | undefined> {
  return (await json<{ id: string }[]>(await ask('GET', `/clients?clientId=${clientId}`)))[0];
}

async function json<T>(response: Response): Promise<T> {
  await done(response, 'answer a question');
  return (await response.json()) as T;
}

async function done(response: Response, what: string): Promise<void> {
  if (response.ok) return;
  throw new Error(`Keycloak did not ${what}: ${response.status} ${(await response.text()).slice(0, 200)}`);
}
