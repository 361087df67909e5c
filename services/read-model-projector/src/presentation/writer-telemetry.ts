import type { Logger } from '@sociograph/observability';
import type { ProjectorMetrics } from '../metrics';
import type { WriterObserver, WriterStep } from '../projections/active-writer';
import type { ChangeRecord } from '../projections/ports';
import type { FlushReport } from '../projections/projector';

/** Turns what the writer tells into metrics and log lines. */
export class WriterTelemetry implements WriterObserver {
  private failing: string | undefined;

  constructor(
    private readonly logger: Logger,
    private readonly metrics: ProjectorMetrics,
  ) {}

  became(role: 'standby' | 'replaying' | 'writing', fence?: number): void {
    this.metrics.writer.set(role === 'writing' ? 1 : 0);
    if (fence !== undefined) this.metrics.fence.set(fence);
    this.logger.info({ role, fence }, 'the writer role changed');
  }

  took(record: ChangeRecord, edges: number): void {
    this.metrics.records.inc();
    this.metrics.edges.inc(edges);
    this.metrics.position.set({ partition: record.partition }, record.offset + 1);
  }

  flushed(report: FlushReport, durationMs: number, sizes: { people: number; friendships: number }): void {
    if (report.outcome === 'suspended') return this.metrics.suspended.inc();
    if (report.outcome === 'nothing') return;
    this.failing = undefined;
    this.metrics.flush.observe(durationMs / 1000);
    this.metrics.rows.inc(report.profiles);
    this.metrics.people.set(sizes.people);
    this.metrics.friendships.set(sizes.friendships);
    this.logger.debug({ ...report, durationMs: Math.round(durationMs) }, 'the views were written');
  }

  checkpoint(what: 'written' | 'resumed', ageMs: number): void {
    this.metrics.checkpoints.inc({ what });
    this.logger.info({ what, ms: Math.round(ageMs) }, 'a checkpoint of the views');
  }

  /** Logs the first failure of a step, not its repeats: they are counted. */
  failed(step: WriterStep, error: unknown): void {
    this.metrics.failures.inc({ step });
    if (this.failing === step) return;
    this.failing = step;
    this.logger.warn({ step, err: error }, 'a step of the writer failed and is retried');
  }
}
