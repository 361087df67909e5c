import { type Board, figure, orZero, percentiles, rate, row, series } from '../panel';

export const GRAPH_AND_VIEWS: Board = {
  uid: 'sociograph-graph-and-views',
  title: 'Graph and views',
  about: 'Is what was observed stored, and do the views show it, rightly and soon?',
  rows: [
    row(
      'Is it well?',
      figure('Writers of the views', orZero('sum(projector_writer)'), {
        shows: 'Projectors that write; exactly one does.',
        bad: 'none: the views stand still.',
        ...{ runbook: 'NoWriterOfViews', unit: 'short', alarm: 1, low: true },
      }),
      figure('Differences', 'max(projector_recount_differences)', {
        shows: 'What the newest full recounts found to differ from what is kept.',
        bad: 'anything but 0: the views are wrong; rebuild them.',
        ...{ runbook: 'ViewsAreWrong', unit: 'short', alarm: 1 },
      }),
      figure('People in the views', 'max(projector_people)', {
        shows: 'People of all graphs.',
        bad: 'a fall without an erasure: the writer has not replayed yet.',
        ...{ runbook: 'NoWriterOfViews', unit: 'short' },
      }),
      figure('Friendships in the views', 'max(projector_friendships)', {
        shows: 'Friendships of all graphs.',
        bad: 'as above; about 10^8 fill the memory of one machine, docs/scaling.md says what then.',
        ...{ runbook: 'NoWriterOfViews', unit: 'short' },
      }),
      figure('Erasures under way', 'max(graph_erasures_open)', {
        shows: 'Erasures whose receipt is not complete yet; logs take up to two months.',
        bad: 'one that stays for longer: a log does not forget, its receipt says which.',
        ...{ runbook: 'BackgroundWorkFails', unit: 'short' },
      }),
      figure('Batches that wait', 'sum(graph_batches_waiting)', {
        shows: 'Batches that wait for others to be stored.',
        bad: 'above 4 for long: the store is slow.',
        ...{ runbook: 'ConsumerLags', unit: 'short', warn: 4 },
      }),
    ),
    row(
      'Graph',
      series('Observations', [[rate('graph_observations_total', ['kind', 'fate']), '{{kind}} {{fate}}']], {
        shows: 'Observations by what became of them.',
        bad: 'many late ones: a worker or a clock lags behind.',
        ...{ runbook: 'ConsumerLags', unit: 'cps' },
      }),
      series('Friendships written', [[rate('graph_friendships_written_total', ['action']), '{{action}}']], {
        shows: 'Friendships that changed in the store.',
        bad: 'flat while new people come in: see the store.',
        ...{ runbook: 'ConsumerLags', unit: 'cps' },
      }),
      series(
        'Memberships and followings written',
        [[rate('graph_subscriptions_written_total', ['action']), '{{action}}']],
        {
          shows: 'Memberships and followings that changed in the store.',
          bad: 'flat while lists of them come in: they are up to date, or the store is away.',
          ...{ runbook: 'ConsumerLags', unit: 'cps', emptyUntil: 'an import asks for groups or followers' },
        },
      ),
      series(
        'Requests to the store',
        [[rate('graph_store_requests_total', ['operation']), '{{operation}}']],
        {
          shows: 'Requests to ArangoDB by purpose.',
          bad: 'many more than batches: batches are small, their consumer is not the bound.',
          ...{ runbook: 'ConsumerLags', unit: 'reqps' },
        },
      ),
      series('Conflicts', [[rate('graph_store_conflicts_total', ['of']), '{{of}}']], {
        shows: 'Writes that another writer had overtaken, each retried.',
        bad: 'a spike: two consumers work on one partition; it ends with the rebalance.',
        ...{ runbook: 'ConsumerLags', unit: 'cps', emptyUntil: 'two writers meet' },
      }),
      series('Published', [[rate('graph_changes_published_total', ['kind']), '{{kind}}']], {
        shows: 'Records of graph.changes.',
        bad: 'none while observations come in: Kafka does not confirm.',
        ...{ runbook: 'ConsumerLags', unit: 'cps' },
      }),
      series(
        'Storing a batch',
        percentiles('kafka_batch_duration_seconds', 'service="graph-storage-service"'),
        {
          shows: 'Time that a batch of observations takes, its publication included.',
          bad: 'the store is slow, or Kafka. A point leads to its trace.',
          ...{ runbook: 'ConsumerLags', unit: 's', traces: true },
        },
      ),
      series(
        'Exports',
        [['sum by (format, result) (increase(graph_exports_total[1h]))', '{{format}} {{result}}']],
        {
          shows: 'Attempts at exports by how they ended.',
          bad: 'many postponed: the store of files or of the graph is away.',
          ...{ runbook: 'BackgroundWorkFails', unit: 'short', emptyUntil: 'an export is asked for' },
        },
      ),
      series('Erased people', [['max by (service) (suppressions_known)', '{{service}}']], {
        shows: 'Erased people that each service filters against.',
        bad: 'services that differ for long: one does not follow the topic; restart it.',
        ...{ runbook: 'ConsumerLags', unit: 'short' },
      }),
    ),
    row(
      'Views',
      series(
        'Taken',
        [
          [rate('projector_records_total', ['instance']), '{{instance}} records'],
          [rate('projector_edge_changes_total', ['instance']), '{{instance}} friendships'],
        ],
        {
          shows: 'Records of graph.changes taken into memory, and friendships that began or ended with them.',
          bad: 'nothing while the graph is written: the writer is missing or replays.',
          ...{ runbook: 'NoWriterOfViews', unit: 'cps' },
        },
      ),
      series('Behind', [['sum by (instance) (projector_log_lag_records)', '{{instance}}']], {
        shows: 'Records of graph.changes that were not taken yet when the last batch was.',
        bad: 'growth: more comes than one core takes; the projector is one by design.',
        ...{ runbook: 'ConsumerLags', unit: 'short', alarm: 20_000 },
      }),
      series('A flush', percentiles('projector_flush_seconds'), {
        shows:
          'Writing what changed, invalidating caches and announcing it; freshness is about four times this.',
        bad: 'ArangoDB, Redis or Kafka is slow: see failed steps.',
        ...{ runbook: 'NoWriterOfViews', unit: 's' },
      }),
      series('Rows written', [[rate('projector_rows_written_total'), 'rows']], {
        shows: 'Rows of user_profile_read written or removed.',
        bad: 'nothing while records are taken: flushes are put off, the lock is in doubt.',
        ...{ runbook: 'NoWriterOfViews', unit: 'cps' },
      }),
      series(
        'Failed steps',
        [
          [orZero('sum by (step) (increase(projector_failures_total[10m]))'), 'failed {{step}}'],
          [orZero('sum(increase(projector_flushes_suspended_total[10m]))'), 'suspended'],
        ],
        {
          shows:
            'Steps of the writer that failed and are retried, and flushes put off because the lock was in doubt.',
          bad: 'the step names the server that is away.',
          ...{ runbook: 'NoWriterOfViews', unit: 'short' },
        },
      ),
      series(
        'Recounts and rebuilds',
        [
          ['sum by (outcome) (increase(projector_recounts_total[1d]))', 'recounts {{outcome}}'],
          ['sum by (outcome) (increase(projector_rebuilds_total[1d]))', 'rebuilds {{outcome}}'],
        ],
        {
          shows: 'Full recounts and rebuilds of the last day by what came of them.',
          bad: 'different: the views were wrong; failed: the log of the writer says why.',
          ...{ runbook: 'ViewsAreWrong', unit: 'short', emptyUntil: 'somebody asks for a recount' },
        },
      ),
      series(
        'Who writes',
        [
          ['projector_writer', '{{instance}}'],
          ['max(projector_writer_fence)', 'fence'],
        ],
        {
          shows: 'Which instance writes, and the fence, which rises with every takeover.',
          bad: 'a fence that goes on rising: instances take the lock from each other; Redis is slow.',
          ...{ runbook: 'NoWriterOfViews', unit: 'short' },
        },
      ),
      series('Position in the log', [['sum by (instance) (projector_log_position)', '{{instance}}']], {
        shows: 'Offsets of graph.changes of the next records, all partitions together.',
        bad: 'flat while the graph is written: no progress.',
        ...{ runbook: 'ConsumerLags', unit: 'short' },
      }),
      series('Checkpoints', [['sum by (what) (increase(projector_checkpoints_total[1d]))', '{{what}}']], {
        shows: 'Checkpoints written, and taken up at a start.',
        bad: 'none written: a restart replays the whole log.',
        ...{ runbook: 'NoWriterOfViews', unit: 'short', emptyUntil: 'the first checkpoint is due' },
      }),
    ),
  ],
};
