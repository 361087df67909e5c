import { arangoConfig, baseConfig, kafkaConfig, loadConfig, oidcConfig } from '@sociograph/service-host';
import { z } from 'zod';

const schema = z.object({
  ...baseConfig,
  ...oidcConfig,
  ...kafkaConfig,
  ...arangoConfig,
  /** Records of one batch; it is compared in parts of about 150,000 friends and written in parts of 4,000. */
  STORAGE_MAX_BATCH_RECORDS: z.coerce.number().int().min(1).max(5_000).default(2_000),
  /** Batches of different partitions worked on at once; more costs memory, not much is gained. */
  STORAGE_PARALLEL_BATCHES: z.coerce.number().int().min(1).max(16).default(2),
});

export type GraphStorageConfig = Readonly<z.infer<typeof schema>>;

export function graphStorageConfig(): GraphStorageConfig {
  return loadConfig(schema);
}

/** What the migrations need. */
export function migrationConfig(): Readonly<z.infer<typeof migrationSchema>> {
  return loadConfig(migrationSchema);
}

const migrationSchema = z.object({ ...arangoConfig });
