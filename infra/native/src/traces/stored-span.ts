/** One span as it lies in the ring, one a line. Times are milliseconds since the epoch, with microseconds behind the point. */
export interface StoredSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: SpanKind;
  readonly service: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly failed: boolean;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  /** Spans of other traces (or of this one) that led to it too. */
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
}

/** In the order of OTLP's numbers. */
export const SPAN_KINDS = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'] as const;

export type SpanKind = (typeof SPAN_KINDS)[number];
