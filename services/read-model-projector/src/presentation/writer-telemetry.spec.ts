import { createLogger, Metrics, startTracing, type FinishedSpan } from '@sociograph/observability';
import type { Histogram } from 'prom-client';
import { projectorMetrics } from '../metrics';
import type { RecountOutcome } from '../projections/jobs';
import type { VertexChange } from '../projections/ports';
import { WriterTelemetry } from './writer-telemetry';

describe('WriterTelemetry', () => {
  const setUp = (): {
    telemetry: WriterTelemetry;
    lines: string[];
    value: (name: string) => Promise<number | undefined>;
    sum: (name: string) => Promise<{ sum: number | undefined; count: number | undefined }>;
  } => {
    const lines: string[] = [];
    const logger = createLogger({
      service: 'read-model-projector',
      instance: 'spec',
      level: 'debug',
      destination: { write: (line: string) => void lines.push((JSON.parse(line) as { msg: string }).msg) },
    });
    const metrics = new Metrics({ service: 'read-model-projector', instance: 'spec', processMetrics: false });
    const clock = { nowMs: () => 5_000 };
    const telemetry = new WriterTelemetry(logger, projectorMetrics(metrics), clock);
    const value = async (name: string): Promise<number | undefined> =>
      (await metrics.registry.getSingleMetric(name)!.get()).values.at(0)?.value;
    const sum = async (name: string) => {
      const { values } = await (metrics.registry.getSingleMetric(name) as Histogram).get();
      const of = (end: string) => values.find(({ metricName }) => metricName === `${name}_${end}`)?.value;
      return { sum: of('sum'), count: of('count') };
    };
    return { telemetry, lines, value, sum };
  };

  it('says who writes, under which fence', async () => {
    const { telemetry, value } = setUp();
    telemetry.became('replaying', 7);
    expect(await value('projector_writer')).toBe(0);
    telemetry.became('writing', 7);
    expect([await value('projector_writer'), await value('projector_writer_fence')]).toEqual([1, 7]);
    telemetry.became('standby');
    expect([await value('projector_writer'), await value('projector_writer_fence')]).toEqual([0, 7]);
  });

  it('counts records, edges and rows, and notes the position behind the last record', async () => {
    const { telemetry, value } = setUp();
    telemetry.took({ partition: 2, offset: 9 }, 3);
    telemetry.took({ partition: 2, offset: 10 }, 4);
    telemetry.flushed({ outcome: 'written', profiles: 5, partitions: 1 }, 20, { people: 6, friendships: 7 });
    telemetry.flushed({ outcome: 'suspended', profiles: 0, partitions: 0 }, 1, { people: 0, friendships: 0 });
    telemetry.flushed({ outcome: 'nothing', profiles: 0, partitions: 0 }, 1, { people: 0, friendships: 0 });
    const names = [
      'records_total',
      'edge_changes_total',
      'log_position',
      'rows_written_total',
      'flushes_suspended_total',
      'people',
      'friendships',
    ];
    expect(await Promise.all(names.map((name) => value(`projector_${name}`)))).toEqual([
      2, 7, 11, 5, 1, 6, 7,
    ]);
  });

  it('notes how old changes are that come while it writes, not those of a replay', async () => {
    const { telemetry, sum } = setUp();
    const changed = (changedAt: number) =>
      telemetry.took({ partition: 0, offset: 0, change: { changedAt } as VertexChange }, 0);
    telemetry.became('replaying', 1);
    changed(1_000);
    telemetry.became('writing', 1);
    changed(4_750);
    changed(4_500);
    // Another machine's clock runs ahead.
    changed(5_100);
    telemetry.took({ partition: 0, offset: 1 }, 0);
    expect(await sum('projector_change_age_seconds')).toEqual({ sum: 0.75, count: 3 });
  });

  it('logs a step that keeps failing once, until something was written', async () => {
    const { telemetry, lines, value } = setUp();
    telemetry.failed('flush', new Error('away'));
    telemetry.failed('flush', new Error('away'));
    expect(lines).toHaveLength(1);
    expect(await value('projector_failures_total')).toBe(2);
    telemetry.flushed({ outcome: 'written', profiles: 0, partitions: 1 }, 1, { people: 0, friendships: 0 });
    telemetry.failed('flush', new Error('away'));
    expect(lines.filter((line) => line.includes('failed'))).toHaveLength(2);
  });

  it('raises an alarm for a difference until the same graph is found equal, or all is rebuilt', async () => {
    const { telemetry, lines, value } = setUp();
    const difference = { what: 'rows of people', kept: 2, counted: 0, ids: ['107'] };
    const recount = (network: string, differences = [difference]): RecountOutcome => ({
      workspaceId: 'demo',
      network,
      users: 1,
      friendships: 0,
      differences,
      tookMs: 1,
    });
    const job = { id: 'a', kind: 'recount' as const, state: 'done' as const, requestedAt: 1 };
    telemetry.job({ ...job, recounts: [recount('vk'), recount('ok', [])] });
    expect([telemetry.hasDifferences, await value('projector_recount_differences')]).toEqual([true, 1]);
    telemetry.job({ ...job, recounts: [recount('ok', [])] });
    expect(telemetry.hasDifferences).toBe(true);
    telemetry.job({ ...job, recounts: [recount('vk', [])] });
    expect([telemetry.hasDifferences, await value('projector_recount_differences')]).toEqual([false, 0]);
    telemetry.job({ ...job, recounts: [recount('vk')] });
    const rebuild = { graphs: 1, users: 1, friendships: 0, records: 1, hashes: [], swappedMs: 1, tookMs: 1 };
    telemetry.job({ ...job, kind: 'rebuild', rebuild: { ...rebuild, differing: [3] } });
    expect([telemetry.hasDifferences, await value('projector_recount_differences')]).toEqual([false, 0]);
    telemetry.job({ ...job, state: 'failed', fault: 'A.B' });
    expect(await value('projector_rebuilds_total')).toBe(1);
    expect(lines).toEqual([
      'a full recount found differences',
      'a full recount found everything as it was kept',
      'a full recount found everything as it was kept',
      'a full recount found everything as it was kept',
      'a full recount found differences',
      'everything was rebuilt from the log, and was another state before',
      'a job of the writer failed',
    ]);
  });

  it('ends the span of a change with the flush that wrote it, and has none while it replays', async () => {
    const ended: FinishedSpan[] = [];
    const tracing = startTracing({
      service: 's',
      instance: '0',
      sampleRatio: 0,
      onEnd: (span) => ended.push(span),
    });
    const { telemetry } = setUp();
    const sizes = { people: 0, friendships: 0 };
    const flush = (outcome: 'written' | 'nothing' | 'suspended'): void =>
      telemetry.flushed({ outcome, profiles: 0, partitions: 0 }, 0, sizes);
    const record = { partition: 0, offset: 1, trace: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01` };
    telemetry.became('replaying', 1);
    telemetry.took(record, 0);
    flush('written');
    telemetry.became('writing', 1);
    telemetry.took({ partition: 0, offset: 2 }, 0);
    telemetry.took(record, 0);
    flush('suspended');
    expect(ended).toEqual([]);
    flush('nothing');
    expect(ended).toMatchObject([{ name: 'project changes', failed: false }]);
    telemetry.took(record, 0);
    telemetry.became('standby');
    expect(ended.map(({ failed }) => failed)).toEqual([false, true]);
    await tracing.shutdown();
  });
});
