import {
  context,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Attributes,
  type Context,
  type Span,
} from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  BasicTracerProvider,
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace-base';
import { LateOtlpExporter } from './late-otlp-exporter';

export type TraceContext = Context;
/** Headers of HTTP, AMQP or Kafka; values other than text and bytes are left alone. */
export type TraceHeaders = Record<string, unknown>;

export interface TracingOptions {
  service: string;
  instance: string;
  /** Base address of an OTLP/HTTP collector. Absent: trace ids are made and passed on, nothing is exported. */
  otlpEndpoint?: string | undefined;
  /** Share of new traces that are kept, 0 to 1; a caller's decision wins. */
  sampleRatio: number;
}

export interface Tracing {
  /** Exports what is left, at most for a second, and stops. */
  shutdown(): Promise<void>;
}

export interface SpanOptions {
  kind?: 'internal' | 'server' | 'client' | 'producer' | 'consumer';
  attributes?: Attributes;
  parent?: TraceContext;
}

const kinds = {
  internal: SpanKind.INTERNAL,
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
} satisfies Record<NonNullable<SpanOptions['kind']>, SpanKind>;

/** Installs tracing for this process. The exporter's module is loaded only when an endpoint is given (12 MB). */
export function startTracing(options: TracingOptions): Tracing {
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({
      'service.name': options.service,
      'service.instance.id': options.instance,
    }),
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(options.sampleRatio) }),
    spanProcessors:
      options.otlpEndpoint === undefined
        ? []
        : [new BatchSpanProcessor(new LateOtlpExporter(options.otlpEndpoint))],
  });
  const contexts = new AsyncLocalStorageContextManager().enable();
  context.setGlobalContextManager(contexts);
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  trace.setGlobalTracerProvider(provider);
  return {
    async shutdown() {
      const limit = new Promise<void>((resolve) => setTimeout(resolve, 1000).unref());
      await Promise.race([provider.shutdown().catch(() => undefined), limit]);
      trace.disable();
      context.disable();
      propagation.disable();
    },
  };
}

/** Runs `fn` in a span of its own; a throw marks the span with the error's code (never its text) and goes on. */
export async function inSpan<R>(
  name: string,
  options: SpanOptions,
  fn: (span: Span) => Promise<R> | R,
): Promise<R> {
  const parent = options.parent ?? context.active();
  const span = tracer().startSpan(
    name,
    { kind: kinds[options.kind ?? 'internal'], attributes: options.attributes ?? {} },
    parent,
  );
  try {
    return await context.with(trace.setSpan(parent, span), () => fn(span));
  } catch (error) {
    span.setAttribute('error.type', errorType(error));
    span.setStatus({ code: SpanStatusCode.ERROR });
    throw error;
  } finally {
    span.end();
  }
}

export interface ServerSpan {
  /** Runs `fn` with this span as the active one. */
  run<R>(fn: () => R): R;
  /** Ends the span under the route's template, never the raw path, which holds ids of people. */
  end(outcome: { route: string; method: string; status: number }): void;
}

/** The span of one HTTP request, continuing the caller's trace; for code with a start and an end but no body. */
export function startServerSpan(headers: TraceHeaders): ServerSpan {
  const parent = extractTrace(headers);
  const span = tracer().startSpan('request', { kind: SpanKind.SERVER }, parent);
  const active = trace.setSpan(parent, span);
  return {
    run: (fn) => context.with(active, fn),
    end: ({ route, method, status }) => {
      span.updateName(`${method} ${route}`);
      span.setAttributes({
        'http.request.method': method,
        'http.route': route,
        'http.response.status_code': status,
      });
      if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
      span.end();
    },
  };
}

/** Writes `traceparent` (and `tracestate`) of the active span into `headers` and returns them. */
export function injectTrace<H extends TraceHeaders>(headers: H): H {
  propagation.inject(context.active(), headers);
  return headers;
}

/** The trace context that a message or request carries; an empty one when it carries none. */
export function extractTrace(headers: TraceHeaders): TraceContext {
  return propagation.extract(ROOT_CONTEXT, headers, {
    keys: (carrier) => Object.keys(carrier),
    get: (carrier, key) => textOf(carrier[key]),
  });
}

/** The W3C `traceparent` of the active span, for a row of an outbox; undefined outside any span. */
export function currentTraceparent(): string | undefined {
  return injectTrace<{ traceparent?: string }>({}).traceparent;
}

function tracer(): ReturnType<typeof trace.getTracer> {
  return trace.getTracer('sociograph');
}

function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (Buffer.isBuffer(value)) return value.toString('utf8');
  return Array.isArray(value) ? textOf(value[0]) : undefined;
}

function errorType(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}
