import type { Metrics } from '@sociograph/observability';

/** Every metric of key-service, grouped by the question it answers. */
export function keyServiceMetrics(metrics: Metrics) {
  return {
    // Is the pool used, and what do the networks answer?
    calls: metrics.counter(
      'api_calls_total',
      'Calls reported by workers; error-6 above zero means that a limit was overstepped or is shared',
      ['network', 'result'],
    ),
    keyEvents: metrics.counter(
      'api_key_events_total',
      'What answers changed about keys; a rise of resting or invalid shrinks the pool',
      ['kind', 'code'],
    ),
    keys: metrics.gauge('api_keys', 'Keys of the fleet by state', ['state']),

    // Do workers get leases, and how fast?
    leaseSeconds: metrics.histogram(
      'lease_rpc_seconds',
      'Time from a request of the lease protocol to its answer, waiting for a slot included',
      ['kind', 'outcome'],
      [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    ),
    waiting: metrics.gauge('lease_requests_waiting', 'Requests that wait for a slot in this process'),
    refused: metrics.counter(
      'lease_requests_refused_total',
      'Requests that failed authentication or freshness; more than a few mean a forger or a broken clock',
      ['reason'],
    ),
  };
}

export type KeyServiceMetrics = ReturnType<typeof keyServiceMetrics>;
