const SERVICES = [
  'key-service',
  'parser-service',
  'graph-storage-service',
  'read-model-projector',
  'identity-service',
] as const;

/** Programs that have a context of service-host, and with it the metrics of every process of Node. */
export const HOSTED: readonly string[] = [...SERVICES, 'analytics'];

/** Files of libs that declare metrics, and the programs that show them; `e2e/telemetry.spec.ts` asks the running ones. */
export const SHARED: Readonly<Record<string, readonly string[]>> = {
  'libs/service-host/src/edge-adapter.ts': SERVICES,
  'libs/auth/src/admission.ts': SERVICES,
  'libs/observability/src/handled.ts': ['graph-storage-service', 'analytics'],
  'libs/observability/src/worker-errors.ts': SERVICES,
  'libs/messaging/src/batch-metrics.ts': ['graph-storage-service', 'identity-service', 'analytics'],
  'libs/messaging/src/task-consumer.ts': ['parser-service'],
  'libs/messaging/src/outbox-relay.ts': ['key-service', 'parser-service', 'identity-service'],
  'libs/messaging/src/outbox-figures.ts': ['key-service', 'parser-service', 'identity-service'],
  'libs/postgres/src/report-connections.ts': ['key-service', 'parser-service', 'identity-service'],
  'libs/suppression/src/follow-suppressions.ts': [
    'parser-service',
    'graph-storage-service',
    'read-model-projector',
    'analytics',
  ],
};

/** What prom-client shows of every process of Node: name, type, labels, meaning. On Linux; elsewhere some are missing. */
export const OF_NODE: readonly (readonly ['counter' | 'gauge' | 'histogram', string, string, string])[] = [
  ['counter', 'process_cpu_user_seconds_total', '', 'CPU time in our code'],
  ['counter', 'process_cpu_system_seconds_total', '', 'CPU time in the kernel'],
  [
    'counter',
    'process_cpu_seconds_total',
    '',
    'CPU time; a rate near 1 is a busy core, and Node has one for our code',
  ],
  ['gauge', 'process_start_time_seconds', '', 'When it started; a change is a restart'],
  ['gauge', 'process_resident_memory_bytes', '', 'Memory that it really holds; growth over hours is a leak'],
  ['gauge', 'process_virtual_memory_bytes', '', 'Address space, most of it never touched'],
  ['gauge', 'process_heap_bytes', '', 'Data segment of the process'],
  ['gauge', 'process_open_fds', '', 'Open descriptors; growth over hours is a leak of connections'],
  ['gauge', 'process_max_fds', '', 'Descriptors that it may open'],
  ['gauge', 'nodejs_eventloop_lag_seconds', '', 'Lateness of a timer at the scrape'],
  [
    'gauge',
    'nodejs_eventloop_lag_min_seconds',
    '',
    'Delay of the event loop since the last scrape: the smallest',
  ],
  [
    'gauge',
    'nodejs_eventloop_lag_max_seconds',
    '',
    'the largest; seconds are a long computation or a frozen process',
  ],
  ['gauge', 'nodejs_eventloop_lag_mean_seconds', '', 'the mean'],
  ['gauge', 'nodejs_eventloop_lag_stddev_seconds', '', 'the standard deviation'],
  ['gauge', 'nodejs_eventloop_lag_p50_seconds', '', 'the median'],
  ['gauge', 'nodejs_eventloop_lag_p90_seconds', '', 'nine tenths are below'],
  [
    'gauge',
    'nodejs_eventloop_lag_p99_seconds',
    '',
    '99 of 100 are below; above 0.25 everything answers late',
  ],
  ['gauge', 'nodejs_active_resources', 'type', 'What keeps the event loop alive, by type'],
  ['gauge', 'nodejs_active_resources_total', '', 'all types together; growth over hours is a leak'],
  ['gauge', 'nodejs_active_handles', 'type', 'Sockets, servers, timers of libuv, by type'],
  ['gauge', 'nodejs_active_handles_total', '', 'all types together'],
  ['gauge', 'nodejs_active_requests', 'type', 'Requests of libuv under way, by type'],
  ['gauge', 'nodejs_active_requests_total', '', 'all types together'],
  ['gauge', 'nodejs_heap_size_total_bytes', '', 'Heap that V8 has taken'],
  ['gauge', 'nodejs_heap_size_used_bytes', '', 'Heap in use; a floor that rises over hours is a leak'],
  ['gauge', 'nodejs_external_memory_bytes', '', 'Memory beside the heap: buffers'],
  ['gauge', 'nodejs_heap_space_size_total_bytes', 'space', 'Heap that V8 has taken, by space'],
  ['gauge', 'nodejs_heap_space_size_used_bytes', 'space', 'Heap in use, by space'],
  ['gauge', 'nodejs_heap_space_size_available_bytes', 'space', 'Room left, by space'],
  ['gauge', 'nodejs_version_info', 'version, major, minor, patch', 'Which Node it is'],
  [
    'histogram',
    'nodejs_gc_duration_seconds',
    'kind',
    'Garbage collections; long major ones stop the process meanwhile',
  ],
];

