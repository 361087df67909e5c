/** Samples of one series in promtool's notation: `1+2x10` begins with 1 and adds 2 ten times. */
export type Series = Readonly<Record<string, string>>;

export interface AlertCase {
  readonly alert: string;
  /** Looked at after this time; samples are 15 s apart. */
  readonly at: string;
  readonly fires: Series;
  /** Labels of the alert beyond its severity. */
  readonly labels?: Readonly<Record<string, string>>;
  /** The other side of the threshold. Absent where an alert always fires. */
  readonly silent?: Series;
  /** How many alerts come of a fleet of which there is not a single sample. */
  readonly whenAbsent: 'one' | 'several' | 'silent';
}

const counter = (perSample: number, samples: number): string => `0+${perSample}x${samples}`;
const steady = (value: number, samples: number): string => `${value}x${samples}`;
const UP = [
  'key-service',
  'parser-service',
  'graph-storage-service',
  'read-model-projector',
  'identity-service',
  'gateway',
];
const allUp = (but?: string): Series =>
  Object.fromEntries(
    UP.filter((service) => service !== but).map((service) => [`up{service="${service}"}`, steady(1, 40)]),
  );
/** A histogram of one value: everything up to `le`, nothing below. */
const held = (bucket: string): Series => ({
  'lease_hold_seconds_bucket{le="1"}': bucket === '1' ? counter(10, 120) : steady(0, 120),
  'lease_hold_seconds_bucket{le="5"}': bucket === '10' ? steady(0, 120) : counter(10, 120),
  'lease_hold_seconds_bucket{le="10"}': counter(10, 120),
  'lease_hold_seconds_bucket{le="+Inf"}': counter(10, 120),
});

