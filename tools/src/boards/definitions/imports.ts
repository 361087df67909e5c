import { type Board, figure, orZero, percentiles, rate, row, series } from '../panel';

export const IMPORTS: Board = {
  uid: 'sociograph-imports',
  title: 'Imports',
  about: 'Do imports get on, and is everything that they should bring there?',
  rows: [
    row(
      'How many?',
      figure('Running', 'max(parser_imports{state="running"})', {
        shows: 'Imports that are worked on.',
        bad: 'running without progress below: no key, or RabbitMQ is away.',
        ...{ runbook: 'FewKeysActive', unit: 'short' },
      }),
      figure('Settling', 'max(parser_imports{state="settling"})', {
        shows: 'Imports that have everything and wait for the views.',
        bad: 'for minutes: the views do not catch up.',
        ...{ runbook: 'NoWriterOfViews', unit: 'short', warn: 3 },
      }),
      figure('Failed', 'max(parser_imports{state="failed"})', {
        shows: 'Imports that ended without being complete.',
        bad: 'the certificate of each says what is missing and why.',
        ...{ runbook: 'AnswersUnreadable', unit: 'short', warn: 1 },
      }),
      figure('Gaps, people', 'max(parser_import_gaps{of="people"})', {
        shows: 'People that imports asked for and did not get.',
        bad: 'deleted and banned people are usual; causes are below.',
        ...{ runbook: 'AnswersUnreadable', unit: 'short' },
      }),
      figure('Gaps, lists', 'max(parser_import_gaps{of="lists"})', {
        shows: 'Lists that imports asked for and did not get.',
        bad: 'private lists are usual; causes are below.',
        ...{ runbook: 'AnswersUnreadable', unit: 'short' },
      }),
      figure('Held back', 'max(parser_dispatch_held_back)', {
        shows: '1 while nothing is dispatched because the graph store is far behind.',
        bad: 'it begins again by itself; the store is the bound.',
        ...{ runbook: 'ConsumerLags', unit: 'short', warn: 1 },
      }),
    ),
    row(
      'Flow',
      series(
        'Calls',
        [
          [rate('parser_calls_dispatched_total'), 'dispatched'],
          [rate('parser_calls_performed_total', ['performance']), '{{performance}}'],
        ],
        {
          shows: 'Calls sent to the queue, and what became of them.',
          bad: 'put-back grows: keys do not suffice; dispatched without done: RabbitMQ or the workers stand.',
          ...{ runbook: 'CallsLostTheirMessage', unit: 'cps' },
        },
      ),
      series('Sent', [[rate('parser_calls_sent_total', ['kind', 'outcome']), '{{kind}} {{outcome}}']], {
        shows: 'Calls by method and by what the way to the network did.',
        bad: 'missed: slots are lost; broken: connections to the network break.',
        ...{ runbook: 'NetworkSlow', unit: 'cps' },
      }),
      series(
        'Fill of packs',
        [
          [
            `${rate('parser_items_called_total', ['kind'])} / ${rate('parser_calls_sent_total', ['kind'])}`,
            '{{kind}}',
          ],
        ],
        {
          shows: 'Items in one call; up to 25 lists or 1,000 people fit.',
          bad: 'small packs while much is known: answers were too large, and packs were halved.',
          ...{ runbook: 'AnswersUnreadable', unit: 'short' },
        },
      ),
      series('A call', percentiles('parser_call_seconds'), {
        shows: 'From its message to its commit, waits for a key included.',
        bad: 'near 5 s: too few keys; else the network or PostgreSQL is slow. A point leads to its trace.',
        ...{ runbook: 'NetworkSlow', unit: 's', traces: true },
      }),
      series('Wait for a lease', percentiles('parser_lease_wait_seconds'), {
        shows: 'From asking for a lease to the verdict.',
        bad: 'long with idle keys: the pool is slow.',
        ...{ runbook: 'FewKeysActive', unit: 's' },
      }),
      series('In hand', [['sum by (instance) (parser_calls_in_hand)', '{{instance}}']], {
        shows: 'Calls that a process has taken and not finished.',
        bad: 'at its most without sends: it waits for keys.',
        ...{ runbook: 'FewKeysActive', unit: 'short' },
      }),
      series('Observed', [[rate('graph_observations_total', ['kind']), '{{kind}}']], {
        shows: 'People, lists and posts that reach the graph.',
        bad: 'nothing while calls are done: graph-storage-service stands.',
        ...{ runbook: 'ConsumerLags', unit: 'cps' },
      }),
      series('Not applied yet', [['max(parser_unapplied_edges)', 'friendships']], {
        shows: 'Friendships that were published and that some view does not show yet, about.',
        bad: 'above 250,000 nothing is dispatched until the store has caught up.',
        ...{ runbook: 'ConsumerLags', unit: 'short', alarm: 250_000 },
      }),
      series('Completed', orZero('sum(increase(parser_imports_completed_total[1h]))'), {
        shows: 'Imports that were completed within the last hour.',
        bad: 'none while imports settle: the views stand.',
        ...{ runbook: 'NoWriterOfViews', unit: 'short' },
      }),
    ),
    row(
      'What is in the way',
      series('Gaps by cause', [['sum by (cause) (increase(parser_gaps_total[1h]))', '{{cause}}']], {
        shows: 'Items that calls ended as gaps within the last hour.',
        bad: 'gave-up: something failed again and again, see tasks; unreadable: the network changed its answers.',
        ...{
          runbook: 'AnswersUnreadable',
          unit: 'short',
          emptyUntil: 'somebody is private, deleted or banned',
        },
      }),
      series(
        'Answers that nobody can read',
        [['sum by (network, kind) (increase(parser_answers_unreadable_total[1h]))', '{{network}} {{kind}}']],
        {
          shows: 'Items whose answer had another shape than documented.',
          bad: 'the network changed its API: the log names the field.',
          ...{
            runbook: 'AnswersUnreadable',
            unit: 'short',
            alarm: 1,
            emptyUntil: 'an answer has another shape',
          },
        },
      ),
      series(
        'Buried and revived',
        [
          [orZero('sum(increase(parser_calls_revived_total[1h]))'), 'revived'],
          [orZero('sum(increase(parser_calls_buried_total[1h]))'), 'buried or parted'],
          [orZero('sum(increase(parser_settles_given_up_total[1h]))'), 'settles given up'],
        ],
        {
          shows:
            'Calls put back because their message was lost, calls that could only fail, leases whose end the pool missed.',
          bad: 'revived: look at RabbitMQ; buried: the dead queue says why.',
          ...{ runbook: 'CallsLostTheirMessage', unit: 'short', alarm: 1 },
        },
      ),
      series('Sent late', orZero('sum by (network) (increase(slots_sent_late_total[1h]))'), {
        shows: 'Calls that left after their slot although they were checked in it.',
        bad: 'the process was frozen between the check and the write: the machine is overcommitted.',
        ...{ runbook: 'SlotsMissed', unit: 'short', alarm: 1 },
      }),
      series('Streams', [['sum by (instance) (parser_streams_open)', '{{instance}}']], {
        shows: 'Streams of events that are open.',
        bad: 'growth without end: a client opens and does not close; each workspace has a limit.',
        ...{ runbook: 'EventLoopSlow', unit: 'short' },
      }),
      series('Rows deleted', [[orZero(rate('parser_rows_deleted_total')), 'rows']], {
        shows: 'Rows of old imports and calls that are removed.',
        bad: 'nothing for days: retention fails, see background work.',
        ...{ runbook: 'BackgroundWorkFails', unit: 'cps' },
      }),
    ),
  ],
};
