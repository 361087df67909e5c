import {
  context,
  propagation,
  ROOT_CONTEXT,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Attributes,
  type Context,
  type Link,
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
import { EndListener, kinds, type FinishedSpan, type SpanKindName } from './finished-span';
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
  /** Told of each kept span when it ends, beside the collector; for specs. */
  onEnd?: ((span: FinishedSpan) => void) | undefined;
}

export interface Tracing {
  /** Exports what is left, at most for a second, and stops. */
  shutdown(): Promise<void>;
}

export interface SpanOptions {
  kind?: SpanKindName;
  attributes?: Attributes;
  parent?: TraceContext;
  /** Spans of other traces that led to this work too, as `traceparent`s; what is none is left out. */
  links?: readonly string[];
}

/** Spans wait for so long at most: who asks for the trace of what they just did should not wait five seconds. */
const EXPORT_EVERY_MS = 1_000;

/** Installs tracing for this process. The exporter's module is loaded only when an endpoint is given (12 MB). */
export function startTracing(options: TracingOptions): Tracing {
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({
      'service.name': options.service,
      'service.instance.id': options.instance,
    }),
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(options.sampleRatio) }),
    spanProcessors: [
      ...(options.otlpEndpoint === undefined
        ? []
        : [
            new BatchSpanProcessor(new LateOtlpExporter(options.otlpEndpoint), {
              scheduledDelayMillis: EXPORT_EVERY_MS,
            }),
          ]),
      ...(options.onEnd === undefined ? [] : [new EndListener(options.onEnd)]),
    ],
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
  const span = startSpan(name, options, parent);
  try {
    return await context.with(trace.setSpan(parent, span), () => fn(span));
  } catch (error) {
    markFailed(span, error);
    throw error;
  } finally {
    span.end();
  }
}

/** A span whose end is elsewhere than its start; it must be ended on every way out. */
export interface OpenSpan {
  /** For messages that continue the trace under this span; undefined where no tracing is installed. */
  readonly traceparent: string | undefined;
  /** Runs `fn` with this span as the active one. */
  run<R>(fn: () => R): R;
  /** Adds attributes; neither tokens nor ids of people belong there. */
  note(attributes: Attributes): void;
  /** With an error (or the code of one) the span is marked by its code, never by its text. A second call does nothing. */
  end(error?: unknown): void;
}

/** Starts a span under `options.parent`, else under the work at hand. */
export function openSpan(name: string, options: SpanOptions = {}): OpenSpan {
  const parent = options.parent ?? context.active();
  const span = startSpan(name, options, parent);
  const active = trace.setSpan(parent, span);
  return {
    traceparent: injectInto(active),
    run: (fn) => context.with(active, fn),
    note: (attributes) => void span.setAttributes(attributes),
    end: (error) => {
      if (!span.isRecording()) return;
      if (error !== undefined) markFailed(span, error, typeof error === 'string' ? error : undefined);
      span.end();
    },
  };
}

/** The same in a trace that is kept only: where it is not, a span would cost its time and be seen by nobody. */
export function openKeptSpan(name: string, options: SpanOptions = {}): OpenSpan | undefined {
  const flags = trace.getSpanContext(options.parent ?? context.active())?.traceFlags ?? TraceFlags.NONE;
  return (flags & TraceFlags.SAMPLED) === 0 ? undefined : openSpan(name, options);
}

/** True for a `traceparent` (text or bytes) whose trace is kept (W3C flag `sampled`). */
export function isKept(traceparent: unknown): boolean {
  const text = textOf(traceparent);
  return text !== undefined && (Number.parseInt(text.slice(-2), 16) & TraceFlags.SAMPLED) !== 0;
}

/** Adds attributes to the span of the work at hand, for who does not have it in hand. */
export function annotateSpan(attributes: Attributes): void {
  trace.getActiveSpan()?.setAttributes(attributes);
}

export interface ServerSpan {
  /** Runs `fn` with this span as the active one. */
  run<R>(fn: () => R): R;
  /** Ends the span under the route's template, never the raw path, which holds ids of people. */
  end(outcome: { route: string; method: string; status: number }): void;
}

/** The span of one HTTP request, continuing the caller's trace; for code with a start and an end but no body. */
export function startServerSpan(headers: TraceHeaders, attributes: Attributes = {}): ServerSpan {
  const parent = extractTrace(headers);
  const span = startSpan('request', { kind: 'server', attributes }, parent);
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
  return injectInto(context.active());
}

function startSpan(
  name: string,
  { kind = 'internal', attributes = {}, links = [] }: SpanOptions,
  parent: Context,
): Span {
  const linked = links.flatMap((traceparent): Link[] => {
    const context = trace.getSpanContext(extractTrace({ traceparent }));
    return context === undefined ? [] : [{ context }];
  });
  return trace
    .getTracer('sociograph')
    .startSpan(name, { kind: kinds[kind], attributes, links: linked }, parent);
}

function markFailed(span: Span, error: unknown, code = errorType(error)): void {
  span.setAttribute('error.type', code);
  span.setStatus({ code: SpanStatusCode.ERROR });
}

function injectInto(active: Context): string | undefined {
  const headers: { traceparent?: string } = {};
  propagation.inject(active, headers);
  return headers.traceparent;
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
