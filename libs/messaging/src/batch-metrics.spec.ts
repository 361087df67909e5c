import { Metrics } from '@sociograph/observability';
import { batchMetrics } from './batch-metrics';
import type { EventBatch } from './batch-processor';

function setUp() {
  const metrics = new Metrics({ service: 'spec', instance: '0', processMetrics: false });
  const clock = { now: 10_000, nowMs: () => clock.now };
  const value = async (name: string): Promise<unknown[]> =>
    ((await metrics.registry.getSingleMetric(name)?.get())?.values ?? []).map(({ value: n, labels }) => [
      n,
      ...Object.values(labels).map(String),
    ]);
  return { metrics, clock, value, observed: batchMetrics(metrics, 'group', clock) };
}

const part = { topic: 'a', partition: 2, beyond: 7, oldestMs: 4_000, newestMs: 6_000 };

describe('batchMetrics', () => {
  it('counts records, dead letters and failures, and times batches', async () => {
    const { metrics, observed, value } = setUp();
    const batch = {
      records: [{ topic: 'a' }, { topic: 'a' }, { topic: 'b' }],
      deadLettered: [{ topic: 'b' }],
    };
    observed.handled(batch as EventBatch, 30);
    observed.failed();
    expect(await value('kafka_consumed_records_total')).toEqual([
      [2, 'group', 'a'],
      [1, 'group', 'b'],
    ]);
    expect(await value('kafka_dead_lettered_records_total')).toEqual([[1, 'group', 'b']]);
    expect(await value('kafka_batch_failures_total')).toEqual([[1, 'group']]);
    expect(await metrics.registry.metrics()).toMatch(/kafka_batch_duration_seconds_sum\{[^}]*\} 0\.03\n/);
  });

  it('says how many records are behind, never fewer than none', async () => {
    const { observed, value } = setUp();
    observed.fetched(part);
    observed.fetched({ ...part, topic: 'b', partition: 0, beyond: -1 });
    expect(await value('kafka_consumer_lag_records')).toEqual([
      [7, 'group', 'a', '2'],
      [0, 'group', 'b', '0'],
    ]);
  });

  it('says since when the oldest record waits: of the fetch at hand, then of what is behind it, then none', async () => {
    const { observed, value, clock } = setUp();
    const seconds = async (): Promise<unknown> => (await value('kafka_consumer_lag_seconds')).flat()[0];
    observed.fetched(part);
    expect(await seconds()).toBe(6);
    clock.now = 11_000;
    expect(await seconds()).toBe(7);
    observed.done('a', 2);
    expect(await seconds()).toBe(5);
    observed.fetched({ ...part, beyond: 0, oldestMs: 8_000 });
    expect(await seconds()).toBe(3);
    observed.done('a', 2);
    expect(await seconds()).toBe(0);
    // A clock of another machine that is ahead.
    observed.fetched({ ...part, oldestMs: 12_000 });
    expect(await seconds()).toBe(0);
    observed.done('a', 9);
    expect(await value('kafka_consumer_lag_seconds')).toEqual([[0, 'group', 'a', '2']]);
  });

  it('forgets its partitions when they are given out anew, and those of no other group', async () => {
    const { metrics, clock, observed, value } = setUp();
    const other = batchMetrics(metrics, 'other', clock);
    observed.fetched(part);
    other.fetched(part);
    expect(await value('kafka_consumer_lag_seconds')).toHaveLength(2);
    observed.reassigned();
    for (const name of ['kafka_consumer_lag_records', 'kafka_consumer_lag_seconds'])
      expect((await value(name)).map((row) => (row as unknown[])[1])).toEqual(['other']);
  });
});
