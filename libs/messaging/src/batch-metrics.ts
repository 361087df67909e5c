import type { Metrics } from '@sociograph/observability';
import type { EventBatch } from './batch-processor';

export interface BatchMetrics {
  handled(batch: EventBatch, durationMs: number): void;
  failed(): void;
  lag(topic: string, partition: number, records: number): void;
}

/** How fast does a group consume, what does it give up, how far behind is it. */
export function batchMetrics(metrics: Metrics, group: string): BatchMetrics {
  const records = metrics.counter(
    'kafka_consumed_records_total',
    'Records that a handler was done with; a stop means a stuck or idle consumer',
    ['group', 'topic'],
  );
  const dead = metrics.counter(
    'kafka_dead_lettered_records_total',
    'Records written to a dead-letter topic; each one is a gap in some import',
    ['group', 'topic'],
  );
  const failures = metrics.counter(
    'kafka_batch_failures_total',
    'Tries of a batch that threw; a spike means an unreachable store or a poison record',
    ['group'],
  );
  const duration = metrics.histogram(
    'kafka_batch_duration_seconds',
    'Time the handler took for a batch; a spike means a slow store',
    ['group'],
  );
  const lag = metrics.gauge(
    'kafka_consumer_lag_records',
    'Records behind the end of the partition when it was last read; growth means too little throughput',
    ['group', 'topic', 'partition'],
  );
  return {
    handled(batch, durationMs) {
      duration.observe({ group }, durationMs / 1000);
      for (const { topic } of batch.records) records.inc({ group, topic });
      for (const { topic } of batch.deadLettered) dead.inc({ group, topic });
    },
    failed: () => failures.inc({ group }),
    lag: (topic, partition, value) =>
      lag.set({ group, topic, partition: String(partition) }, Math.max(0, value)),
  };
}
