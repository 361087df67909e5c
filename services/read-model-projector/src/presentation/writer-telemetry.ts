import { type Clock, SystemClock } from '@sociograph/kernel';
import type { Logger } from '@sociograph/observability';
import type { ProjectorMetrics } from '../metrics';
import type { Job } from '../projections/jobs';
import type { ChangeRecord } from '../projections/ports';
import type { FlushReport } from '../projections/projector';
import type { WriterObserver, WriterStep } from '../projections/writer-term';
import { ProjectSpans } from './project-spans';

/** Turns what the writer tells into metrics and log lines. */
export class WriterTelemetry implements WriterObserver {
  private failing: string | undefined;
  private isWriting = false;
  /** By graph: how much its newest recount found to differ. */
  private readonly differences = new Map<string, number>();
  private readonly spans: ProjectSpans;

  constructor(
    private readonly logger: Logger,
    private readonly metrics: ProjectorMetrics,
    private readonly clock: Pick<Clock, 'nowMs'> = new SystemClock(),
  ) {
    // Durations of flushes are of the monotonic clock, to the microsecond; a wall clock's milliseconds would miss by one.
    this.spans = new ProjectSpans(new SystemClock());
  }

  became(role: 'standby' | 'replaying' | 'writing', fence?: number): void {
    this.isWriting = role === 'writing';
    // Who follows the log anew meets the same records, and their traces, again.
    if (!this.isWriting) this.spans.giveUp();
    this.metrics.writer.set(this.isWriting ? 1 : 0);
    if (fence !== undefined) this.metrics.fence.set(fence);
    this.logger.info({ role, fence }, 'the writer role changed');
  }

  took(record: ChangeRecord, edges: number): void {
    this.metrics.records.inc();
    this.metrics.edges.inc(edges);
    this.metrics.position.set({ partition: record.partition }, record.offset + 1);
    if (!this.isWriting) return;
    if (record.trace !== undefined) this.spans.took(record.trace);
    if (record.change === undefined) return;
    // The service that stored it has another clock.
    this.metrics.age.observe(Math.max(0, this.clock.nowMs() - record.change.changedAt) / 1000);
  }

  flushed(report: FlushReport, durationMs: number, sizes: { people: number; friendships: number }): void {
    if (report.outcome === 'suspended') return this.metrics.suspended.inc();
    this.spans.written(durationMs);
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

  /** Until a recount of the same graph finds none, or everything was rebuilt. */
  get hasDifferences(): boolean {
    return [...this.differences.values()].some((count) => count > 0);
  }

  /** A difference is an alarm: an error in the log, a metric, and a degraded check. */
  job({ kind, state, recounts = [], rebuild, fault }: Job): void {
    if (state === 'failed') {
      const counter = kind === 'recount' ? this.metrics.recounts : this.metrics.rebuilds;
      counter.inc({ outcome: 'failed' });
      this.logger.error({ kind, fault }, 'a job of the writer failed');
    }
    for (const { workspaceId, network, differences, tookMs } of recounts) {
      this.metrics.recounts.inc({ outcome: differences.length === 0 ? 'equal' : 'different' });
      this.differences.set(`${workspaceId}.${network}`, differences.length);
      const fields = { workspaceId, network, ms: Math.round(tookMs) };
      if (differences.length === 0)
        this.logger.info(fields, 'a full recount found everything as it was kept');
      else
        this.logger.error(
          { ...fields, differences: differences.map(({ what, kept, counted }) => ({ what, kept, counted })) },
          'a full recount found differences',
        );
    }
    if (rebuild !== undefined) {
      const { differing, graphs, users, friendships, tookMs } = rebuild;
      this.metrics.rebuilds.inc({ outcome: differing.length === 0 ? 'equal' : 'different' });
      this.differences.clear();
      const fields = { differing, graphs, users, friendships, ms: Math.round(tookMs) };
      if (differing.length === 0) this.logger.info(fields, 'everything was rebuilt from the log');
      else this.logger.error(fields, 'everything was rebuilt from the log, and was another state before');
    }
    this.metrics.differences.set([...this.differences.values()].reduce((sum, count) => sum + count, 0));
  }

  /** Logs the first failure of a step, not its repeats: they are counted. */
  failed(step: WriterStep, error: unknown): void {
    this.metrics.failures.inc({ step });
    if (this.failing === step) return;
    this.failing = step;
    this.logger.warn({ step, err: error }, 'a step of the writer failed and is retried');
  }
}
