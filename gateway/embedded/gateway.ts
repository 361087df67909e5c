import http from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Configuration } from './configuration';
import type { Counters } from './counters';
import { Exchange } from './exchange';
import type { Exit } from './exchange';
import { errorBody, SERVER } from './kong-error';
import { isUtf8, normalPath } from './normal-path';
import type { BoundPlugin, Surroundings } from './plugins/plugin';
import { Proxy } from './proxy';
import type { Forwarded } from './proxy';
import { Router } from './router';
import { RoundRobin } from './targets';
import { TargetHealth } from './target-health';
import type { HealthRules } from './target-health';
import type { Addresses } from './targets';
import { TraceExporter } from './traces';
import { TrafficMetrics } from './traffic-metrics';
import type { TargetState } from './traffic-metrics';

/** nginx' limits (large_client_header_buffers 4 8k), with Node's own somewhat above so that ours answer. */
const LONGEST_LINE = 8190;
const MOST_HEADER_BYTES = 40_000;

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
      keepAliveTimeout: 75_000,
      noDelay: true,
    });
    this.server.on('request', (request, response) => void this.serve(request, response));
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

  /** Takes no new connection, lets requests finish for at most `graceMs`, then cuts what is left (streams). */
  async drain(graceMs: number): Promise<void> {
    this.draining = true;
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.server.closeIdleConnections();
    const cut = setTimeout(() => this.server.closeAllConnections(), graceMs);
    await closed;
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
    const url = request.url ?? '/';
    const question = url.indexOf('?');
    const rawPath = question === -1 ? url : url.slice(0, question);
    const path = normalPath(rawPath);
    const exchange = new Exchange(
      request,
      response,
      path ?? rawPath,
      rawPath,
      question === -1 ? '' : url.slice(question),
    );
    if (this.draining) response.setHeader('Connection', 'close');
    const installed = this.installed;
    let forwarded: Forwarded | undefined;
    try {
      forwarded = await this.handle(exchange, installed, path);
    } catch {
      if (response.headersSent || response.destroyed) response.destroy();
      else this.exit(exchange, installed, { status: 500, message: 'An unexpected error occurred' });
    }
    this.measure(exchange, forwarded);
  }

  private async handle(
    exchange: Exchange,
    installed: Installed,
    path: string | undefined,
  ): Promise<Forwarded | undefined> {
    const malformed = malformedRequest(exchange, path);
    if (malformed !== undefined) {
      this.exit(exchange, installed, malformed);
      return undefined;
    }
    const route = isUtf8(exchange.path) ? installed.router.match(exchange.method, exchange.path) : undefined;
    if (route === undefined) {
      this.exit(exchange, installed, { status: 404, message: 'no Route matched with those values' });
      return undefined;
    }
    exchange.route = route;
    for (const plugin of route.plugins) {
      const exit = await plugin.access(exchange, this.surroundings);
      if (exit === undefined) continue;
      this.exit(exchange, installed, exit);
      return undefined;
    }
    const peers = installed.peers.get(route.service.upstream) as RoundRobin;
    const health = installed.health.get(route.service.upstream) as TargetHealth;
    const forwarded = await this.proxy.forward(exchange, route.service, peers, health, () =>
      answerHeaders(exchange, route.plugins),
    );
    if (forwarded.kind === 'no-peer') {
      const message = 'failure to get a peer from the ring-balancer';
      this.exit(exchange, installed, { status: 503, message });
    }
    if (forwarded.kind === 'failed') {
      const { status, message, upstreamMs } = forwarded;
      const headers = {
        Via: `1.1 ${SERVER}`,
        'X-Kong-Upstream-Latency': String(upstreamMs),
        'X-Kong-Proxy-Latency': '0',
      };
      this.exit(exchange, installed, { status, message, headers }, false);
    }
    return forwarded;
  }

  /** Answers in the upstream's place. */
  private exit(exchange: Exchange, installed: Installed, exit: Exit, shortCircuit = true): void {
    const { response } = exchange;
    if (response.destroyed) return;
    const headers = answerHeaders(exchange, exchange.route?.plugins ?? installed.configuration.globalPlugins);
    Object.assign(headers, exit.headers);
    // Who asked whether to go on will not send the body now: nothing more can be read on this connection.
    if (exchange.received('expect') !== undefined && !exchange.request.complete)
      headers['Connection'] = 'close';
    let body = '';
    if (exit.json !== undefined) {
      body = JSON.stringify(exit.json);
      headers['Content-Type'] = 'application/json; charset=utf-8';
    } else if (exit.message !== undefined) {
      const made = errorBody(exit.message, exchange.requestId, exchange.received('accept'));
      body = made.body;
      headers['Content-Type'] = made.type;
    }
    headers['Content-Length'] = String(Buffer.byteLength(body));
    headers['Server'] = SERVER;
    headers['X-Kong-Request-Id'] = exchange.requestId;
    if (shortCircuit) headers['X-Kong-Response-Latency'] = String(exchange.elapsedMs);
    response.writeHead(exit.status, headers);
    response.end(exchange.method === 'HEAD' ? undefined : body);
  }

  private measure(exchange: Exchange, forwarded: Forwarded | undefined): void {
    this.metrics.active -= 1;
    const { route, consumer, response, request } = exchange;
    const answered = forwarded?.kind === 'answered';
    this.metrics.add({
      service: route?.service.name ?? '',
      route: route?.name ?? '',
      status: forwarded?.kind === 'client-left' ? 499 : response.statusCode,
      source: answered ? 'service' : 'kong',
      consumer: consumer?.username ?? '',
      totalMs: performance.now() - exchange.startedAt,
      upstreamMs: forwarded !== undefined && 'upstreamMs' in forwarded ? forwarded.upstreamMs : undefined,
      requestBytes: exchange.bodyLength ?? Number(request.headers['content-length'] ?? 0),
      answerBytes: Number(response.getHeader('content-length') ?? 0),
    });
    const { trace } = exchange;
    if (trace?.sampled !== true) return;
    this.traces.add({
      ...trace,
      name: `${exchange.method} ${route?.name ?? ''}`,
      startedAtMs: performance.timeOrigin + exchange.startedAt,
      endedAtMs: performance.timeOrigin + performance.now(),
      attributes: {
        'http.request.method': exchange.method,
        'url.path': exchange.path,
        'http.response.status_code': response.statusCode,
        'http.route': route?.name ?? '',
      },
    });
  }
}

