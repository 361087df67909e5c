import { inspect } from 'node:util';
import type { z } from 'zod';

/** A configuration that cannot be used. The sentence names variables and never shows a value. */
export class ConfigError extends Error {
  constructor(readonly faults: { name: string; message: string }[]) {
    super(`The configuration is unusable: ${faults.map((f) => `${f.name} ${f.message}`).join('; ')}.`);
    this.name = 'ConfigError';
  }
}

/** Which variables lead to which server, and which schemes of their URLs are encrypted. */
const servers: Record<string, { variables: RegExp; secure: RegExp; credentials: boolean }> = {
  POSTGRES: {
    variables: /^DATABASE_URL/,
    secure: /[?&]sslmode=(require|verify-ca|verify-full)/,
    credentials: true,
  },
  RABBITMQ: { variables: /^RABBITMQ_URL$/, secure: /^amqps:/, credentials: true },
  REDIS: { variables: /^REDIS_.*URL$/, secure: /^rediss:/, credentials: true },
  ARANGO: { variables: /^ARANGO_URL$/, secure: /^https:/, credentials: false },
  KEYCLOAK: {
    variables: /^(OIDC_JWKS_URL|OIDC_ISSUER|KEYCLOAK_URL)$/,
    secure: /^https:/,
    credentials: false,
  },
  VK: { variables: /^VK_API_URL$/, secure: /^https:/, credentials: false },
  S3: { variables: /^EXPORTS_S3_(PUBLIC_)?ENDPOINT$/, secure: /^https:/, credentials: false },
  CLICKHOUSE: { variables: /^ANALYTICS_CLICKHOUSE_URL$/, secure: /^https:/, credentials: true },
  OTEL: { variables: /^OTEL_EXPORTER_OTLP_ENDPOINT$/, secure: /^https:/, credentials: false },
};

/**
 * Reads the environment once through `schema` and freezes the result. All faults are reported together. An empty
 * variable counts as absent. With NODE_ENV=production a plaintext or credential-less connection is a fault, unless
 * ALLOW_INSECURE_<SERVER>=true (POSTGRES, RABBITMQ, KAFKA, REDIS, ARANGO, KEYCLOAK, VK, S3, CLICKHOUSE, OTEL). Printing the result
 * shows names only.
 */
export function loadConfig<S extends z.ZodObject>(
  schema: S,
  env: Record<string, string | undefined> = process.env,
): Readonly<z.infer<S>> {
  const given: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    if (value !== undefined && value !== '') given[name] = value;
  }
  const parsed = schema.safeParse(given);
  const faults = parsed.success
    ? []
    : parsed.error.issues.map((issue) => {
        const name = String(issue.path[0] ?? 'environment');
        return { name, message: name in given || issue.path.length === 0 ? issue.message : 'is missing' };
      });
  if (given['NODE_ENV'] === 'production') faults.push(...insecure(Object.keys(schema.shape), given));
  if (!parsed.success || faults.length > 0) throw new ConfigError(faults);
  const names = Object.keys(parsed.data).join(', ');
  const hidden = { enumerable: false, value: () => `[configuration of ${names}]` };
  return Object.freeze(Object.defineProperties(parsed.data, { toJSON: hidden, [inspect.custom]: hidden }));
}

function insecure(names: string[], env: Record<string, string>): ConfigError['faults'] {
  const faults: ConfigError['faults'] = [];
  for (const [server, rule] of Object.entries(servers)) {
    if (env[`ALLOW_INSECURE_${server}`] === 'true') continue;
    for (const name of names.filter((known) => rule.variables.test(known))) {
      const url = env[name];
      if (url === undefined) continue;
      const hint = `(ALLOW_INSECURE_${server}=true permits it)`;
      if (!rule.secure.test(url)) faults.push({ name, message: `would connect in plaintext ${hint}` });
      if (rule.credentials && !/^[a-z+]+:\/\/[^/@]*:[^/@]+@/.test(url)) {
        faults.push({ name, message: `has no credentials ${hint}` });
      }
    }
  }
  if (names.includes('KAFKA_BROKERS') && env['ALLOW_INSECURE_KAFKA'] !== 'true') {
    // The client speaks SASL_PLAINTEXT only: its traffic is never encrypted, with credentials or without.
    faults.push({
      name: 'KAFKA_BROKERS',
      message: 'would connect in plaintext (ALLOW_INSECURE_KAFKA=true permits it)',
    });
  }
  return faults;
}
