import { type Board, figure, orZero, percentiles, quantile, rate, row, series } from '../panel';

export const GATEWAY: Board = {
  uid: 'sociograph-gateway',
  title: 'Gateway',
  about: 'Are clients answered, how fast, and who is to blame if not?',
  rows: [
    row(
      'Is it well?',
      figure('Requests', orZero(rate('kong_http_requests_total')), {
        shows: 'Requests of all clients.',
        bad: 'nothing: clients get no tokens, or do not reach the gateway.',
        ...{ runbook: 'ErrorBudgetBurnsFast', unit: 'reqps' },
      }),
      figure('Failed, 5 min', '(gateway:errors:ratio5m or vector(0))', {
        shows: 'Share of requests that were answered with 5xx.',
        bad: 'see by service below.',
        ...{ runbook: 'ErrorBudgetBurnsFast', unit: 'percentunit', warn: 0.001, alarm: 0.0144 },
      }),
      figure('Failed, 6 h', '(gateway:errors:ratio6h or vector(0))', {
        shows: 'Share of requests of the last six hours that were answered with 5xx.',
        bad: "above 0.6 % the month's budget is gone in five days.",
        ...{ runbook: 'ErrorBudgetBurnsSlowly', unit: 'percentunit', warn: 0.001, alarm: 0.006 },
      }),
      figure(
        'Targets that are unhealthy',
        orZero('count(kong_upstream_target_health{state="unhealthy"} == 1)'),
        {
          shows: 'Instances of services that get no requests.',
          bad: 'the instance is away or does not answer probes.',
          ...{ runbook: 'TargetUnhealthy', unit: 'short', alarm: 1 },
        },
      ),
      figure('Uncounted, 5 min', orZero('sum(increase(gateway_uncounted_requests_total[5m]))'), {
        shows: 'Requests that were let through without a rate limit.',
        bad: 'the Redis of the counters does not answer.',
        ...{ runbook: 'RateLimitsOff', unit: 'short', warn: 1, alarm: 10 },
      }),
      figure('Signing keys', 'min(gateway_signing_keys)', {
        shows: 'Keys of Keycloak that the gateways are given.',
        bad: '0: nobody gets in; Keycloak does not answer the reconciler.',
        ...{ runbook: 'ErrorBudgetBurnsFast', unit: 'short', alarm: 1, low: true },
      }),
    ),
    row(
      'Traffic',
      series(
        'By service',
        [[rate('kong_http_requests_total', ['exported_service']), '{{exported_service}}']],
        {
          shows: 'Requests by the service behind.',
          bad: 'one falls to nothing: its targets are unhealthy.',
          ...{ runbook: 'TargetUnhealthy', unit: 'reqps' },
        },
      ),
      series('By status', [[rate('kong_http_requests_total', ['code']), '{{code}}']], {
        shows: 'Requests by status.',
        bad: '401 of all: signing keys; 429: a client without pause; 5xx: next panel.',
        ...{ runbook: 'ErrorBudgetBurnsFast', unit: 'reqps' },
      }),
      series(
        'Failed, by who answered',
        [
          [
            rate('kong_http_requests_total', ['exported_service', 'source', 'code'], 'code=~"5.."'),
            '{{exported_service}} {{source}} {{code}}',
          ],
        ],
        {
          shows: 'Answers with 5xx; source kong is the gateway itself, because nobody is behind it.',
          bad: "source service: that service's board and log.",
          ...{ runbook: 'ErrorBudgetBurnsFast', unit: 'reqps', emptyUntil: 'a request fails' },
        },
      ),
      series('By route', [[rate('kong_http_requests_total', ['route']), '{{route}}']], {
        shows: 'Requests by route.',
        bad: 'one route alone grows: see which client it is in the access log.',
        ...{ runbook: 'RateLimitsOff', unit: 'reqps' },
      }),
      series(
        'Bandwidth',
        [['sum by (direction) (rate(kong_bandwidth_bytes[$__rate_interval]))', '{{direction}}']],
        {
          shows: 'Bytes in and out.',
          bad: 'egress grows without requests: exports or large pages.',
          ...{ runbook: 'RateLimitsOff', unit: 'Bps' },
        },
      ),
      series(
        'Requests under way',
        [['sum by (instance) (kong_nginx_connections_total{state="active"})', '{{instance}}']],
        {
          shows: 'Requests that are being answered, streams included.',
          bad: 'growth without end: a service does not answer and clients wait.',
          ...{ runbook: 'TargetUnhealthy', unit: 'short' },
        },
      ),
    ),
    row(
      'Time',
      series('Whole', percentiles('kong_request_latency_ms'), {
        shows: 'From the first byte of a request to the last of its answer.',
        bad: 'see which part below.',
        ...{ runbook: 'EventLoopSlow', unit: 'ms', warn: 250, alarm: 1_000 },
      }),
      series('In the gateway', percentiles('kong_kong_latency_ms'), {
        shows: 'Time that the gateway itself takes.',
        bad: 'it lacks CPU, or its Redis is slow.',
        ...{ runbook: 'EventLoopSlow', unit: 'ms', warn: 25 },
      }),
      series(
        'Services, 95th percentile',
        [[quantile(0.95, 'kong_upstream_latency_ms', '', ['exported_service']), '{{exported_service}}']],
        {
          shows: 'Time until a service had answered.',
          bad: "that service's board.",
          ...{ runbook: 'EventLoopSlow', unit: 'ms', warn: 250, alarm: 1_000 },
        },
      ),
    ),
    row(
      'Parts',
      series(
        'Health of targets',
        [['kong_upstream_target_health{state="healthy"}', '{{upstream}} {{address}}']],
        {
          shows: '1 for each instance that gets requests.',
          bad: '0: it does not answer probes.',
          ...{ runbook: 'TargetUnhealthy', unit: 'short', width: 12 },
        },
      ),
      series(
        'Signing keys',
        [
          ['gateway_signing_keys', 'keys'],
          ['gateways_complete', 'gateways that have them'],
          ['increase(gateway_key_set_failures_total[10m])', 'failed fetches'],
        ],
        {
          shows:
            'Keys of Keycloak, gateways that have the present ones, fetches that failed within ten minutes.',
          bad: 'fetches fail: Keycloak is away; the keys that are there go on working.',
          ...{ runbook: 'ErrorBudgetBurnsFast', unit: 'short', width: 12 },
        },
      ),
      series('Event loop', [['nodejs_eventloop_lag_p99_seconds{service="gateway"}', '{{instance}}']], {
        shows: 'Lateness of timers of the embedded gateway; Kong has none.',
        bad: 'above 50 ms it lacks CPU.',
        ...{ runbook: 'EventLoopSlow', unit: 's', warn: 0.05, alarm: 0.25, width: 12 },
      }),
      series('Memory', [['process_resident_memory_bytes{service="gateway"}', '{{instance}}']], {
        shows: 'Memory of the embedded gateway.',
        bad: 'growth over hours is a leak: restart it and keep a heap snapshot.',
        ...{ runbook: 'InstanceDown', unit: 'bytes', width: 12 },
      }),
    ),
  ],
};
