import { Metrics } from '@sociograph/observability';
import { batchMetrics } from './batch-metrics';
import type { EventBatch } from './batch-processor';

describe('batchMetrics', () => {
  it('counts records, dead letters and failures, times batches and never shows a negative lag', async () => {
    const metrics = new Metrics({ service: 'spec', instance: '0', processMetrics: false });
    const observed = batchMetrics(metrics, 'group');
    const batch = {
      records: [{ topic: 'a' }, { topic: 'a' }, { topic: 'b' }],
      deadLettered: [{ topic: 'b' }],
    };
    observed.handled(batch as EventBatch, 30);
    observed.failed();
    observed.lag('a', 2, 7);
    observed.lag('b', 0, -1);
    const value = async (name: string): Promise<unknown[]> =>
      ((await metrics.registry.getSingleMetric(name)?.get())?.values ?? []).map(({ value: n, labels }) => [
        n,
        ...Object.values(labels).map(String),
      ]);
    expect(await value('kafka_consumed_records_total')).toEqual([
      [2, 'group', 'a'],
      [1, 'group', 'b'],
    ]);
    expect(await value('kafka_dead_lettered_records_total')).toEqual([[1, 'group', 'b']]);
    expect(await value('kafka_batch_failures_total')).toEqual([[1, 'group']]);
    expect(await value('kafka_consumer_lag_records')).toEqual([
      [7, 'group', 'a', '2'],
      [0, 'group', 'b', '0'],
    ]);
    expect(await metrics.registry.metrics()).toMatch(/kafka_batch_duration_seconds_sum\{[^}]*\} 0\.03\n/);
  });
});
