import type { Quota } from '@sociograph/auth';
import { Secret } from '@sociograph/kernel';
import {
  baseConfig,
  kafkaConfig,
  loadConfig,
  oidcConfig,
  postgresConfig,
  redisConfig,
} from '@sociograph/service-host';
import { z } from 'zod';

const count = (least: number, most: number) => z.coerce.number().int().min(least).max(most);

const auditConfig = {
  /** 32 bytes in base64 that sign the heads of the audit trail; the database must not have them. */
  AUDIT_KEY_FILE: z.string().min(1),
  /** Heads are appended here, one line of JSON each. */
  AUDIT_HEADS_FILE: z.string().min(1),
};

const schema = z.object({
  ...baseConfig,
  ...oidcConfig,
  ...kafkaConfig,
  ...postgresConfig,
  REDIS_POOL_URL: redisConfig.REDIS_POOL_URL,
  ...auditConfig,
  /** Base address of Keycloak's Admin API. */
  KEYCLOAK_URL: z.url({ protocol: /^https?$/, error: 'must be an http or https URL' }),
  KEYCLOAK_REALM: z.string().min(1).default('sociograph'),
  /** The confidential client that may manage accounts. */
  IDENTITY_CLIENT_ID: z.string().min(1),
  IDENTITY_CLIENT_SECRET: z
    .string()
    .min(1)
    .transform((text) => new Secret(text)),
  /** New addresses are confirmed by a mail of Keycloak's; false only where there is no mail server. */
  IDENTITY_VERIFY_EMAIL: z.stringbool('must be true or false').default(true),
  /** Registrations that are taken in a minute, of all addresses and by all processes together. */
  IDENTITY_REGISTER_PER_MINUTE: count(1, 100_000).default(60),
  /** Limits of a workspace that has none of its own; other services enforce theirs by their own defaults. */
  IDENTITY_QUOTA_PEOPLE: count(1, 1e12).default(10_000_000),
  IDENTITY_QUOTA_RUNNING_IMPORTS: count(1, 1e9).default(50),
  IDENTITY_QUOTA_KEYS: count(1, 1e9).default(100_000),
  IDENTITY_QUOTA_EXPORTS: count(1, 1e9).default(20),
  IDENTITY_QUOTA_STORED_BYTES: count(1, 1e15).default(100_000_000_000),
  IDENTITY_QUOTA_STREAMS: count(1, 1e9).default(1_000),
  IDENTITY_QUOTA_MEMBERS: count(1, 1e6).default(100),
});

export type IdentityConfig = Readonly<z.infer<typeof schema>>;

/** Another environment than the process' own only for specs. */
export function identityConfig(env: Record<string, string | undefined> = process.env): IdentityConfig {
  return loadConfig(schema, env);
}

export function defaultQuotas(config: IdentityConfig): Readonly<Record<Quota, number>> {
  return {
    people: config.IDENTITY_QUOTA_PEOPLE,
    'running-imports': config.IDENTITY_QUOTA_RUNNING_IMPORTS,
    keys: config.IDENTITY_QUOTA_KEYS,
    exports: config.IDENTITY_QUOTA_EXPORTS,
    'stored-bytes': config.IDENTITY_QUOTA_STORED_BYTES,
    streams: config.IDENTITY_QUOTA_STREAMS,
    members: config.IDENTITY_QUOTA_MEMBERS,
  };
}

const migrationSchema = z.object({
  LOG_LEVEL: baseConfig.LOG_LEVEL,
  NODE_ENV: baseConfig.NODE_ENV,
  DATABASE_URL_OWNER: postgresConfig.DATABASE_URL_APP,
});

/** What the migrations need. */
export function migrationConfig(): Readonly<z.infer<typeof migrationSchema>> {
  return loadConfig(migrationSchema);
}

const verifySchema = z.object({
  LOG_LEVEL: baseConfig.LOG_LEVEL,
  NODE_ENV: baseConfig.NODE_ENV,
  DATABASE_URL_APP: postgresConfig.DATABASE_URL_APP,
  DATABASE_URL_WORKER: postgresConfig.DATABASE_URL_WORKER,
  ...kafkaConfig,
  ...auditConfig,
});

/** What the check of the audit trail needs. */
export function verifyConfig(): Readonly<z.infer<typeof verifySchema>> {
  return loadConfig(verifySchema);
}