/** Every alert of infra/prometheus/rules, on either side of its threshold. */
export const ALERT_CASES: readonly AlertCase[] = [
  { alert: 'DeadMansSwitch', at: '1m', fires: {}, whenAbsent: 'one' },
  {
    alert: 'InstanceDown',
    at: '5m',
    fires: { 'up{service="key-service",instance="key-service-0"}': steady(0, 40) },
    labels: { service: 'key-service', instance: 'key-service-0' },
    silent: { 'up{service="key-service",instance="key-service-0"}': '0x17 1x20' },
    whenAbsent: 'silent',
  },
  {
    alert: 'ServiceAbsent',
    at: '5m',
    fires: allUp('parser-service'),
    labels: { service: 'parser-service' },
    silent: allUp(),
    whenAbsent: 'several',
  },
  {
    alert: 'EventLoopSlow',
    at: '10m',
    fires: { 'nodejs_eventloop_lag_p99_seconds{service="gateway"}': steady(0.26, 60) },
    labels: { service: 'gateway' },
    silent: { 'nodejs_eventloop_lag_p99_seconds{service="gateway"}': steady(0.25, 60) },
    whenAbsent: 'silent',
  },
  {
    alert: 'BackgroundWorkFails',
    at: '10m',
    fires: { 'worker_errors{service="key-service",work="chores"}': counter(0.3, 60) },
    labels: { service: 'key-service', work: 'chores' },
    silent: { 'worker_errors{service="key-service",work="chores"}': counter(0.2, 60) },
    whenAbsent: 'silent',
  },
  {
    alert: 'ErrorBudgetBurnsFast',
    at: '65m',
    fires: {
      'kong_http_requests_total{code="200"}': counter(985, 280),
      'kong_http_requests_total{code="503"}': counter(15, 280),
    },
    silent: {
      'kong_http_requests_total{code="200"}': counter(986, 280),
      'kong_http_requests_total{code="503"}': counter(14, 280),
    },
    whenAbsent: 'silent',
  },
  {
    alert: 'ErrorBudgetBurnsSlowly',
    at: '6h5m',
    fires: {
      'kong_http_requests_total{code="200"}': counter(9_930, 1_500),
      'kong_http_requests_total{code="502"}': counter(70, 1_500),
    },
    silent: {
      'kong_http_requests_total{code="200"}': counter(9_941, 1_500),
      'kong_http_requests_total{code="502"}': counter(59, 1_500),
    },
    whenAbsent: 'silent',
  },
  {
    alert: 'RateLimitsOff',
    at: '6m',
    // 20 samples of the last 5 min: one request more or less each.
    fires: { gateway_uncounted_requests_total: counter(1, 40) },
    silent: { gateway_uncounted_requests_total: '0x20 1+0x20' },
    whenAbsent: 'silent',
  },
  {
    alert: 'TargetUnhealthy',
    at: '5m',
    fires: {
      'kong_upstream_target_health{upstream="key-service.upstream",address="127.0.0.1:1",state="unhealthy"}':
        steady(1, 40),
    },
    labels: { upstream: 'key-service.upstream', address: '127.0.0.1:1' },
    silent: {
      'kong_upstream_target_health{upstream="key-service.upstream",address="127.0.0.1:1",state="unhealthy"}':
        '0x17 1x20',
    },
    whenAbsent: 'silent',
  },
  {
    alert: 'LimitOverstepped',
    at: '10m',
    fires: {
      'api_calls_total{network="vk",result="answered"}': counter(980, 60),
      'api_calls_total{network="vk",result="error-6"}': counter(20, 60),
    },
    labels: { network: 'vk' },
    silent: {
      'api_calls_total{network="vk",result="answered"}': counter(991, 60),
      'api_calls_total{network="vk",result="error-6"}': counter(9, 60),
    },
    whenAbsent: 'silent',
  },
  {
    alert: 'FewKeysActive',
    at: '10m',
    fires: {
      'api_keys{state="active",instance="a"}': steady(2, 60),
      'api_keys{state="active",instance="b"}': steady(2, 60),
    },
    silent: { 'api_keys{state="active",instance="a"}': steady(3, 60) },
    whenAbsent: 'silent',
  },
  {
    alert: 'KeyBecameInvalid',
    at: '10m',
    fires: { 'api_key_events_total{kind="invalid",code="5"}': '0x10 1x40' },
    silent: { 'api_key_events_total{kind="invalid",code="5"}': steady(3, 60) },
    whenAbsent: 'silent',
  },
  {
    alert: 'CircuitFlaps',
    at: '15m',
    fires: { 'api_circuits_total{scope="network",change="opened"}': counter(0.1, 90) },
    labels: { scope: 'network' },
    silent: { 'api_circuits_total{scope="network",change="opened"}': counter(0.04, 90) },
    whenAbsent: 'silent',
  },
  { alert: 'NetworkSlow', at: '20m', fires: held('10'), silent: held('5'), whenAbsent: 'silent' },
  {
    alert: 'SlotsMissed',
    at: '20m',
    fires: {
      'lease_slots_lost_total{network="vk",cause="too-late"}': counter(6, 120),
      'api_calls_total{network="vk",result="answered"}': counter(100, 120),
    },
    labels: { network: 'vk' },
    silent: {
      'lease_slots_lost_total{network="vk",cause="too-late"}': counter(4, 120),
      'api_calls_total{network="vk",result="answered"}': counter(100, 120),
    },
    whenAbsent: 'silent',
  },
  {
    alert: 'ForgedLeaseRequests',
    at: '10m',
    fires: { 'lease_requests_refused_total{reason="forged"}': counter(0.2, 60) },
    labels: { reason: 'forged' },
    silent: { 'lease_requests_refused_total{reason="forged"}': counter(0.1, 60) },
    whenAbsent: 'silent',
  },
  {
    alert: 'ConsumerLags',
    at: '10m',
    fires: {
      'kafka_consumer_lag_records{group="graph-storage",partition="0"}': steady(10_000, 60),
      'kafka_consumer_lag_records{group="graph-storage",partition="1"}': steady(10_001, 60),
    },
    labels: { group: 'graph-storage' },
    silent: {
      'kafka_consumer_lag_records{group="graph-storage",partition="0"}': steady(10_000, 60),
      'kafka_consumer_lag_records{group="graph-storage",partition="1"}': steady(10_000, 60),
    },
    whenAbsent: 'silent',
  },
  {
    alert: 'ConsumerStandsStill',
    at: '10m',
    fires: {
      'kafka_consumer_lag_seconds{group="graph-storage",topic="t",partition="0"}': steady(0, 60),
      'kafka_consumer_lag_seconds{group="graph-storage",topic="t",partition="1"}': steady(61, 60),
    },
    labels: { group: 'graph-storage', topic: 't' },
    silent: { 'kafka_consumer_lag_seconds{group="graph-storage",topic="t",partition="1"}': steady(60, 60) },
    whenAbsent: 'silent',
  },
  {
    alert: 'OutboxOld',
    at: '10m',
    fires: {
      'outbox_age_seconds{service="parser-service",kind="task",instance="a"}': steady(31, 60),
      'outbox_age_seconds{service="parser-service",kind="task",instance="b"}': steady(30, 60),
    },
    labels: { service: 'parser-service', kind: 'task' },
    silent: { 'outbox_age_seconds{service="parser-service",kind="task",instance="a"}': steady(30, 60) },
    whenAbsent: 'silent',
  },
  {
    alert: 'RecordsDeadLettered',
    at: '10m',
    fires: { 'kafka_dead_lettered_records_total{group="graph-storage",topic="t"}': '0x10 1x40' },
    labels: { group: 'graph-storage', topic: 't' },
    silent: { 'kafka_dead_lettered_records_total{group="graph-storage",topic="t"}': steady(1, 60) },
    whenAbsent: 'silent',
  },
  {
    alert: 'TasksDeadLettered',
    at: '10m',
    fires: { 'rabbit_tasks_total{queue="q",outcome="dead"}': '0x10 1x40' },
    labels: { queue: 'q' },
    silent: {
      'rabbit_tasks_total{queue="q",outcome="dead"}': steady(1, 60),
      'rabbit_tasks_total{queue="q",outcome="retry"}': '0x10 1x40',
    },
    whenAbsent: 'silent',
  },
  {
    alert: 'CallsLostTheirMessage',
    at: '20m',
    fires: { parser_calls_revived_total: '0x10 1x90' },
    silent: { parser_calls_revived_total: steady(1, 100) },
    whenAbsent: 'silent',
  },
  {
    alert: 'AnswersUnreadable',
    at: '10m',
    fires: { 'parser_answers_unreadable_total{network="vk",kind="lists"}': '0x10 1x40' },
    labels: { network: 'vk', kind: 'lists' },
    silent: { 'parser_answers_unreadable_total{network="vk",kind="lists"}': steady(1, 60) },
    whenAbsent: 'silent',
  },
  {
    alert: 'ImportsHaveGaps',
    at: '30m',
    // 120 samples in half an hour.
    fires: { 'parser_gaps_total{cause="gave-up"}': counter(0.1, 130) },
    labels: { cause: 'gave-up' },
    silent: {
      'parser_gaps_total{cause="gave-up"}': counter(0.08, 130),
      'parser_gaps_total{cause="private"}': counter(5, 130),
    },
    whenAbsent: 'silent',
  },
  {
    alert: 'BrokerStopsPublishers',
    at: '5m',
    fires: {
      rabbitmq_alarms_memory_used_watermark: steady(0, 40),
      rabbitmq_alarms_free_disk_space_watermark: steady(1, 40),
    },
    silent: {
      rabbitmq_alarms_memory_used_watermark: steady(0, 40),
      rabbitmq_alarms_free_disk_space_watermark: steady(0, 40),
    },
    whenAbsent: 'silent',
  },
  {
    alert: 'BrokerDiskFillsUp',
    at: '7h',
    // 100 GB less 6 MB or 3.9 MB every 15 s: 148 GB or 96 GB in seven hours and four days.
    fires: {
      rabbitmq_disk_space_available_bytes: '100000000000-6000000x1700',
      rabbitmq_disk_space_available_limit_bytes: steady(50_000_000, 1_700),
    },
    silent: {
      rabbitmq_disk_space_available_bytes: '100000000000-3900000x1700',
      rabbitmq_disk_space_available_limit_bytes: steady(50_000_000, 1_700),
    },
    whenAbsent: 'silent',
  },
  {
    alert: 'StoreDiskFillsUp',
    at: '13h',
    // 100 GB less 6 MB or 3.5 MB every 15 s: 157 GB or 92 GB in thirteen hours and four days.
    fires: {
      'store_disk_available_bytes{store="kafka"}': '100000000000-6000000x3200',
      'store_disk_available_bytes{store="arango"}': '100000000000-3500000x3200',
    },
    labels: { store: 'kafka' },
    silent: {
      'store_disk_available_bytes{store="kafka"}': '100000000000-3500000x3200',
      // A backup of 10 GB after seven hours.
      'store_disk_available_bytes{store="postgres"}': `${steady(100_000_000_000, 1_680)} ${steady(90_000_000_000, 1_520)}`,
    },
    whenAbsent: 'silent',
  },
  {
    alert: 'StoreDiskNearlyFull',
    at: '10m',
    fires: {
      'store_disk_available_bytes{store="kafka"}': steady(9_900_000_000, 60),
      'store_disk_size_bytes{store="kafka"}': steady(100_000_000_000, 60),
    },
    labels: { store: 'kafka' },
    silent: {
      // Little of a large disk is enough, and so is a tenth of a small one.
      'store_disk_available_bytes{store="kafka"}': steady(10_000_000_000, 60),
      'store_disk_size_bytes{store="kafka"}': steady(200_000_000_000, 60),
      'store_disk_available_bytes{store="arango"}': steady(5_000_000_000, 60),
      'store_disk_size_bytes{store="arango"}': steady(50_000_000_000, 60),
    },
    whenAbsent: 'silent',
  },
  {
    alert: 'RedisPoolFillsUp',
    at: '10m',
    fires: {
      'redis_memory_used_bytes{store="redis-pool"}': steady(81, 60),
      'redis_memory_max_bytes{store="redis-pool"}': steady(100, 60),
    },
    labels: { store: 'redis-pool' },
    silent: {
      'redis_memory_used_bytes{store="redis-pool",instance="a"}': steady(80, 60),
      'redis_memory_max_bytes{store="redis-pool",instance="a"}': steady(100, 60),
      // One without a limit, and one that evicts.
      'redis_memory_used_bytes{store="redis-pool",instance="b"}': steady(81, 60),
      'redis_memory_max_bytes{store="redis-pool",instance="b"}': steady(0, 60),
      'redis_memory_used_bytes{store="redis-cache"}': steady(100, 60),
      'redis_memory_max_bytes{store="redis-cache"}': steady(100, 60),
    },
    whenAbsent: 'silent',
  },
  {
    alert: 'RedisTakesTheMachine',
    at: '15m',
    fires: {
      'redis_memory_used_bytes{store="redis-pool",instance="m"}': steady(26, 90),
      'redis_memory_used_bytes{store="redis-cache",instance="m"}': steady(25, 90),
      'redis_total_system_memory_bytes{store="redis-pool",instance="m"}': steady(100, 90),
      'redis_total_system_memory_bytes{store="redis-cache",instance="m"}': steady(100, 90),
    },
    labels: { instance: 'm' },
    silent: {
      'redis_memory_used_bytes{store="redis-pool",instance="m"}': steady(25, 90),
      'redis_memory_used_bytes{store="redis-cache",instance="m"}': steady(25, 90),
      'redis_total_system_memory_bytes{store="redis-pool",instance="m"}': steady(100, 90),
      'redis_total_system_memory_bytes{store="redis-cache",instance="m"}': steady(100, 90),
    },
    whenAbsent: 'silent',
  },
  {
    alert: 'ConnectionsExhausted',
    at: '10m',
    fires: { 'postgres_connections{service="s",pool="app",state="waiting"}': steady(1, 60) },
    labels: { service: 's', pool: 'app', state: 'waiting' },
    silent: {
      'postgres_connections{service="s",pool="app",state="waiting"}': '1x30 0 1x30',
      'postgres_connections{service="s",pool="app",state="busy"}': steady(6, 60),
    },
    whenAbsent: 'silent',
  },
  {
    alert: 'DescriptorsRunOut',
    at: '10m',
    fires: {
      'process_open_fds{service="s"}': steady(81, 60),
      'process_max_fds{service="s"}': steady(100, 60),
    },
    labels: { service: 's' },
    silent: {
      'process_open_fds{service="s"}': steady(80, 60),
      'process_max_fds{service="s"}': steady(100, 60),
    },
    whenAbsent: 'silent',
  },
  {
    alert: 'NoWriterOfViews',
    at: '5m',
    fires: {
      'projector_writer{instance="a"}': steady(1, 40),
      'projector_writer{instance="b"}': steady(1, 40),
    },
    silent: {
      'projector_writer{instance="a"}': steady(1, 40),
      'projector_writer{instance="b"}': steady(0, 40),
    },
    whenAbsent: 'one',
  },
  {
    alert: 'ViewsAreWrong',
    at: '5m',
    fires: { projector_recount_differences: steady(1, 40) },
    silent: { projector_recount_differences: steady(0, 40) },
    whenAbsent: 'silent',
  },
  {
    alert: 'BackupIsOld',
    at: '5m',
    // The clock of a trial begins at 0.
    fires: {
      'backup_last_success_timestamp_seconds{stack="a"}': steady(300 - 93_601, 40),
      process_start_time_seconds: steady(300, 40),
    },
    silent: {
      'backup_last_success_timestamp_seconds{stack="a"}': steady(300 - 93_600, 40),
      process_start_time_seconds: steady(300 - 93_601, 40),
    },
    whenAbsent: 'silent',
  },
];
