import {
  arangoConfig,
  baseConfig,
  kafkaConfig,
  loadConfig,
  oidcConfig,
  redisConfig,
} from '@sociograph/service-host';
import { z } from 'zod';

const schema = z.object({
  ...baseConfig,
  ...oidcConfig,
  ...kafkaConfig,
  ...redisConfig,
  ...arangoConfig,
  /** The platform's suppression key, 32 bytes in base64: the same for every service that filters. */
  SUPPRESSION_KEY_FILE: z.string().min(1),
  /** Open streams of one workspace over all services, where identity-service has no limit for it. */
  PROJECTOR_STREAMS_PER_WORKSPACE: z.coerce.number().int().min(1).max(100_000).default(1_000),
  /** How long a writer that was killed keeps the others waiting. */
  PROJECTOR_LOCK_TTL_MS: z.coerce.number().int().min(1500).max(60_000).default(3000),
  /** The longest time that changes wait for their rows while records keep coming. */
  PROJECTOR_MAX_PAUSE_MS: z.coerce.number().int().min(0).max(60_000).default(2000),
  /** Between two checkpoints of the state; a start replays what came after the last one. */
  PROJECTOR_CHECKPOINT_MS: z.coerce.number().int().min(1000).max(3_600_000).default(120_000),
});

export type ProjectorConfig = Readonly<z.infer<typeof schema>>;

export function projectorConfig(): ProjectorConfig {
  return loadConfig(schema);
}

/** What the migrations need. */
export function migrationConfig(): Readonly<z.infer<typeof migrationSchema>> {
  return loadConfig(migrationSchema);
}

const migrationSchema = z.object({
  LOG_LEVEL: baseConfig.LOG_LEVEL,
  NODE_ENV: baseConfig.NODE_ENV,
  ...arangoConfig,
});
