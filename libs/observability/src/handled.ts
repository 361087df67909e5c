import type { Logger } from './logger';
import type { Metrics } from './metrics';
import { inSpan, type SpanOptions } from './tracing';

export interface HandledOptions {
  logger: Logger;
  metrics: Metrics;
  /** Level of the line of a success; handlers that run many times a second choose `debug`. */
  successLevel?: 'info' | 'debug';
  kind?: SpanOptions['kind'];
}

/**
 * Wraps a handler at the edge: one log line per call, rate, errors and duration as metrics, one span. What the
 * handler throws goes on to the caller; it is logged here, once.
 */
export function handled<A extends unknown[], R>(
  name: string,
  options: HandledOptions,
  fn: (...args: A) => Promise<R>,
): (...args: A) => Promise<R> {
  const { logger, metrics, successLevel = 'info' } = options;
  const duration = metrics.histogram(
    'handler_duration_seconds',
    'Time a handler took; a spike means slow servers or larger batches',
    ['handler', 'outcome'],
  );
  const inFlight = metrics.gauge('handler_in_flight', 'Calls of a handler under way', ['handler']);
  return (...args) =>
    inSpan(name, options.kind === undefined ? {} : { kind: options.kind }, async () => {
      const startedAt = performance.now();
      const seconds = (): number => (performance.now() - startedAt) / 1000;
      inFlight.inc({ handler: name });
      try {
        const result = await fn(...args);
        duration.observe({ handler: name, outcome: 'ok' }, seconds());
        logger[successLevel]({ handler: name, durationMs: Math.round(seconds() * 1000) }, 'handled');
        return result;
      } catch (error) {
        const outcome = outcomeOf(error);
        duration.observe({ handler: name, outcome }, seconds());
        const level = outcome === 'bug' ? 'error' : 'warn';
        logger[level](
          { handler: name, durationMs: Math.round(seconds() * 1000), outcome, err: error },
          'handler failed',
        );
        throw error;
      } finally {
        inFlight.dec({ handler: name });
      }
    });
}

/** The kind of a DomainError, else `bug`: bounded, so it may be a label. */
function outcomeOf(error: unknown): string {
  return error instanceof Error && 'kind' in error && typeof error.kind === 'string' ? error.kind : 'bug';
}
