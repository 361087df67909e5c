import { type Board, figure, orZero, row, series } from '../panel';
import { processPanels } from './process';

export const CAPACITY: Board = {
  uid: 'sociograph-capacity',
  title: 'Capacity',
  about: 'What is nearly used up, and when will it be?',
  rows: [
    row(
      'Nearest to its end',
      figure('Busiest core', 'max(rate(process_cpu_seconds_total[$__rate_interval]))', {
        shows: 'CPU of the busiest process; Node has one core for our code.',
        bad: 'at 1: see which below; services that scale get another instance.',
        ...{ runbook: 'EventLoopSlow', unit: 'none', warn: 0.8, alarm: 1 },
      }),
      figure('Callers without a connection', orZero('sum(postgres_connections{state="waiting"})'), {
        shows: 'Callers that wait for a connection to PostgreSQL.',
        bad: 'for long: statements are slow, or a pool is too small.',
        ...{ runbook: 'ConnectionsExhausted', unit: 'short', warn: 1, alarm: 10 },
      }),
      figure(
        'Broker, memory',
        'max(rabbitmq_process_resident_memory_bytes / rabbitmq_resident_memory_limit_bytes)',
        {
          shows: 'Share of the memory at which RabbitMQ stops publishers.',
          bad: 'queues hold too much: see the board of messaging.',
          ...{ runbook: 'BrokerStopsPublishers', unit: 'percentunit', warn: 0.7, alarm: 0.9 },
        },
      ),
      figure(
        'Broker, free disk in a week',
        'min(predict_linear(rabbitmq_disk_space_available_bytes[1h], 7 * 86400))',
        {
          shows: 'Free disk of RabbitMQ in seven days if it goes on as in the last hour.',
          bad: 'below zero: it stops publishers before; find what fills the disk.',
          ...{ runbook: 'BrokerDiskFillsUp', unit: 'bytes', warn: 5e9, alarm: 0, low: true },
        },
      ),
      figure(
        'Broker alarms',
        'max(rabbitmq_alarms_memory_used_watermark) + max(rabbitmq_alarms_free_disk_space_watermark)',
        {
          shows: 'RabbitMQ stops publishers for want of memory or disk.',
          bad: 'nothing is dispatched until it has room again.',
          ...{ runbook: 'BrokerStopsPublishers', unit: 'short', alarm: 1 },
        },
      ),
      figure('Descriptors', 'max(process_open_fds / process_max_fds)', {
        shows: 'Share of the descriptors that a process may open, of the one with the most.',
        bad: 'a leak of connections, or `ulimit -n` is small.',
        ...{ runbook: 'DescriptorsRunOut', unit: 'percentunit', warn: 0.7, alarm: 0.9 },
      }),
      figure(
        'redis-pool, memory',
        'max(redis_memory_used_bytes{store="redis-pool"} / (redis_memory_max_bytes > 0))',
        {
          shows: 'Share of the memory that redis-pool may take.',
          bad: 'at 1 it refuses writes, and no key can be leased.',
          ...{ runbook: 'RedisPoolFillsUp', unit: 'percentunit', warn: 0.7, alarm: 0.8 },
        },
      ),
      figure(
        'Both Redis, of the machine',
        'max(sum by (instance) (redis_memory_used_bytes) / max by (instance) (redis_total_system_memory_bytes))',
        {
          shows: "Share of their machine's memory that both Redis hold.",
          bad: 'the kernel ends somebody when there is none left.',
          ...{ runbook: 'RedisTakesTheMachine', unit: 'percentunit', warn: 0.4, alarm: 0.5 },
        },
      ),
      figure('Free disk, least', 'min(store_disk_available_bytes / store_disk_size_bytes)', {
        shows: 'Share of the disk that is free, of the store with the least.',
        bad: 'make room, or give the store a larger disk.',
        ...{ runbook: 'StoreDiskNearlyFull', unit: 'percentunit', warn: 0.2, alarm: 0.1, low: true },
      }),
      figure(
        'Days of disk left',
        'min(store_disk_available_bytes / (-deriv(store_disk_available_bytes[6h]) > 0)) / 86400',
        {
          shows: 'Days until the first disk is full at the pace of the last six hours.',
          bad: 'below 4: find what fills it.',
          ...{ runbook: 'StoreDiskFillsUp', unit: 'short', warn: 14, alarm: 4, low: true },
          emptyUntil: 'free disk gets less',
        },
      ),
    ),
    row('Processes', ...processPanels('')),
    row(
      'Memory',
      series('Growth', [['deriv(process_resident_memory_bytes[30m]) * 3600', '{{instance}}']], {
        shows: 'Bytes an hour by which each process grows.',
        bad: 'steady growth without more data is a leak.',
        ...{ runbook: 'InstanceDown', unit: 'bytes' },
      }),
      series(
        'Garbage collection',
        [['sum by (instance) (rate(nodejs_gc_duration_seconds_sum[$__rate_interval]))', '{{instance}}']],
        {
          shows: 'Share of time that goes into collecting garbage.',
          bad: 'above a tenth the heap is too small for what it holds.',
          ...{ runbook: 'EventLoopSlow', unit: 'percentunit', warn: 0.1 },
        },
      ),
      series('Friendships in memory', [['max(projector_friendships)', 'friendships']], {
        shows: 'What the projector holds; docs/scaling.md says how much fits.',
        bad: 'near 10^8: give workspaces to several writers.',
        ...{ runbook: 'NoWriterOfViews', unit: 'short', alarm: 1e8 },
      }),
    ),
    row(
      'Connections',
      series(
        'PostgreSQL',
        [
          [
            'sum by (service, pool, state) (postgres_connections{state!="idle"})',
            '{{service}} {{pool}} {{state}}',
          ],
        ],
        {
          shows: 'Connections in use, and callers that wait for one.',
          bad: 'waiting for long: statements are slow, or the pool is too small.',
          ...{ runbook: 'ConnectionsExhausted', unit: 'short' },
        },
      ),
      series(
        "Keycloak's database",
        [
          ['agroal_active_count', 'in use'],
          ['agroal_awaiting_count', 'waiting'],
        ],
        {
          shows: 'Connections of Keycloak to its database.',
          bad: 'waiting: sign-ins are slow; tokens that are out go on working.',
          ...{ runbook: 'InstanceDown', unit: 'short' },
        },
      ),
      series('RabbitMQ', [['rabbitmq_connections', '{{instance}}']], {
        shows: 'Open connections of the broker.',
        bad: 'growth without end: a process opens new ones again and again.',
        ...{ runbook: 'InstanceDown', unit: 'short' },
      }),
    ),
    row(
      'Servers',
      series(
        'Broker',
        [
          ['rabbitmq_process_resident_memory_bytes', 'memory'],
          ['rabbitmq_resident_memory_limit_bytes', 'publishers stop at'],
        ],
        {
          shows: 'Memory of RabbitMQ and its limit.',
          bad: 'queues hold too much: see the board of messaging.',
          ...{ runbook: 'BrokerStopsPublishers', unit: 'bytes' },
        },
      ),
      series(
        'Broker, free disk',
        [
          ['rabbitmq_disk_space_available_bytes', 'free'],
          ['rabbitmq_disk_space_available_limit_bytes', 'publishers stop at'],
        ],
        {
          shows: 'Free disk where RabbitMQ keeps its queues; natively all servers share it.',
          bad: "find what fills the disk; Kafka's retention is the usual one.",
          ...{ runbook: 'BrokerDiskFillsUp', unit: 'bytes' },
        },
      ),
      series('Free disk of the stores', [['store_disk_available_bytes', '{{store}}']], {
        shows: 'Free disk under the data of each store; natively all share one.',
        bad: 'find which of them grows.',
        ...{ runbook: 'StoreDiskFillsUp', unit: 'bytes', alarm: 10e9, low: true },
      }),
      series('Data of the stores', [['store_data_bytes', '{{store}}']], {
        shows: 'Disk that each store takes, counted every minute.',
        bad: 'growth without imports: retention or compaction does not run.',
        ...{ runbook: 'StoreDiskFillsUp', unit: 'bytes' },
      }),
      series(
        'Memory of Redis',
        [
          ['redis_memory_used_bytes', '{{store}}'],
          ['redis_memory_max_bytes', '{{store}}, at most'],
        ],
        {
          shows: 'Memory that both Redis hold, and may.',
          bad: 'redis-pool near its limit; redis-cache is meant to reach it.',
          ...{ runbook: 'RedisPoolFillsUp', unit: 'bytes' },
        },
      ),
      series('Series of Prometheus', [['prometheus_tsdb_head_series', 'series']], {
        shows: 'Series that Prometheus holds.',
        bad: 'growth without end: some label has no bound.',
        ...{ runbook: 'ServiceAbsent', unit: 'short' },
      }),
      series('Scrapes', [['max by (service) (scrape_duration_seconds)', '{{service}}']], {
        shows: 'How long each target takes to show its metrics; 4 s is the end.',
        bad: 'the process is too busy to answer.',
        ...{ runbook: 'EventLoopSlow', unit: 's', alarm: 4 },
      }),
    ),
  ],
};