function answerHeaders(exchange: Exchange, plugins: readonly BoundPlugin[]): Record<string, string> {
  const headers: Record<string, string> = { ...exchange.answerHeaders };
  for (const plugin of plugins) plugin.answer(exchange, headers);
  return headers;
}

/** What nginx refuses before Kong sees it. */
function malformedRequest(exchange: Exchange, path: string | undefined): Exit | undefined {
  const { request, method } = exchange;
  if (method === 'TRACE' || method === 'CONNECT') return { status: 405, message: 'Method not allowed' };
  if ((request.url ?? '').length > LONGEST_LINE) return { status: 414, message: 'URI too long' };
  if (path === undefined || !exchange.rawPath.startsWith('/')) return { status: 400, message: 'Bad request' };
  for (const [name, { values }] of exchange.upstreamHeaders) {
    if (values.some((value) => value.length + name.length + 4 > LONGEST_LINE)) {
      return { status: 400, message: 'Request header or cookie too large' };
    }
  }
  if ((request.headersDistinct['authorization']?.length ?? 0) > 1)
    return { status: 400, message: 'Bad request' };
  return undefined;
}

function refuseBroken(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const message = error.code === 'HPE_HEADER_OVERFLOW' ? 'Request header or cookie too large' : 'Bad request';
  const body = `{\n  "message":"${message}"\n}`;
  socket.end(
    `HTTP/1.1 400 Bad Request\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: ${body.length}\r\nServer: ${SERVER}\r\nConnection: close\r\n\r\n${body}`,
  );
}
