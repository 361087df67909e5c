import {
  arangoConfig,
  baseConfig,
  kafkaConfig,
  loadConfig,
  oidcConfig,
  redisConfig,
} from '@sociograph/service-host';
import { z } from 'zod';

const exportConfig = {
  /** Where finished exports are kept: a folder that all instances share, or a bucket. */
  EXPORTS_STORE: z.enum(['local', 's3'], 'must be local or s3').default('local'),
  /** Drafts, and with `local` the files. */
  EXPORTS_FOLDER: z.string().default('.sociograph/exports'),
  /** How many exports of one workspace are made at once, over all instances. */
  EXPORTS_PARALLEL_PER_WORKSPACE: z.coerce.number().int().min(1).max(16).default(1),
  /** Exports of one workspace in any state, where identity-service has no limit of its own for it. */
  EXPORTS_PER_WORKSPACE: z.coerce.number().int().min(1).max(1e6).default(20),
  /** Bytes of finished exports of one workspace, likewise. */
  EXPORTS_BYTES_PER_WORKSPACE: z.coerce.number().int().min(1).max(1e15).default(100_000_000_000),
  /** `s3`: needed; the bucket is there already. */
  EXPORTS_S3_BUCKET: z.string().optional(),
  EXPORTS_S3_REGION: z.string().default('us-east-1'),
  /** `s3`: another address than AWS' own. */
  EXPORTS_S3_ENDPOINT: z.url({ protocol: /^https?$/, error: 'must be an http or https URL' }).optional(),
  /** `s3`: the address that links name, where callers reach the bucket by another one. */
  EXPORTS_S3_PUBLIC_ENDPOINT: z
    .url({ protocol: /^https?$/, error: 'must be an http or https URL' })
    .optional(),
};

const schema = z.object({
  ...baseConfig,
  ...oidcConfig,
  ...kafkaConfig,
  ...arangoConfig,
  /** Revocations and limits of workspaces (identity-service); without it there are none. */
  REDIS_POOL_URL: redisConfig.REDIS_POOL_URL.optional(),
  /** Records of one batch; it is compared in parts of about 150,000 friends and written in parts of 4,000. */
  STORAGE_MAX_BATCH_RECORDS: z.coerce.number().int().min(1).max(5_000).default(2_000),
  /** Batches of different partitions worked on at once; more costs memory, not much is gained. */
  STORAGE_PARALLEL_BATCHES: z.coerce.number().int().min(1).max(16).default(2),
  /** The platform's suppression key, 32 bytes in base64: the same for every service that filters. */
  SUPPRESSION_KEY_FILE: z.string().min(1),
  /** Between the sweeps of an erasure, and from its mark to the sweep that counts: what was in hand is stored by then. */
  ERASURE_SETTLE_MS: z.coerce.number().int().min(100).max(3_600_000).default(30_000),
  /** Between two looks into the logs for erasures that wait for them; each reads what is kept of them. */
  ERASURE_CHECK_MS: z.coerce.number().int().min(100).max(86_400_000).default(900_000),
  /**
   * From the look that found nothing to the last step: Kafka removes files a minute after it took them out of a topic, and
   * checkpoints of the views are written anew every other minute.
   */
  ERASURE_FILES_MS: z.coerce.number().int().min(100).max(3_600_000).default(180_000),
  ...exportConfig,
});

export type GraphStorageConfig = Readonly<z.infer<typeof schema>>;

/** Another environment than the process' own only for specs. */
export function graphStorageConfig(
  env: Record<string, string | undefined> = process.env,
): GraphStorageConfig {
  return loadConfig(schema, env);
}

/** What the migrations need. */
export function migrationConfig(): Readonly<z.infer<typeof migrationSchema>> {
  return loadConfig(migrationSchema);
}

const migrationSchema = z.object({ ...arangoConfig });
