import type { ServerEnvironment } from '../fleet/servers';
import type { SimulatedToken } from '../fleet/simulator-process';

export interface RegisteredKeys {
  workspaceId: string;
  /** Id in the pool by the simulator's name of the key. */
  idOf: ReadonlyMap<string, string>;
}

const AT_ONCE = 4;

/** Registers every key of the simulator over REST, as the demo's service account. */
export async function registerKeys(
  env: ServerEnvironment,
  serviceUrl: string,
  keys: readonly SimulatedToken[],
  limits?: object,
): Promise<RegisteredKeys> {
  const access = await accessToken(env);
  const claims = JSON.parse(Buffer.from(access.split('.')[1] ?? '', 'base64url').toString('utf8')) as {
    workspace_id: string;
  };
  const idOf = new Map<string, string>();
  const left = [...keys];
  const lane = async (): Promise<void> => {
    for (let key = left.shift(); key !== undefined; key = left.shift())
      idOf.set(key.name, await register(serviceUrl, access, key, limits));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return { workspaceId: claims.workspace_id, idOf };
}

async function register(
  serviceUrl: string,
  access: string,
  { token, kind, name }: SimulatedToken,
  limits: object | undefined,
): Promise<string> {
  const response = await fetch(`${serviceUrl}/v1/keys`, {
    method: 'POST',
    headers: { authorization: `Bearer ${access}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      network: 'vk',
      kind,
      token,
      label: name,
      consent: { givenBy: 'the simulator' },
      ...(limits !== undefined && { limits }),
    }),
  });
  if (response.status !== 201)
    throw new Error(`key-service answered ${response.status} to a new key: ${await response.text()}`);
  return ((await response.json()) as { id: string }).id;
}

async function accessToken(env: ServerEnvironment): Promise<string> {
  const realm = `${env['KEYCLOAK_URL']}/realms/${env['KEYCLOAK_REALM']}`;
  const response = await fetch(`${realm}/protocol/openid-connect/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: env['DEMO_CLIENT_ID'] ?? '',
      client_secret: env['DEMO_CLIENT_SECRET'] ?? '',
    }),
  });
  if (!response.ok) throw new Error(`Keycloak gave no token: ${response.status}`);
  return ((await response.json()) as { access_token: string }).access_token;
}
