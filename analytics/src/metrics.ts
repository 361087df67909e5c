import type { Metrics } from '@sociograph/observability';

/** Does it keep up, and does the warehouse take what it is given? */
export function analyticsMetrics(metrics: Metrics) {
  return {
    stored: metrics.counter(
      'analytics_records_stored_total',
      'Records whose rows are durable in the warehouse; flat while topics grow: the warehouse is away',
      [],
    ),
    rows: metrics.counter(
      'analytics_rows_written_total',
      'Rows written; fewer than records where a batch holds several states of the same thing',
      [],
    ),
    repeats: metrics.counter(
      'analytics_write_repeats_total',
      'Writes that failed and were tried again; a row of them is a warehouse in trouble',
      [],
    ),
    erased: metrics.counter(
      'analytics_people_erased_total',
      'Erased people who were found in the warehouse and taken out',
      [],
    ),
  };
}

export type AnalyticsMetrics = ReturnType<typeof analyticsMetrics>;
