import { readFileSync } from 'node:fs';
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
import { STRATEGIES, type Timing } from './domain/networks';

const count = (least: number, most: number) => z.coerce.number().int().min(least).max(most);

const list = z.string().transform((text) => text.split(',').filter((part) => part !== ''));

const kmsConfig = {
  KMS_PROVIDER: z.enum(['local', 'aws'], 'must be local or aws').default('local'),
  /** `local`: 32 bytes in base64, mode 0600; more lines hold older keys, which open only. */
  KMS_MASTER_KEY_FILE: z.string().optional(),
  /** `local`: files of older keys, which open only. */
  KMS_OLD_MASTER_KEY_FILES: list.optional(),
  /** `aws`: id, alias or ARN of the key. */
  KMS_KEY_ID: z.string().optional(),
  /** `aws`: older keys, which open only. */
  KMS_OLD_KEY_IDS: list.optional(),
  /** `aws`: another address than AWS' own. */
  KMS_ENDPOINT: z.url().optional(),
  AWS_REGION: z.string().optional(),
};

const schema = z.object({
  ...baseConfig,
  ...oidcConfig,
  ...kafkaConfig,
  ...rabbitConfig,
  ...postgresConfig,
  REDIS_POOL_URL: redisConfig.REDIS_POOL_URL,
  ...kmsConfig,
  /** JSON {service: public key PEM} of the services that may lease. */
  LEASE_TRUSTED_FILE: z.string(),
  /** Where VK ID refreshes tokens. */
  VK_OAUTH_URL: z.url().default('https://id.vk.com/oauth2/auth'),
  /** From the start of a slot to the latest arrival at the provider (ms), until the path's spread is learned. */
  POOL_MARGIN_MS: count(5, 1000).default(110),
  /** How the network's windows lie: a declaration, never guessed. */
  POOL_WINDOW: z
    .enum(['sliding', 'fixed-clock', 'fixed-first-call'], 'must be sliding, fixed-clock or fixed-first-call')
    .default('sliding'),
  /** How long a slot may be used (ms); part of the margin. Longer: fewer slots are lost on a busy machine. */
  POOL_SLACK_MS: count(1, 500).default(10),
  /** Which of several free keys is taken. */
  POOL_STRATEGY: z.enum(STRATEGIES, `must be one of ${STRATEGIES.join(', ')}`).default('earliest-free'),
  /** Calls per second from one egress address to a network, all keys together; unlimited unless told. */
  POOL_EGRESS_PER_SECOND: count(1, 100_000).optional(),
  /** How many requests may wait for a slot, per import and per workspace. */
  POOL_LINE_PER_IMPORT: count(1, 10_000).default(1000),
  POOL_LINE_PER_WORKSPACE: count(1, 100_000).default(5000),
  /** Keys of a workspace that has no limit of its own. */
  KEYS_PER_WORKSPACE: count(1, 1e9).default(100_000),
  /** Keys that have metrics of their own; above it the rest is `other`. */
  POOL_METRIC_KEYS: count(0, 10_000).default(200),
  /** Grants also from a Redis that may forget: without AOF or with eviction. For specs on a laptop. */
  POOL_ALLOW_VOLATILE_REDIS: z.stringbool('must be true or false').default(false),
});

export type KeyServiceConfig = Readonly<z.infer<typeof schema>>;

export function keyServiceConfig(): KeyServiceConfig {
  return loadConfig(schema);
}

/** What the configuration declares of the network's timing. */
export function timingOf(config: KeyServiceConfig): Timing {
  return {
    marginMs: config.POOL_MARGIN_MS,
    slackMs: config.POOL_SLACK_MS,
    windowKind: config.POOL_WINDOW === 'sliding' ? 'sliding' : 'fixed',
    windowAlignment: config.POOL_WINDOW === 'fixed-first-call' ? 'first-call' : 'clock',
    strategy: config.POOL_STRATEGY,
    egressQuota: config.POOL_EGRESS_PER_SECOND,
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

const rewrapSchema = z.object({
  LOG_LEVEL: baseConfig.LOG_LEVEL,
  NODE_ENV: baseConfig.NODE_ENV,
  DATABASE_URL_WORKER: postgresConfig.DATABASE_URL_WORKER,
  ...kmsConfig,
});

/** What a change of the master key needs. */
export function rewrapConfig(): Readonly<z.infer<typeof rewrapSchema>> {
  return loadConfig(rewrapSchema);
}

const trustedSchema = z.record(z.string(), z.string().includes('PUBLIC KEY'));

/** Identity keys of the services that may lease. */
export function readTrusted(file: string): Map<string, string> {
  return new Map(Object.entries(trustedSchema.parse(JSON.parse(readFileSync(file, 'utf8')))));
}
