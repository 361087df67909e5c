import { type Board, figure, orZero, percentiles, rate, row, series } from '../panel';

const OURS = 'queue=~"sociograph.+"';

export const MESSAGING: Board = {
  uid: 'sociograph-messaging',
  title: 'Messaging',
  about: 'Does anything wait, fail or get lost between the services?',
  rows: [
    row(
      'Is it well?',
      figure('Records behind', orZero('sum(kafka_consumer_lag_records)'), {
        shows: 'Records behind the end of the topics, all groups together.',
        bad: 'growth for minutes: more comes than is stored.',
        ...{ runbook: 'ConsumerLags', unit: 'short', warn: 5_000, alarm: 20_000 },
      }),
      figure('Oldest that waits', orZero('max(kafka_consumer_lag_seconds)'), {
        shows: 'Age of the oldest record that is read and not done.',
        bad: 'a minute: a consumer is stuck, or its store is away.',
        ...{ runbook: 'ConsumerLags', unit: 's', warn: 15, alarm: 60 },
      }),
      figure('Dead letters, 1 h', orZero('sum(increase(kafka_dead_lettered_records_total[1h]))'), {
        shows: 'Records that could not be processed.',
        bad: 'each is a gap in an import until it is redriven: `npm run redrive`.',
        ...{ runbook: 'RecordsDeadLettered', unit: 'short', alarm: 1 },
      }),
      figure('Dead tasks', orZero('sum(rabbitmq_detailed_queue_messages{queue=~".+[.]dead"})'), {
        shows: 'Tasks in dead queues.',
        bad: 'each says its reason; redrive them once it is mended.',
        ...{ runbook: 'RecordsDeadLettered', unit: 'short', alarm: 1 },
      }),
      figure(
        'Tasks that wait',
        orZero('sum(rabbitmq_detailed_queue_messages_ready{queue=~"sociograph.calls.[a-z]+"})'),
        {
          shows: 'Calls in the work queues that nobody has taken; at most 2 s of work is dispatched ahead.',
          bad: 'hundreds: no worker takes them.',
          ...{ runbook: 'CallsLostTheirMessage', unit: 'short', warn: 500 },
        },
      ),
      figure('Outbox, oldest', 'max(outbox_age_seconds)', {
        shows: 'Age of the oldest row that waits to be sent to a broker.',
        bad: 'growth: the broker does not confirm, or nobody relays.',
        ...{ runbook: 'BackgroundWorkFails', unit: 's', warn: 10, alarm: 60 },
      }),
    ),
    row(
      'Kafka',
      series(
        'Consumed',
        [[rate('kafka_consumed_records_total', ['group', 'topic']), '{{group}} {{topic}}']],
        {
          shows: 'Records that handlers were done with.',
          bad: 'nothing while lag grows: the consumer is stuck and ends itself within 10 s, or its store is away.',
          ...{ runbook: 'ConsumerLags', unit: 'cps' },
        },
      ),
      series(
        'Records behind',
        [['sum by (group, topic) (kafka_consumer_lag_records)', '{{group}} {{topic}}']],
        {
          shows: 'Records behind the end of each topic when it was last read.',
          bad: 'growth for minutes: more comes than is stored.',
          ...{ runbook: 'ConsumerLags', unit: 'short', alarm: 20_000 },
        },
      ),
      series(
        'Oldest that waits',
        [['max by (group, topic) (kafka_consumer_lag_seconds)', '{{group}} {{topic}}']],
        {
          shows: 'Age of the oldest record that was read, or is known to wait, and is not done.',
          bad: 'growth in a straight line: nothing moves at all.',
          ...{ runbook: 'ConsumerLags', unit: 's', alarm: 60 },
        },
      ),
      series('A batch', percentiles('kafka_batch_duration_seconds', '', ['group']), {
        shows: 'Time that handlers take for a batch.',
        bad: 'the store behind the group is slow. A point leads to its trace.',
        ...{ runbook: 'ConsumerLags', unit: 's', traces: true },
      }),
      series('Failed tries', [['sum by (group) (increase(kafka_batch_failures_total[10m]))', '{{group}}']], {
        shows: 'Tries of a batch that threw.',
        bad: 'many: the store is away; a few: a record that nobody can process, which goes to a dead-letter topic.',
        ...{ runbook: 'RecordsDeadLettered', unit: 'short', emptyUntil: 'a batch fails' },
      }),
      series(
        'Dead letters',
        [['sum by (group, topic) (increase(kafka_dead_lettered_records_total[1h]))', '{{group}} {{topic}}']],
        {
          shows: 'Records written to dead-letter topics within the last hour.',
          bad: 'read the reason in the headers, mend it, `npm run redrive`.',
          ...{
            runbook: 'RecordsDeadLettered',
            unit: 'short',
            alarm: 1,
            emptyUntil: 'a record cannot be processed',
          },
        },
      ),
    ),
    row(
      'RabbitMQ',
      series('Queues', [[`sum by (queue) (rabbitmq_detailed_queue_messages{${OURS}})`, '{{queue}}']], {
        shows: 'Messages of each queue, those given out included.',
        bad: 'a retry queue that fills: work fails and is tried again; a work queue: nobody takes it.',
        ...{ runbook: 'CallsLostTheirMessage', unit: 'short' },
      }),
      series(
        'Given out',
        [[`sum by (queue) (rabbitmq_detailed_queue_messages_unacked{${OURS}})`, '{{queue}}']],
        {
          shows: 'Messages that a consumer has and did not acknowledge: calls in flight.',
          bad: 'flat at the prefetch limit without done tasks: workers hang.',
          ...{ runbook: 'CallsLostTheirMessage', unit: 'short' },
        },
      ),
      series('Tasks', [[rate('rabbit_tasks_total', ['queue', 'outcome']), '{{queue}} {{outcome}}']], {
        shows: 'Tasks by what became of them.',
        bad: 'growth of retry or dead is work that fails.',
        ...{ runbook: 'RecordsDeadLettered', unit: 'cps' },
      }),
      series('A task', percentiles('rabbit_task_duration_seconds', '', ['queue']), {
        shows: 'Time that the handler takes, waits for a key included.',
        bad: 'near 5 s: there are too few keys for what is asked; else the network is slow.',
        ...{ runbook: 'NetworkSlow', unit: 's', traces: true },
      }),
      series('Connections', [['rabbitmq_connections', '{{instance}}']], {
        shows: 'Open connections of the broker.',
        bad: 'growth without end: a process opens new ones again and again; see restarts.',
        ...{ runbook: 'InstanceDown', unit: 'short' },
      }),
      series('Leases', [['sum by (instance) (queue_length)', '{{instance}}']], {
        shows: 'Requests for leases that wait for a slot in key-service.',
        bad: 'hundreds for minutes: more is asked than the keys allow.',
        ...{ runbook: 'FewKeysActive', unit: 'short', warn: 200 },
      }),
    ),
    row(
      'Outbox',
      series('Rows that wait', [['max by (service, kind) (outbox_rows)', '{{service}} {{kind}}']], {
        shows: 'Rows that wait to be sent to a broker.',
        bad: 'growth: the broker does not confirm, or nobody relays.',
        ...{ runbook: 'BackgroundWorkFails', unit: 'short' },
      }),
      series('Age', [['max by (service, kind) (outbox_age_seconds)', '{{service}} {{kind}}']], {
        shows: 'Age of the oldest of them.',
        bad: 'a straight line upwards: tasks wait for RabbitMQ, events for Kafka.',
        ...{ runbook: 'BackgroundWorkFails', unit: 's', warn: 10, alarm: 60 },
      }),
      series('Relayed', [[rate('outbox_relayed_total', ['service', 'kind']), '{{service}} {{kind}}']], {
        shows: 'Rows sent and confirmed.',
        bad: 'nothing while rows wait: see the log of the relay.',
        ...{ runbook: 'BackgroundWorkFails', unit: 'cps' },
      }),
    ),
  ],
};
