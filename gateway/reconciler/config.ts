export interface ReconcilerSettings {
  jwksUrl: string;
  adminUrls: string[];
  file: string;
  /** Health and metrics; undefined: none. */
  managementPort: number | undefined;
  /** Where health and metrics listen: probes of Kubernetes come to the pod's address. */
  managementHost: string;
  /** How often the keys are fetched, and how often each gateway is asked what it has. */
  fetchEveryMs: number;
  checkEveryMs: number;
}

/** OIDC_JWKS_URL, KONG_ADMIN_URLS (comma separated; GATEWAY_ADMIN_URL for one), GATEWAY_CONFIG, MANAGEMENT_PORT, HTTP_HOST. */
export function readSettings(env: NodeJS.ProcessEnv): ReconcilerSettings {
  const jwksUrl = env['OIDC_JWKS_URL'];
  const adminUrls = (env['KONG_ADMIN_URLS'] ?? env['GATEWAY_ADMIN_URL'] ?? '')
    .split(',')
    .map((url) => url.trim().replace(/\/$/, ''))
    .filter(Boolean);
  const missing = [
    jwksUrl === undefined ? 'OIDC_JWKS_URL' : '',
    adminUrls.length === 0 ? 'KONG_ADMIN_URLS' : '',
  ].filter(Boolean);
  if (jwksUrl === undefined || missing.length > 0) throw new Error(`${missing.join(' and ')} must be set.`);
  return {
    jwksUrl,
    adminUrls,
    file: env['GATEWAY_CONFIG'] ?? 'gateway/kong.yml',
    managementPort: env['MANAGEMENT_PORT'] === undefined ? undefined : Number(env['MANAGEMENT_PORT']),
    managementHost: env['HTTP_HOST'] ?? '127.0.0.1',
    fetchEveryMs: 30_000,
    checkEveryMs: 1000,
  };
}
