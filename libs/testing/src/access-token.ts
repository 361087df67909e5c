export interface ServiceAccount {
  /** Of its realm: `http://host:port/realms/sociograph`. */
  issuer: string;
  clientId: string;
  clientSecret: string;
}

/** An access token of a service account, by client credentials. Throws with the status when Keycloak gives none. */
export async function accessToken({ issuer, clientId, clientSecret }: ServiceAccount): Promise<string> {
  const response = await fetch(`${issuer}/protocol/openid-connect/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: clientId,
      client_secret: clientSecret,
    }),
  });
  if (!response.ok) throw new Error(`Keycloak gave ${clientId} no token: ${response.status}`);
  return ((await response.json()) as { access_token: string }).access_token;
}

/** A token of the demo's service account: roles viewer, analyst, operator and admin in its workspace. */
export async function demoToken(env: Readonly<NodeJS.ProcessEnv> = process.env): Promise<string> {
  const needed = (name: string): string => {
    const value = env[name];
    if (value === undefined || value === '')
      throw new Error(`${name} is not set: start the test stack first`);
    return value;
  };
  return accessToken({
    issuer: needed('OIDC_ISSUER'),
    clientId: needed('DEMO_CLIENT_ID'),
    clientSecret: needed('DEMO_CLIENT_SECRET'),
  });
}

/** The workspace that a token names; its signature is not looked at. Throws where it names none. */
export function workspaceOf(token: string): string {
  const claims = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8');
  const { workspace_id: workspace } = JSON.parse(claims) as { workspace_id?: string };
  if (workspace === undefined) throw new Error('the token names no workspace');
  return workspace;
}
