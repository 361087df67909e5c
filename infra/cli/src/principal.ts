const ROLES = new Set(['viewer', 'analyst', 'operator', 'admin', 'platform-operator']);

/** Who a token is for, as its claims say; nothing is verified here, the fleet does that. */
export interface Principal {
  name: string;
  subject: string;
  client: string;
  workspaceId: string | undefined;
  roles: string[];
}

export function principalIn(accessToken: string): Principal {
  const claims = claimsIn(accessToken);
  const text = (name: string): string | undefined => {
    const value = claims[name];
    return typeof value === 'string' ? value : undefined;
  };
  const { roles } = (claims['realm_access'] ?? {}) as { roles?: unknown };
  return {
    name: text('preferred_username') ?? text('sub') ?? 'somebody',
    subject: text('sub') ?? '',
    client: text('azp') ?? '',
    workspaceId: text('workspace_id'),
    roles: Array.isArray(roles) ? roles.map(String).filter((role) => ROLES.has(role)) : [],
  };
}

function claimsIn(token: string): Record<string, unknown> {
  try {
    const payload = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8');
    return (JSON.parse(payload) ?? {}) as Record<string, unknown>;
  } catch {
    return {};
  }
}
