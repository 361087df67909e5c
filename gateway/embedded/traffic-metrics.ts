import { monitorEventLoopDelay } from 'node:perf_hooks';

const BUCKETS_MS = [1, 2, 5, 10, 25, 50, 80, 100, 250, 400, 700, 1000, 2000, 5000, 10_000, 30_000, 60_000];
const LATENCIES = ['kong_request_latency_ms', 'kong_kong_latency_ms', 'kong_upstream_latency_ms'] as const;
type Latency = (typeof LATENCIES)[number];

const HELP: Record<string, string> = {
  kong_request_latency_ms: 'Whole time of a request; rises with the slower of gateway and service',
  kong_kong_latency_ms: 'Time spent in the gateway itself; rises when it lacks CPU or Redis is slow',
  kong_upstream_latency_ms: 'Time until a service had answered',
};

class Histogram {
  readonly counts = new Array<number>(BUCKETS_MS.length).fill(0);
  sum = 0;
  count = 0;

  observe(ms: number): void {
    this.sum += ms;
    this.count += 1;
    const bucket = BUCKETS_MS.findIndex((most) => ms <= most);
    if (bucket !== -1) this.counts[bucket] = (this.counts[bucket] as number) + 1;
  }
}

/** What is counted of requests that have all labels in common. */
interface Counted {
  requests: number;
  ingress: number;
  egress: number;
  requestLabels: string;
  byteLabels: (direction: 'ingress' | 'egress') => string;
  /** Whole, own and the upstream's time; the last is made when an upstream is asked. */
  latencies: readonly [Histogram, Histogram, () => Histogram];
}

export interface Traffic {
  service: string;
  route: string;
  status: number;
  /** Whether the status came from the service or from the gateway. */
  source: 'service' | 'kong';
  consumer: string;
  totalMs: number;
  upstreamMs: number | undefined;
  requestBytes: number;
  answerBytes: number;
}

export interface TargetState {
  upstream: string;
  target: string;
  address: string;
  state: 'healthchecks_off' | 'healthy' | 'unhealthy';
}
const STATES = ['healthchecks_off', 'healthy', 'unhealthy'] as const;

/** The metrics of Kong's prometheus plugin under their own names, so that dashboards fit both. */
export class TrafficMetrics {
  /** By what makes them differ: one look-up for each request. */
  private readonly counted = new Map<string, Counted>();
  private readonly latencies = new Map<Latency, Map<string, Histogram>>(
    LATENCIES.map((name) => [name, new Map<string, Histogram>()]),
  );
  private readonly lag = monitorEventLoopDelay({ resolution: 20 });
  private total = 0;
  active = 0;
  /** Requests whose rate limit could not be counted. */
  uncounted = 0;

  constructor(private readonly targets: () => readonly TargetState[] = () => []) {
    this.lag.enable();
  }

  add(traffic: Traffic): void {
    this.total += 1;
    const { service, route, status, source, consumer } = traffic;
    const name = `${service} ${route} ${status} ${source} ${consumer}`;
    let counted = this.counted.get(name);
    if (counted === undefined) this.counted.set(name, (counted = this.begin(traffic)));
    counted.requests += 1;
    counted.ingress += traffic.requestBytes;
    counted.egress += traffic.answerBytes;
    const [whole, own, upstream] = counted.latencies;
    whole.observe(traffic.totalMs);
    own.observe(Math.max(0, traffic.totalMs - (traffic.upstreamMs ?? 0)));
    if (traffic.upstreamMs !== undefined) upstream().observe(traffic.upstreamMs);
  }

  /** Latencies are shared by all that differ in status, source and consumer alone. */
  private begin({ service, route, status, source, consumer }: Traffic): Counted {
    const place = `service="${service}",route="${route}"`;
    const whose = `workspace="default",consumer="${consumer}"`;
    const histogram = (name: Latency): Histogram => this.histogram(name, `${place},workspace="default"`);
    return {
      requests: 0,
      ingress: 0,
      egress: 0,
      requestLabels: `${place},code="${status}",source="${source}",${whose}`,
      byteLabels: (direction) => `${place},direction="${direction}",${whose}`,
      latencies: [
        histogram('kong_request_latency_ms'),
        histogram('kong_kong_latency_ms'),
        () => histogram('kong_upstream_latency_ms'),
      ],
    };
  }

