import { type Metrics, workerErrors } from '@sociograph/observability';

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
    workerErrors: workerErrors(metrics),

    // Who uses it, and does anybody come near a limit?
    workspaces: metrics.gauge(
      'identity_workspaces',
      'Workspaces of the fleet; every process counts the same ones',
    ),
    members: metrics.gauge(
      'identity_members',
      'Accounts that are a member of a workspace; every process counts the same ones',
    ),
    quotaUse: metrics.gauge(
      'identity_quota_use_ratio',
      'Use over limit of the workspace that is nearest to its limit, by quota; at 1 its next request is refused',
      ['quota'] as const,
    ),
    quotasNear: metrics.gauge(
      'identity_quotas_near_limit',
      'Workspaces that use four fifths of a limit or more, by quota',
      ['quota'] as const,
    ),
  };
}

export type IdentityMetrics = ReturnType<typeof identityMetrics>;
