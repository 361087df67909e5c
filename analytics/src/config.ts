import { baseConfig, kafkaConfig, loadConfig } from '@sociograph/service-host';
import { z } from 'zod';

/** Where the warehouse is: ClickHouse when its URL is given, else a file of DuckDB. */
const warehouse = {
  ANALYTICS_CLICKHOUSE_URL: z.url({ protocol: /^https?$/, error: 'must be an http or https URL' }).optional(),
  ANALYTICS_DUCKDB_FILE: z.string().min(1).default('.sociograph/analytics.duckdb'),
};

const schema = z.object({
  ...baseConfig,
  ...kafkaConfig,
  ...warehouse,
  SERVICE_NAME: baseConfig.SERVICE_NAME.default('analytics'),
  /** There is no REST edge; only the management port is opened. */
  HTTP_PORT: baseConfig.HTTP_PORT.default(0),
  MANAGEMENT_PORT: baseConfig.MANAGEMENT_PORT.default(0),
  /** The platform's suppression key, 32 bytes in base64: the same for every service that filters. */
  SUPPRESSION_KEY_FILE: z.string().min(1),
  /** Records that are written together at most. */
  ANALYTICS_BATCH_RECORDS: z.coerce.number().int().min(1).max(10_000).default(1_000),
});

export type AnalyticsConfig = Readonly<z.infer<typeof schema>>;
export type WarehouseConfig = Readonly<z.infer<typeof warehouseSchema>>;

export function analyticsConfig(): AnalyticsConfig {
  return loadConfig(schema);
}

const warehouseSchema = z.object({ NODE_ENV: baseConfig.NODE_ENV, ...warehouse });

/** What asking the questions needs. */
export function warehouseConfig(): WarehouseConfig {
  return loadConfig(warehouseSchema);
}
