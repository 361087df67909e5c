import type { Metrics } from '@sociograph/observability';

/** Every metric of this service beyond those of the libs, grouped by the question it answers. */
export function projectorMetrics(metrics: Metrics) {
  return {
    // Who writes?
    writer: metrics.gauge(
      'projector_writer',
      'Instance writes the views (1) or stands by (0); a sum other than 1 for more than a few seconds: no writer',
    ),
    fence: metrics.gauge(
      'projector_writer_fence',
      'Fence under which this instance last wrote; rises with every takeover',
    ),
    failures: metrics.counter(
      'projector_failures_total',
      'Failed steps of the writer, each retried; a spike means that store, lock, cache or log is away',
      ['step'] as const,
    ),
    // How much comes in, and how far is it?
    records: metrics.counter(
      'projector_records_total',
      'Records of graph.changes taken into memory, replays included',
    ),
    edges: metrics.counter(
      'projector_edge_changes_total',
      'Friendships that began or ended to count, replays included',
    ),
    position: metrics.gauge(
      'projector_log_position',
      'Offset in graph.changes of the next record; flat while the log grows: no progress',
      ['partition'] as const,
    ),
    lag: metrics.gauge(
      'projector_log_lag_records',
      'Records of graph.changes that were not taken when the last batch was; growth means that more comes than is taken',
      ['partition'] as const,
    ),
    age: metrics.histogram(
      'projector_change_age_seconds',
      'From storing a change of the graph until it is in memory, of records taken while writing; a spike: the log is read late',
    ),
    // How fast do rows follow?
    flush: metrics.histogram(
      'projector_flush_seconds',
      'Writing what changed, invalidating and announcing; rows are at most about four times this behind the memory',
    ),
    rows: metrics.counter('projector_rows_written_total', 'Rows of user_profile_read written or removed'),
    suspended: metrics.counter(
      'projector_flushes_suspended_total',
      'Flushes put off because the lock was in doubt',
    ),
    checkpoints: metrics.counter(
      'projector_checkpoints_total',
      'Checkpoints written, and taken up at a start; a start without one replays the whole log',
      ['what'] as const,
    ),
    // Is it right?
    differences: metrics.gauge(
      'projector_recount_differences',
      'What the newest full recounts found to differ, over all graphs; anything but 0 is an alarm: the views are wrong',
    ),
    recounts: metrics.counter(
      'projector_recounts_total',
      'Full recounts of one graph, by what came of them',
      ['outcome'] as const,
    ),
    rebuilds: metrics.counter(
      'projector_rebuilds_total',
      'Rebuilds from the log, by whether the live state was equal to what the log gave',
      ['outcome'] as const,
    ),
    // How large is it?
    people: metrics.gauge('projector_people', 'People in memory, over all graphs'),
    friendships: metrics.gauge('projector_friendships', 'Friendships in memory, over all graphs'),
  };
}

export type ProjectorMetrics = ReturnType<typeof projectorMetrics>;
