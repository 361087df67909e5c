import { readAddresses } from './targets';
import type { Addresses } from './targets';

export interface GatewaySettings {
  host: string;
  port: number;
  adminPort: number;
  statusPort: number;
  file: string;
  addresses: Addresses;
  /** Where sampled spans go; undefined: nowhere. */
  traces: URL | undefined;
  /** Values of `{vault://env/...}` references. */
  secret: (name: string) => string | undefined;
}

/**
 * GATEWAY_HOST, GATEWAY_PROXY_PORT, GATEWAY_ADMIN_PORT (always loopback), GATEWAY_STATUS_PORT (readiness and metrics),
 * GATEWAY_CONFIG, GATEWAY_HOSTS, OTEL_EXPORTER_OTLP_ENDPOINT. REDIS_CACHE_URL, where given, stands for the address
 * redis-cache:6379 and its account.
 */
export function readSettings(env: NodeJS.ProcessEnv): GatewaySettings {
  const port = (name: string, usual: number): number => {
    const value = Number(env[name] ?? usual);
    if (!Number.isInteger(value) || value < 0 || value > 65_535) throw new Error(`${name} must be a port.`);
    return value;
  };
  const addresses = new Map(readAddresses(env['GATEWAY_HOSTS'] ?? ''));
  const secrets: Record<string, string | undefined> = {
    GATEWAY_REDIS_USERNAME: env['GATEWAY_REDIS_USERNAME'],
    GATEWAY_REDIS_PASSWORD: env['GATEWAY_REDIS_PASSWORD'],
  };
  if (env['REDIS_CACHE_URL'] !== undefined) {
    const redis = new URL(env['REDIS_CACHE_URL']);
    addresses.set('redis-cache:6379', [`${redis.hostname}:${redis.port || 6379}`]);
    secrets['GATEWAY_REDIS_USERNAME'] ??= decodeURIComponent(redis.username) || undefined;
    secrets['GATEWAY_REDIS_PASSWORD'] ??= decodeURIComponent(redis.password) || undefined;
  }
  const otlp = env['OTEL_EXPORTER_OTLP_ENDPOINT'];
  return {
    host: env['GATEWAY_HOST'] ?? '127.0.0.1',
    port: port('GATEWAY_PROXY_PORT', 47_020),
    adminPort: port('GATEWAY_ADMIN_PORT', 47_021),
    statusPort: port('GATEWAY_STATUS_PORT', 47_022),
    file: env['GATEWAY_CONFIG'] ?? 'gateway/kong.yml',
    addresses,
    traces:
      otlp === undefined || otlp === '' ? undefined : new URL('v1/traces', `${otlp.replace(/\/$/, '')}/`),
    secret: (name) => secrets[name],
  };
}
