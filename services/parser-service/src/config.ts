import {
  baseConfig,
  kafkaConfig,
  loadConfig,
  oidcConfig,
  postgresConfig,
  rabbitConfig,
  redisConfig,
} from '@sociograph/service-host';
import { z } from 'zod';

const schema = z.object({
  ...baseConfig,
  ...oidcConfig,
  ...postgresConfig,
  ...rabbitConfig,
  ...kafkaConfig,
  /** Revocations and limits of workspaces (identity-service); without it there are none. */
  REDIS_POOL_URL: redisConfig.REDIS_POOL_URL.optional(),
  /** Where VK's methods are; another address only for the simulator. */
  VK_API_URL: z
    .url({ protocol: /^https?$/, error: 'must be an http or https URL' })
    .default('https://api.vk.ru/method'),
  /** Ed25519 private key (PEM) with which this service opens its lease session. */
  LEASE_IDENTITY_FILE: z.string().min(1),
  /** The platform's suppression key, 32 bytes in base64: the same for every service that filters. */
  SUPPRESSION_KEY_FILE: z.string().min(1),
  /** Label of the address that this process calls networks from: keys may be bound to one, or barred from one. */
  EGRESS: z
    .string()
    .regex(/^[a-z0-9][a-z0-9._-]{0,63}$/i)
    .default('default'),
  /** Calls of this process that wait for a key, are on the wire or are being stored, together. */
  PARSER_CALLS_AT_ONCE: z.coerce.number().int().min(1).max(500).default(64),
  /** Imports of one workspace that may run at once; one more is refused. */
  PARSER_IMPORTS_PER_WORKSPACE: z.coerce.number().int().min(1).max(100_000).default(50),
  /** People that one workspace may have stored, where identity-service has no limit for it: then no import runs there. */
  PARSER_PEOPLE_PER_WORKSPACE: z.coerce.number().int().min(1).max(1e12).default(10_000_000),
  /** Uploads that one workspace may keep; one more is refused. */
  PARSER_UPLOADS_PER_WORKSPACE: z.coerce.number().int().min(1).max(10_000).default(50),
  /** Uploads are deleted so many days after they were sent last, unless an import that has not ended reads them. */
  PARSER_KEEP_UPLOADS_DAYS: z.coerce.number().int().min(1).max(36_500).default(30),
  /** Streams of events of one workspace that this process keeps open at once. */
  PARSER_STREAMS_PER_WORKSPACE: z.coerce.number().int().min(1).max(100_000).default(1_000),
  /** Ended imports are deleted after so many days; their certificates go with them, the graph stays. */
  PARSER_KEEP_IMPORTS_DAYS: z.coerce.number().int().min(1).max(36_500).default(365),
  /** From the last person who was taken out of imports to writing the files of the database anew (ms): see docs/erasure.md. */
  PARSER_FORGET_FILES_MS: z.coerce.number().int().min(100).max(1_800_000).default(600_000),
  /** Ended calls, and events of ended imports that tell of progress only, are deleted after so many days. */
  PARSER_KEEP_CALLS_DAYS: z.coerce.number().int().min(1).max(36_500).default(7),
});

export type ParserConfig = Readonly<z.infer<typeof schema>>;

export function parserConfig(): ParserConfig {
  return loadConfig(schema);
}

const migrationSchema = z.object({
  LOG_LEVEL: baseConfig.LOG_LEVEL,
  NODE_ENV: baseConfig.NODE_ENV,
  DATABASE_URL_OWNER: z.url({ protocol: /^postgres(ql)?$/, error: 'must be a postgresql URL' }),
});

/** What the migrations need. */
export function migrationConfig(): Readonly<z.infer<typeof migrationSchema>> {
  return loadConfig(migrationSchema);
}

const redriveSchema = z.object({
  LOG_LEVEL: baseConfig.LOG_LEVEL,
  NODE_ENV: baseConfig.NODE_ENV,
  ...postgresConfig,
  ...rabbitConfig,
});

/** What the command that redrives dead calls needs. */
export function redriveConfig(): Readonly<z.infer<typeof redriveSchema>> {
  return loadConfig(redriveSchema);
}
