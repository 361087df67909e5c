import type { Metrics } from '@sociograph/observability';
import type { ExportFormat } from './domain/export';
import { ExportMeter, type ExportEnd } from './domain/export-ports';

/** The metrics of exports, grouped by the question they answer. */
export class PromExportMeter extends ExportMeter {
  readonly #requested;
  readonly #ended;
  readonly #seconds;
  readonly #bytes;

  constructor(metrics: Metrics) {
    super();
    // What is asked for?
    this.#requested = metrics.counter('graph_exports_requested_total', 'Exports asked for', [
      'format',
    ] as const);
    // What becomes of it?
    this.#ended = metrics.counter(
      'graph_exports_total',
      'Attempts at exports by how they ended; many postponed: the store of files or of the graph is away',
      ['format', 'result'] as const,
    );
    this.#seconds = metrics.histogram(
      'graph_export_seconds',
      'Time that a finished export took, without waiting; above 60 s the graph is large or the store slow',
      ['format'] as const,
      [0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800],
    );
    this.#bytes = metrics.counter(
      'graph_export_bytes_total',
      'Bytes of finished exports; what the store of files has to hold for a day',
      ['format'] as const,
    );
  }

  requested(format: ExportFormat): void {
    this.#requested.inc({ format });
  }

  ended(format: ExportFormat, result: ExportEnd, seconds: number, bytes: number): void {
    this.#ended.inc({ format, result });
    if (result !== 'ready') return;
    this.#seconds.observe({ format }, seconds);
    this.#bytes.inc({ format }, bytes);
  }
}