/** Series that we do not make, and that boards and rules use: name, who makes it, meaning. */
export const OF_SERVERS: readonly (readonly [string, string, string])[] = [
  ['up', 'Prometheus', '1 when the last scrape of a target worked'],
  ['ALERTS', 'Prometheus', 'One series for each alert that is pending or fires'],
  ['scrape_duration_seconds', 'Prometheus', 'How long a target took to show its metrics'],
  [
    'prometheus_tsdb_head_series',
    'Prometheus',
    'Series in memory; growth without end is a label without bound',
  ],
  [
    'rabbitmq_detailed_queue_messages',
    'RabbitMQ',
    'Messages of a queue, those given out included; labels vhost, queue',
  ],
  ['rabbitmq_detailed_queue_messages_ready', 'RabbitMQ', 'Messages of a queue that nobody has taken'],
  ['rabbitmq_detailed_queue_messages_unacked', 'RabbitMQ', 'Messages given out and not acknowledged'],
  ['rabbitmq_connections', 'RabbitMQ', 'Open connections'],
  ['rabbitmq_process_resident_memory_bytes', 'RabbitMQ', 'Memory of the broker'],
  ['rabbitmq_resident_memory_limit_bytes', 'RabbitMQ', 'From here on it stops publishers'],
  ['rabbitmq_disk_space_available_bytes', 'RabbitMQ', 'Free disk where it keeps its queues'],
  ['rabbitmq_disk_space_available_limit_bytes', 'RabbitMQ', 'Below this it stops publishers'],
  ['rabbitmq_alarms_memory_used_watermark', 'RabbitMQ', '1: publishers are stopped for want of memory'],
  ['rabbitmq_alarms_free_disk_space_watermark', 'RabbitMQ', '1: publishers are stopped for want of disk'],
  ['store_disk_available_bytes', 'the stack', 'Free disk under the data of a store; label store'],
  ['store_disk_size_bytes', 'the stack', 'Size of that disk'],
  ['store_data_bytes', 'the stack', 'Disk that the data of a store takes, counted every minute'],
  ['redis_memory_used_bytes', 'the stack', 'Memory of the data of a Redis; as redis_exporter names it'],
  ['redis_memory_max_bytes', 'the stack', 'From here on it refuses (pool) or evicts (cache); 0: no limit'],
  ['redis_total_system_memory_bytes', 'the stack', 'Memory of the machine of a Redis'],
  ['backup_last_success_timestamp_seconds', '`npm run backup`', 'When the newest backup was begun'],
  ['agroal_active_count', 'Keycloak', 'Connections to its database in use'],
  ['agroal_awaiting_count', 'Keycloak', 'Threads that wait for one'],
];
