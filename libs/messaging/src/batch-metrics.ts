import { SystemClock, type Clock } from '@sociograph/kernel';
import type { Metrics } from '@sociograph/observability';
import type { EventBatch } from './batch-processor';

/** What a fetch of one partition brought. */
export interface FetchedPart {
  topic: string;
  partition: number;
  /** Records beyond the last one of the fetch. */
  beyond: number;
  /** When its first and its last record were written (ms). */
  oldestMs: number;
  newestMs: number;
}

export interface BatchMetrics {
  handled(batch: EventBatch, durationMs: number): void;
  failed(): void;
  /** A fetch was read; it waits until it is done. */
  fetched(part: FetchedPart): void;
  /** Every record of the last fetch of this partition is committed. */
  done(topic: string, partition: number): void;
  /** The partitions were given out anew: nothing is known of those of before. */
  reassigned(): void;
}

interface Waiting extends FetchedPart {
  group: string;
  /** When the oldest record was written that is not done; undefined when none is known to wait. */
  sinceMs: number | undefined;
}

/** By registry, not by group: a process may have several groups, and a gauge has one function that sets it. */
const waitingOf = new WeakMap<Metrics, Map<string, Waiting>>();

/** How fast does a group consume, what does it give up, how far behind is it. */
export function batchMetrics(
  metrics: Metrics,
  group: string,
  clock: Pick<Clock, 'nowMs'> = new SystemClock(),
): BatchMetrics {
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
  const waiting = waitingOf.get(metrics) ?? new Map<string, Waiting>();
  waitingOf.set(metrics, waiting);
  const lagSeconds = metrics.gauge(
    'kafka_consumer_lag_seconds',
    'Age of the oldest record that was read or is known to wait and is not done; 0 when none is',
    ['group', 'topic', 'partition'],
    (gauge) => {
      for (const { group: of, topic, partition, sinceMs } of waiting.values()) {
        const seconds = sinceMs === undefined ? 0 : Math.max(0, clock.nowMs() - sinceMs) / 1000;
        gauge.set({ group: of, topic, partition: String(partition) }, seconds);
      }
    },
  );
  const keyOf = (topic: string, partition: number): string => `${group} ${topic} ${partition}`;
  return {
    handled(batch, durationMs) {
      duration.observe({ group }, durationMs / 1000);
      for (const { topic } of batch.records) records.inc({ group, topic });
      for (const { topic } of batch.deadLettered) dead.inc({ group, topic });
    },
    failed: () => failures.inc({ group }),
    fetched(part) {
      const { topic, partition, beyond, oldestMs } = part;
      lag.set({ group, topic, partition: String(partition) }, Math.max(0, beyond));
      // There before the first dead letter: of a series that begins with one Prometheus sees no increase.
      dead.inc({ group, topic }, 0);
      waiting.set(keyOf(topic, partition), { ...part, group, sinceMs: oldestMs });
    },
    done(topic, partition) {
      const part = waiting.get(keyOf(topic, partition));
      // The next record is not read yet: it was written after the last one of this fetch.
      if (part !== undefined) part.sinceMs = part.beyond > 0 ? part.newestMs : undefined;
    },
    reassigned() {
      for (const [key, { group: of, topic, partition }] of waiting) {
        if (of !== group) continue;
        waiting.delete(key);
        for (const gauge of [lag, lagSeconds]) gauge.remove({ group, topic, partition: String(partition) });
      }
    },
  };
}
