import type { Counter } from 'prom-client';
import type { Metrics } from './metrics';

/** Counts rounds of work beside requests and consumers that failed; label `work` names the kind, a constant. */
export function workerErrors(metrics: Metrics): Counter<'work'> {
  return metrics.counter(
    'worker_errors',
    'Work beside requests and consumers that failed and is tried again, by kind; the log says why',
    ['work'] as const,
  );
}
