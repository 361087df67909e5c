import {
  baseConfig,
  kafkaConfig,
  loadConfig,
  oidcConfig,
  postgresConfig,
  rabbitConfig,
} from '@sociograph/service-host';
import { z } from 'zod';

const schema = z.object({
  ...baseConfig,
  ...oidcConfig,
  ...postgresConfig,
  ...rabbitConfig,
  ...kafkaConfig,
  /** Where VK's methods are; another address only for the simulator. */
  VK_API_URL: z
    .url({ protocol: /^https?$/, error: 'must be an http or https URL' })
    .default('https://api.vk.ru/method'),
  /** Ed25519 private key (PEM) with which this service opens its lease session. */
  LEASE_IDENTITY_FILE: z.string().min(1),
  /** Label of the address that this process calls networks from: keys may be bound to one, or barred from one. */
  EGRESS: z
    .string()
    .regex(/^[a-z0-9][a-z0-9._-]{0,63}$/i)
    .default('default'),
  /** Calls of this process that wait for a key, are on the wire or are being stored, together. */
  PARSER_CALLS_AT_ONCE: z.coerce.number().int().min(1).max(500).default(32),
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
