import { createLogger, Metrics } from '@sociograph/observability';
import { projectorMetrics } from '../metrics';
import { WriterTelemetry } from './writer-telemetry';

describe('WriterTelemetry', () => {
  const setUp = (): {
    telemetry: WriterTelemetry;
    lines: string[];
    value: (name: string) => Promise<number | undefined>;
  } => {
    const lines: string[] = [];
    const logger = createLogger({
      service: 'read-model-projector',
      instance: 'spec',
      level: 'debug',
      destination: { write: (line: string) => void lines.push((JSON.parse(line) as { msg: string }).msg) },
    });
    const metrics = new Metrics({ service: 'read-model-projector', instance: 'spec', processMetrics: false });
    const telemetry = new WriterTelemetry(logger, projectorMetrics(metrics));
    const value = async (name: string): Promise<number | undefined> =>
      (await metrics.registry.getSingleMetric(name)!.get()).values.at(0)?.value;
    return { telemetry, lines, value };
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
});
