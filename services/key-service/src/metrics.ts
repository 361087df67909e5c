import { type Metrics, workerErrors } from '@sociograph/observability';

/** From the fastest answer to the longest wait for a slot. */
const WAITS = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1, 2.5, 5, 10, 30];

/** Every metric of key-service, grouped by the question it answers. Help texts say what a rise means. */
export function keyServiceMetrics(metrics: Metrics, waiting: () => number = () => 0) {
  return {
    // Is the pool used, and what do the networks answer?
    calls: metrics.counter(
      'api_calls_total',
      'Calls reported by workers, those inside packed calls one by one; error-6 means that a limit was overstepped or is shared',
      ['network', 'method', 'result'],
    ),
    utilisation: metrics.gauge(
      'pool_utilisation_ratio',
      'Calls sent in the last minute over what the active keys allow (quota x time); add up the instances',
      ['network'],
    ),
    slotsLost: metrics.counter(
      'lease_slots_lost_total',
      'Slots that workers did not use, by cause; too-late means a busy worker, no-connection a slow network',
      ['network', 'cause'],
    ),
    margin: metrics.gauge(
      'pool_margin_seconds',
      'Learned margin between notBefore and the latest arrival; every second of it lowers the ceiling W/(W + margin)',
      ['network'],
    ),

    // How are the keys?
    keys: metrics.gauge('api_keys', 'Keys of the fleet by state', ['state']),
    keyUsage: metrics.counter('api_key_usage_total', 'Calls granted with a key', ['keyId']),
    keyErrors: metrics.counter('api_key_errors_total', 'Answers to calls of a key that were errors', [
      'keyId',
      'code',
    ]),
    keyBackoff: metrics.counter(
      'api_key_backoff_count',
      'How often a key, or a method of it, was put to rest; a rise says that its owner or another program uses it',
      ['keyId'],
    ),
    keyEvents: metrics.counter(
      'api_key_events_total',
      'What answers changed about keys; a rise of resting or invalid shrinks the pool',
      ['kind', 'code'],
    ),
    circuits: metrics.counter(
      'api_circuits_total',
      'Circuits of keys and networks opened and closed; opened minus closed, over all instances, are open',
      ['scope', 'change'],
    ),

    // Do workers get leases, and how fast?
    leaseSeconds: metrics.histogram(
      'lease_rpc_seconds',
      'Time from a request of the lease protocol to its answer, waiting for a slot included',
      ['kind', 'outcome'],
      [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    ),
    leaseWait: metrics.histogram(
      'lease_wait_seconds',
      'Time from a granted request to the beginning of its first slot; a rise says that more is asked than keys allow',
      [],
      WAITS,
    ),
    leaseHold: metrics.histogram(
      'lease_hold_seconds',
      'Time from a grant to its settle; a rise says that the network answers slowly or workers settle late',
      [],
      WAITS,
    ),
    queueLength: metrics.gauge(
      'queue_length',
      'Requests that wait for a slot in this process',
      ['queue'],
      (gauge) => gauge.set({ queue: 'lease-line' }, waiting()),
    ),
    refused: metrics.counter(
      'lease_requests_refused_total',
      'Requests that failed authentication or freshness; more than a few mean a forger or a broken clock',
      ['reason'],
    ),

    // Are longer limits booked ahead, and what is left of them?
    budgetBooked: metrics.gauge(
      'pool_budget_booked_calls',
      'Calls of longer limits that are booked and not closed yet, by limit',
      ['limit'],
    ),
    budgetSpent: metrics.gauge('pool_budget_spent_calls', 'Of the booked calls, those that were granted', [
      'limit',
    ]),

    // Does the work behind it get done?
    workerErrors: workerErrors(metrics),
    keyUses: metrics.counter(
      'key_uses_total',
      'Leases recorded as uses of keys; dropped means that PostgreSQL was away for longer than there is room',
      ['outcome'],
    ),
  };
}

export type KeyServiceMetrics = ReturnType<typeof keyServiceMetrics>;
