import http from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Configuration, Route } from './configuration';
import type { Counters } from './counters';
import { Exchange } from './exchange';
import type { Exit } from './exchange';
import { SERVER } from './kong-error';
import { isUtf8, normalPath } from './normal-path';
import { answerHeaders, answerItself, malformedRequest, refuseBroken, refuseConnect } from './own-answers';
import type { Surroundings } from './plugins/plugin';
import { Proxy } from './proxy';
import type { Destination, Forwarded } from './proxy';
import { Router } from './router';
import { RoundRobin } from './targets';
import type { Addresses } from './targets';
import { TargetHealth } from './target-health';
import type { HealthRules } from './target-health';
import { TraceExporter } from './traces';
import { TrafficMetrics } from './traffic-metrics';
import type { TargetState } from './traffic-metrics';

/** Somewhat above nginx' limits, so that the gateway's own answers are given. */
const MOST_HEADER_BYTES = 40_000;
/** Above what clients and balancers keep an idle connection for, so that it is they who close it. */
const IDLE_CLIENT_MS = 75_000;
const NO_ROUTE: Exit = { status: 404, message: 'no Route matched with those values' };

interface Installed {
  configuration: Configuration;
  router: Router;
  peers: ReadonlyMap<string, RoundRobin>;
  health: ReadonlyMap<string, TargetHealth>;
}

/** Serves one configuration at a time; `install` swaps it between two requests. */
export class Gateway {
  readonly metrics: TrafficMetrics = new TrafficMetrics(() => this.targetStates());
  private installed: Installed;
  private readonly proxy = new Proxy();
  private readonly server: Server;
  private readonly surroundings: Surroundings;
  private draining = false;

  constructor(
    configuration: Configuration,
    private readonly addresses: Addresses,
    counters: Counters,
    now: () => number = Date.now,
    private readonly traces = new TraceExporter(undefined),
  ) {
    this.installed = this.prepare(configuration, new Map());
    this.surroundings = {
      credential: (key) => this.installed.configuration.credentials.get(key),
      countInRedis: (redis, key, ttl) => counters.countInRedis(redis, key, ttl),
      countLocally: (key, start, length) => counters.countLocally(key, start, length),
      uncounted: () => (this.metrics.uncounted += 1),
      now,
    };
    this.server = http.createServer({
      maxHeaderSize: MOST_HEADER_BYTES,
      keepAliveTimeout: IDLE_CLIENT_MS,
      noDelay: true,
    });
    this.server.on('request', (request, response) => void this.serve(request, response));
    this.server.on('connect', (_, socket) => refuseConnect(socket as Socket));
    this.server.on('clientError', (error: NodeJS.ErrnoException, socket) =>
      refuseBroken(error, socket as Socket),
    );
  }

  get configuration(): Configuration {
    return this.installed.configuration;
  }

  get ready(): boolean {
    return !this.draining;
  }

  /** Takes effect for the next request; those under way finish as they began. Throws ConfigurationFault. */
  install(configuration: Configuration): void {
    const before = this.installed.health;
    this.installed = this.prepare(configuration, before);
    for (const [name, health] of before) if (this.installed.health.get(name) !== health) health.stop();
  }

