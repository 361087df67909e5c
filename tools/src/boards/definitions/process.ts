import { list, orZero, percentiles, rate, row, series, type Panel, type Row } from '../panel';

/** Panels of what every process of Node shows; `selector` says of which. */
export function processPanels(selector: string): Panel[] {
  const of = (name: string): string => (selector === '' ? name : `${name}{${selector}}`);
  return [
    series('CPU', [[`rate(${of('process_cpu_seconds_total')}[$__rate_interval])`, '{{instance}}']], {
      shows: 'Cores that each process uses; Node has one for our code.',
      bad: 'at 1 it cannot do more: start another instance of a service that scales, or look what it computes.',
      ...{ runbook: 'EventLoopSlow', unit: 'none', warn: 0.8, alarm: 1 },
    }),
    series(
      'Event loop, 99th percentile of the delay',
      [[of('nodejs_eventloop_lag_p99_seconds'), '{{instance}}']],
      {
        shows: 'How late timers and answers of a process are.',
        bad: 'the process computes for too long at a time, or the machine has too little CPU for it.',
        ...{ runbook: 'EventLoopSlow', unit: 's', warn: 0.1, alarm: 0.25 },
      },
    ),
    series(
      'Memory',
      [
        [of('process_resident_memory_bytes'), '{{instance}} resident'],
        [of('nodejs_heap_size_used_bytes'), '{{instance}} heap'],
      ],
      {
        shows: 'Memory that each process holds, and how much of it is live objects of JavaScript.',
        bad: 'a floor that rises over hours is a leak: restart the process and keep a heap snapshot of it.',
        ...{ runbook: 'InstanceDown', unit: 'bytes' },
      },
    ),
  ];
}

/** How long garbage collection stops processes, and their descriptors. */
export function processDepths(selector: string): Panel[] {
  return [
    series(
      'Garbage collection',
      [
        [
          `sum by (instance, kind) (rate(nodejs_gc_duration_seconds_sum{${selector}}[$__rate_interval]))`,
          '{{instance}} {{kind}}',
        ],
      ],
      {
        shows: 'Share of time that goes into collecting garbage.',
        bad: 'above a tenth the heap is too small for what it holds: raise the memory limit of the process.',
        ...{ runbook: 'EventLoopSlow', unit: 'percentunit', warn: 0.1 },
      },
    ),
    series('Descriptors', [[`process_open_fds{${selector}}`, '{{instance}}']], {
      shows: 'Open files and sockets.',
      bad: 'growth over hours is a leak of connections: its log says what cannot be closed; restart it.',
      ...{ runbook: 'InstanceDown', unit: 'short' },
    }),
  ];
}

export interface ServiceParts {
  service: string;
  /** It answers requests. */
  http?: boolean;
  /** It consumes Kafka in a group. */
  group?: boolean;
  /** It takes tasks from RabbitMQ. */
  tasks?: boolean;
  /** It has PostgreSQL, and an outbox there. */
  postgres?: boolean;
  /** It does work beside requests and consumers. */
  work?: boolean;
  /** Nothing of it runs unless it is asked for. */
  emptyUntil?: string;
}

/** The rows of every service's board, those that it has something for. */
export function serviceRows(parts: ServiceParts): Row[] {
  const { service, http, group, tasks, postgres, work, emptyUntil } = parts;
  const selector = `service="${service}", instance=~"$instance"`;
  const rows = [
    ...(http === true ? [requests(selector)] : []),
    ...(group === true || tasks === true ? [consumers(selector, parts)] : []),
    ...(work === true || postgres === true ? [background(selector, parts)] : []),
    row(
      'Process',
      list('Instances', [[`up{${selector}}`, '']], {
        shows: 'The processes that Prometheus scrapes; value 1 is up.',
        bad: 'a process that is missing or 0 is away; `npm run status` says why.',
        ...{ runbook: 'InstanceDown', unit: 'short', alarm: 1, low: true, width: 24 },
      }),
      ...processPanels(selector),
      ...processDepths(selector),
      ...(postgres === true ? [connections(selector)] : []),
    ),
  ];
  if (emptyUntil === undefined) return rows;
  return rows.map(({ title, panels }) => ({
    title,
    panels: panels.map((panel) => ({ ...panel, emptyUntil })),
  }));
}

