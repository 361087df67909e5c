import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace-base';

type ExportCallback = Parameters<SpanExporter['export']>[1];

/** Loads the OTLP exporter with the first batch of spans: processes without a collector never pay for it. */
export class LateOtlpExporter implements SpanExporter {
  private exporter: Promise<SpanExporter> | undefined;

  constructor(private readonly endpoint: string) {}

  export(spans: ReadableSpan[], done: ExportCallback): void {
    this.load().then(
      (exporter) => exporter.export(spans, done),
      (error: unknown) => done({ code: 1, error: error instanceof Error ? error : new Error(String(error)) }),
    );
  }

  async forceFlush(): Promise<void> {
    await (await this.exporter)?.forceFlush?.();
  }

  async shutdown(): Promise<void> {
    await (await this.exporter)?.shutdown();
  }

  private load(): Promise<SpanExporter> {
    this.exporter ??= import('@opentelemetry/exporter-trace-otlp-http').then(
      ({ OTLPTraceExporter }) =>
        new OTLPTraceExporter({
          url: `${this.endpoint.replace(/\/+$/, '')}/v1/traces`,
          timeoutMillis: 2000,
        }),
    );
    return this.exporter;
  }
}
