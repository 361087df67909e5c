import type { Metrics } from '@sociograph/observability';
import { StorageMeter, type ObservedKind } from './domain/ports';

/** Every metric of this service beyond those of the libs, grouped by the question it answers. */
export function graphStorageMetrics(metrics: Metrics) {
  return {
    // What comes in?
    observations: metrics.counter(
      'graph_observations_total',
      'Observations by what became of them; many late ones: a worker or a clock lags behind',
      ['kind', 'fate'] as const,
    ),
    // What does it change?
    friendships: metrics.counter(
      'graph_friendships_written_total',
      'Friendships written; flat while observations come in: the graph is up to date',
      ['action'] as const,
    ),
    subscriptions: metrics.counter(
      'graph_subscriptions_written_total',
      'Memberships and followings written; flat while lists of them come in: they are up to date',
      ['action'] as const,
    ),
    published: metrics.counter(
      'graph_changes_published_total',
      'Records of graph.changes: vertices or markers',
      ['kind'] as const,
    ),
    // What does the store have to bear?
    requests: metrics.counter('graph_store_requests_total', 'Requests to the store by purpose', [
      'operation',
    ] as const),
    conflicts: metrics.counter(
      'graph_store_conflicts_total',
      'Writes that another writer had overtaken, each retried; a spike means two consumers on one partition',
      ['of'] as const,
    ),
    // Are people forgotten in time?
    erasures: metrics.gauge(
      'graph_erasures_open',
      'Erasures that are not complete; one that stays for more than two months: a log does not forget',
    ),
    // Are batches waiting?
    waiting: metrics.gauge(
      'graph_batches_waiting',
      'Batches that wait for others to finish; above 4 for long: the store is slow',
    ),
  };
}

export type GraphStorageMetrics = ReturnType<typeof graphStorageMetrics>;

/** The meter of the application, on prom-client. */
export class PromStorageMeter extends StorageMeter {
  constructor(private readonly metrics: GraphStorageMetrics) {
    super();
  }

  observation(kind: ObservedKind, fate: string, count: number): void {
    this.metrics.observations.inc({ kind, fate }, count);
  }

  friendships(action: string, count: number): void {
    this.metrics.friendships.inc({ action }, count);
  }

  subscriptions(action: string, count: number): void {
    this.metrics.subscriptions.inc({ action }, count);
  }

  conflicts(of: string, count: number): void {
    this.metrics.conflicts.inc({ of }, count);
  }

  published(kind: string, count: number): void {
    this.metrics.published.inc({ kind }, count);
  }
}