function requests(selector: string): Row {
  const duration = 'http_server_request_duration_seconds';
  return row(
    'Requests',
    series(
      'Rate by route',
      [[rate(`${duration}_count`, ['method', 'route'], selector), '{{method}} {{route}}']],
      {
        shows: 'Requests that this service answers.',
        bad: 'a fall to nothing while others have traffic: the gateway takes it for unhealthy.',
        ...{ runbook: 'TargetUnhealthy', unit: 'reqps' },
      },
    ),
    series(
      'Errors by status',
      [
        [
          rate(`${duration}_count`, ['route', 'status'], `${selector}, status=~"4..|5.."`),
          '{{status}} {{route}}',
        ],
      ],
      {
        shows: 'Answers with 4xx and 5xx.',
        bad: '5xx are ours, look at the log with the correlation id of one; 4xx of one client are that client.',
        ...{ runbook: 'ErrorBudgetBurnsFast', unit: 'reqps', emptyUntil: 'a request is refused' },
      },
    ),
    series('Duration', percentiles(duration, selector), {
      shows: 'Time from the first byte of a request to the last of its answer, streams included.',
      bad: 'follow a point to its trace: the longest span is the server that is slow.',
      ...{ runbook: 'EventLoopSlow', unit: 's', traces: true },
    }),
    series('Tokens refused', [[rate('auth_tokens_refused_total', ['reason'], selector), '{{reason}}']], {
      shows: 'Tokens that this service did not accept although the gateway let them through.',
      bad: 'a spike is an attack, a removed member that goes on, or a clock that is wrong.',
      ...{ runbook: 'ForgedLeaseRequests', unit: 'reqps', emptyUntil: 'a token is refused' },
    }),
  );
}

function consumers(selector: string, { group, tasks }: ServiceParts): Row {
  const kafka = [
    series('Records', [[rate('kafka_consumed_records_total', ['topic'], selector), '{{topic}}']], {
      shows: 'Records of Kafka that the handler was done with.',
      bad: 'nothing while lag grows: the consumer is stuck and ends itself within 10 s, or its store is away.',
      ...{ runbook: 'ConsumerLags', unit: 'cps' },
    }),
    series('Batches', percentiles('kafka_batch_duration_seconds', selector), {
      shows: 'Time that the handler takes for a batch.',
      bad: 'the store behind it is slow: see its own figures.',
      ...{ runbook: 'ConsumerLags', unit: 's', traces: true },
    }),
    series(
      'Lag',
      [
        [`sum by (instance) (kafka_consumer_lag_records{${selector}})`, '{{instance}} records'],
        [`max by (instance) (kafka_consumer_lag_seconds{${selector}})`, '{{instance}} seconds'],
      ],
      {
        shows: 'How far behind the end of its topics it is, in records and in seconds of the oldest of them.',
        bad: 'growth for minutes: more comes than it can store.',
        ...{ runbook: 'ConsumerLags', unit: 'short', alarm: 20_000 },
      },
    ),
  ];
  const rabbit = [
    series('Tasks', [[rate('rabbit_tasks_total', ['queue', 'outcome'], selector), '{{queue}} {{outcome}}']], {
      shows: 'Tasks of RabbitMQ by what became of them.',
      bad: 'growth of retry or dead is work that fails: the dead queue says why.',
      ...{ runbook: 'RecordsDeadLettered', unit: 'cps' },
    }),
    series('Task duration', percentiles('rabbit_task_duration_seconds', selector), {
      shows: 'Time that the handler takes for a task, waits for a key included.',
      bad: 'near 5 s: there are too few keys for what is asked; else the network is slow.',
      ...{ runbook: 'NetworkSlow', unit: 's', traces: true },
    }),
  ];
  return row('Consumers', ...(group === true ? kafka : []), ...(tasks === true ? rabbit : []));
}

function background(selector: string, { postgres }: ServiceParts): Row {
  const outbox = [
    series(
      'Outbox',
      [
        [`max by (kind) (outbox_rows{${selector}})`, '{{kind}} rows'],
        [`max by (kind) (outbox_age_seconds{${selector}})`, '{{kind}} seconds'],
      ],
      {
        shows: 'Rows that wait to be sent to a broker, and the age of the oldest.',
        bad: 'age grows: the broker does not confirm, or nobody relays.',
        ...{ runbook: 'BackgroundWorkFails', unit: 'short', warn: 10, alarm: 60 },
      },
    ),
    series('Relayed', [[orZero(rate('outbox_relayed_total', ['kind'], selector)), '{{kind}}']], {
      shows: 'Rows sent and confirmed.',
      bad: 'nothing while rows wait: see the log of the relay.',
      ...{ runbook: 'BackgroundWorkFails', unit: 'cps' },
    }),
  ];
  return row(
    'Background',
    series('Work that failed', [[`sum by (work) (increase(worker_errors{${selector}}[10m]))`, '{{work}}']], {
      shows: 'Rounds of background work that failed within ten minutes, by kind.',
      bad: 'the log says which server is away; rounds are repeated until they succeed.',
      ...{ runbook: 'BackgroundWorkFails', unit: 'short', alarm: 10, emptyUntil: 'such work fails' },
    }),
    ...(postgres === true ? outbox : []),
  );
}

function connections(selector: string): Panel {
  return series(
    'PostgreSQL',
    [[`sum by (pool, state) (postgres_connections{${selector}})`, '{{pool}} {{state}}']],
    {
      shows: 'Connections of each pool, and callers that wait for one.',
      bad: 'waiting for long: statements are slow, or the pool is too small for the load.',
      ...{ runbook: 'EventLoopSlow', unit: 'short' },
    },
  );
}
