import type { Metrics } from '@sociograph/observability';

/** Every metric of identity-service, grouped by the question it answers. Help texts say what a rise means. */
export function identityMetrics(metrics: Metrics) {
  return {
    // Does the trail grow, and is it sealed in time?
    auditCollected: metrics.counter(
      'audit_entries_received_total',
      'Records of the audit topic taken, repeats included; none for long while people work means a stuck collector',
      [],
    ),
    auditSealSeconds: metrics.histogram(
      'audit_seal_seconds',
      'Time of one round of the sealer; beyond a second seals are late',
      [],
      [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
    ),

    // Does the work behind it get done?
    workerErrors: metrics.counter(
      'identity_worker_errors',
      'Background work that failed; the log says which. Registrations and changes of roles wait meanwhile',
      ['work'],
    ),
  };
}

export type IdentityMetrics = ReturnType<typeof identityMetrics>;