  async listen(port: number, host: string): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(port, host, resolve);
    });
    return (this.server.address() as AddressInfo).port;
  }

  /**
   * Ends in order. Until `noticed` everybody is still served, each with `Connection: close`, and readiness says no: a
   * connection that were closed while its client writes the next request would be a failed request. Then no
   * connection is taken, and what is left (streams) is cut `graceMs` after the beginning.
   */
  async drain(graceMs: number, noticed?: Promise<unknown>): Promise<void> {
    this.draining = true;
    const cut = setTimeout(() => this.server.closeAllConnections(), graceMs);
    if (noticed !== undefined) await noticed;
    await new Promise((resolve) => this.server.close(resolve));
    clearTimeout(cut);
    this.proxy.close();
    this.traces.close();
    for (const health of this.installed.health.values()) health.stop();
  }

  /** For the metrics: what is known of every target. */
  private targetStates(): TargetState[] {
    return [...this.installed.health].flatMap(([upstream, health]) =>
      health.states().map(({ address, healthy }) => ({
        upstream,
        target: address.target,
        address: `${address.host}:${address.port}`,
        state: health.isOff ? 'healthchecks_off' : healthy ? 'healthy' : 'unhealthy',
      })),
    );
  }

  /** What is known of an upstream's targets outlives a change of configuration that does not concern them. */
  private prepare(configuration: Configuration, before: ReadonlyMap<string, TargetHealth>): Installed {
    const health = new Map<string, TargetHealth>();
    const peers = new Map<string, RoundRobin>();
    for (const [name, targets] of configuration.upstreams) {
      const rules = configuration.healthChecks.get(name) as HealthRules;
      const list = new RoundRobin(
        targets,
        this.addresses,
        (address) => health.get(name)?.isHealthy(address) ?? true,
      );
      peers.set(name, list);
      const known = before.get(name);
      health.set(
        name,
        known !== undefined && known.fits(list.list, rules) ? known : new TargetHealth(list.list, rules),
      );
    }
    return { configuration, router: new Router(configuration.routes), peers, health };
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.metrics.active += 1;
    const { installed } = this;
    const url = request.url ?? '/';
    const question = url.indexOf('?');
    const rawPath = question === -1 ? url : url.slice(0, question);
    const query = question === -1 ? '' : url.slice(question);
    const path = normalPath(rawPath);
    const exchange = new Exchange(request, response, path ?? rawPath, rawPath, query, this.draining);
    const malformed = malformedRequest(exchange, path);
    const route =
      malformed === undefined && isUtf8(exchange.path)
        ? installed.router.match(exchange.method, exchange.path)
        : undefined;
    const plugins = route?.plugins ?? installed.configuration.globalPlugins;
    let forwarded: Forwarded | undefined;
    let ownBytes: number | undefined;
    try {
      const exit = malformed ?? (route === undefined ? NO_ROUTE : await this.throughPlugins(exchange, route));
      if (exit !== undefined || route === undefined) {
        ownBytes = answerItself(exchange, plugins, exit ?? NO_ROUTE);
      } else {
        const destination = destinationOf(route, installed);
        forwarded = await this.proxy.forward(exchange, destination, () => answerHeaders(exchange, plugins));
        const failure = exitOf(forwarded);
        if (failure !== undefined)
          ownBytes = answerItself(exchange, plugins, failure, forwarded.kind === 'no-peer');
      }
    } catch {
      if (response.headersSent || response.destroyed) response.destroy();
      else
        ownBytes = answerItself(exchange, plugins, { status: 500, message: 'An unexpected error occurred' });
    }
    this.measure(exchange, route, forwarded, ownBytes);
  }

  /** What a plugin answers in the upstream's place. */
  private async throughPlugins(exchange: Exchange, route: Route): Promise<Exit | undefined> {
    exchange.routeId = route.id;
    for (const plugin of route.plugins) {
      const outcome = plugin.access(exchange, this.surroundings);
      const exit = outcome instanceof Promise ? await outcome : outcome;
      if (exit !== undefined) return exit;
    }
    return undefined;
  }

  private measure(
    exchange: Exchange,
    route: Route | undefined,
    forwarded: Forwarded | undefined,
    ownBytes: number | undefined,
  ): void {
    this.metrics.active -= 1;
    const { response } = exchange;
    const answered = forwarded?.kind === 'answered';
    this.metrics.add({
      service: route?.service.name ?? '',
      route: route?.name ?? '',
      status: forwarded?.kind === 'client-left' ? 499 : response.statusCode,
      source: answered ? 'service' : 'kong',
      consumer: exchange.consumer?.username ?? '',
      totalMs: performance.now() - exchange.startedAt,
      upstreamMs: forwarded !== undefined && 'upstreamMs' in forwarded ? forwarded.upstreamMs : undefined,
      requestBytes: exchange.bodyLength ?? Number(exchange.received('content-length') ?? 0),
      answerBytes: answered ? forwarded.bytes : (ownBytes ?? 0),
    });
    const { trace } = exchange;
    if (trace?.sampled !== true) return;
    this.traces.add({
      ...trace,
      name: `${exchange.method} ${route?.name ?? ''}`,
      startedAtMs: performance.timeOrigin + exchange.startedAt,
      endedAtMs: performance.timeOrigin + performance.now(),
      attributes: {
        // Not the path: it names people.
        'http.request.method': exchange.method,
        'http.response.status_code': response.statusCode,
        'http.route': route?.name ?? '',
      },
    });
  }
}

function destinationOf({ service, requestBuffering }: Route, installed: Installed): Destination {
  return {
    service,
    peers: installed.peers.get(service.upstream) as RoundRobin,
    health: installed.health.get(service.upstream) as TargetHealth,
    buffersRequests: requestBuffering,
  };
}

/** What the client is told when no upstream has answered. */
function exitOf(forwarded: Forwarded): Exit | undefined {
  if (forwarded.kind === 'no-peer')
    return { status: 503, message: 'failure to get a peer from the ring-balancer' };
  if (forwarded.kind !== 'failed') return undefined;
  const { status, message, upstreamMs } = forwarded;
  const headers = {
    Via: `1.1 ${SERVER}`,
    'X-Kong-Upstream-Latency': String(upstreamMs),
    'X-Kong-Proxy-Latency': '0',
  };
  return { status, message, headers };
}
