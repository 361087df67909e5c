import type { Warehouse } from '../application/warehouse';
import { ClickHouseWarehouse } from './clickhouse-warehouse';
import { DuckDbWarehouse } from './duckdb-warehouse';

/** The warehouse that the configuration names. */
export function openWarehouse(config: {
  ANALYTICS_CLICKHOUSE_URL?: string | undefined;
  ANALYTICS_DUCKDB_FILE: string;
}): Warehouse {
  const url = config.ANALYTICS_CLICKHOUSE_URL;
  return url === undefined ? new DuckDbWarehouse(config.ANALYTICS_DUCKDB_FILE) : new ClickHouseWarehouse(url);
}
