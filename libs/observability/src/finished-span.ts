import { SpanKind, SpanStatusCode, type Attributes } from '@opentelemetry/api';
import type { ReadableSpan, SpanProcessor } from '@opentelemetry/sdk-trace-base';

export type SpanKindName = 'internal' | 'server' | 'client' | 'producer' | 'consumer';

export const kinds = {
  internal: SpanKind.INTERNAL,
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
} satisfies Record<SpanKindName, SpanKind>;

/** A kept span that ended. */
export interface FinishedSpan {
  name: string;
  kind: SpanKindName;
  traceId: string;
  spanId: string;
  parentSpanId: string | undefined;
  /** Span ids that it links to. */
  links: string[];
  attributes: Attributes;
  failed: boolean;
}

/** Hands ended spans on at once. */
export class EndListener implements SpanProcessor {
  constructor(private readonly listener: (span: FinishedSpan) => void) {}

  onStart(): void {
    // Only ends are told of.
  }

  onEnd(span: ReadableSpan): void {
    const { traceId, spanId } = span.spanContext();
    const [kind = 'internal'] = (Object.keys(kinds) as SpanKindName[]).filter(
      (name) => kinds[name] === span.kind,
    );
    this.listener({
      name: span.name,
      kind,
      traceId,
      spanId,
      parentSpanId: span.parentSpanContext?.spanId,
      links: span.links.map((link) => link.context.spanId),
      attributes: span.attributes,
      failed: span.status.code === SpanStatusCode.ERROR,
    });
  }

  async forceFlush(): Promise<void> {
    // Nothing waits.
  }

  async shutdown(): Promise<void> {
    // Nothing is open.
  }
}