  text(): string {
    const memory = process.memoryUsage();
    const lines = [
      ...counter(
        'kong_http_requests_total',
        'Requests by status; source kong = answered by the gateway itself',
        new Map([...this.counted.values()].map((each) => [each.requestLabels, each.requests])),
      ),
      ...counter('kong_bandwidth_bytes', 'Bytes through the gateway', this.bytes()),
      '# HELP kong_nginx_requests_total Requests in all',
      '# TYPE kong_nginx_requests_total counter',
      `kong_nginx_requests_total ${this.total}`,
      '# HELP kong_nginx_connections_total Requests in progress (state active)',
      '# TYPE kong_nginx_connections_total gauge',
      `kong_nginx_connections_total{state="active"} ${this.active}`,
      '# HELP kong_datastore_reachable Always 1: the configuration is in memory',
      '# TYPE kong_datastore_reachable gauge',
      'kong_datastore_reachable 1',
      '# HELP kong_upstream_target_health 1 for the state that a target is in; unhealthy ones get no requests',
      '# TYPE kong_upstream_target_health gauge',
      ...this.targets().flatMap(({ upstream, target, address, state }) =>
        STATES.map(
          (each) =>
            `kong_upstream_target_health{upstream="${upstream}",target="${target}",address="${address}",state="${each}",subsystem="http"} ${each === state ? 1 : 0}`,
        ),
      ),
      '# HELP gateway_uncounted_requests_total Requests let through without a rate limit; rises while Redis does not answer',
      '# TYPE gateway_uncounted_requests_total counter',
      `gateway_uncounted_requests_total ${this.uncounted}`,
      '# HELP kong_node_info What runs',
      '# TYPE kong_node_info gauge',
      'kong_node_info{version="embedded"} 1',
      '# HELP process_resident_memory_bytes Resident memory',
      '# TYPE process_resident_memory_bytes gauge',
      `process_resident_memory_bytes ${memory.rss}`,
      '# HELP nodejs_eventloop_lag_p99_seconds Lateness of timers since the last scrape; above 0.05 the gateway lacks CPU',
      '# TYPE nodejs_eventloop_lag_p99_seconds gauge',
      `nodejs_eventloop_lag_p99_seconds ${Math.max(0, this.lag.percentile(99) / 1e9 - 0.02).toFixed(6)}`,
    ];
    this.lag.reset();
    for (const [name, byLabels] of this.latencies) {
      lines.push(`# HELP ${name} ${HELP[name]}`, `# TYPE ${name} histogram`);
      for (const [labels, histogram] of byLabels) lines.push(...histogramLines(name, labels, histogram));
    }
    return `${lines.join('\n')}\n`;
  }

  private bytes(): Map<string, number> {
    const sums = new Map<string, number>();
    for (const { byteLabels, ...each } of this.counted.values())
      for (const direction of ['ingress', 'egress'] as const) {
        const labels = byteLabels(direction);
        sums.set(labels, (sums.get(labels) ?? 0) + each[direction]);
      }
    return sums;
  }

  private histogram(name: Latency, labels: string): Histogram {
    const byLabels = this.latencies.get(name) as Map<string, Histogram>;
    let histogram = byLabels.get(labels);
    if (histogram === undefined) byLabels.set(labels, (histogram = new Histogram()));
    return histogram;
  }
}

function counter(name: string, help: string, values: ReadonlyMap<string, number>): string[] {
  return [
    `# HELP ${name} ${help}`,
    `# TYPE ${name} counter`,
    ...[...values].map(([labels, value]) => `${name}{${labels}} ${value}`),
  ];
}

function histogramLines(name: string, labels: string, histogram: Histogram): string[] {
  let below = 0;
  const lines = BUCKETS_MS.map((most, at) => {
    below += histogram.counts[at] as number;
    return `${name}_bucket{${labels},le="${most}"} ${below}`;
  });
  lines.push(`${name}_bucket{${labels},le="+Inf"} ${histogram.count}`);
  lines.push(`${name}_sum{${labels}} ${histogram.sum}`, `${name}_count{${labels}} ${histogram.count}`);
  return lines;
}
