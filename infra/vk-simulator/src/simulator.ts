import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { gzipSync } from 'node:zlib';
import type { NormalGraph } from '@sociograph/graph-file';
import { Api } from './api';
import type { Answer } from './api';
import { apiErrors } from './api-error';
import { DailyBudgets } from './daily-budgets';
import { Faults } from './faults';
import type { SimulatedKey } from './keys';
import { OAuth } from './oauth';
import { Network } from './network';
import { RateLimiter } from './rate-limiter';
import { BodyTooLarge, parametersOf, readBody } from './request-parameters';
import { readNetwork } from './settings';
import type { Settings } from './settings';
import { SimulatorClock } from './simulator-clock';
import { TimedLine } from './timed-line';
import { Usage } from './usage';
import { World } from './world';

const WINDOW_MS = 1000;
const LAG_RESOLUTION_MS = 10;
/** Answered without a token and without being counted against one: what a client may measure the path with. */
const STATIC_PATHS = new Set(['/', '/robots.txt', '/favicon.ico']);
/** Below this gzip makes an answer longer. */
const WORTH_GZIP = 1024;

interface OwnPage {
  status: number;
  body: object;
}

/** The HTTP side: network delays in front of the API, and the pages that describe the simulator itself. */
export class Simulator {
  private readonly clock: SimulatorClock;
  private readonly line: TimedLine;
  private readonly usage = new Usage();
  private readonly limiter: RateLimiter;
  private readonly budgets: DailyBudgets;
  private readonly network: Network;
  private readonly faults = new Faults();
  private readonly world: World;
  private readonly api: Api;
  private readonly oauth: OAuth;
  private readonly server: Server;
  private readonly lag = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MS });

  constructor(
    private readonly settings: Settings,
    graph: NormalGraph,
    private readonly keys: readonly SimulatedKey[],
  ) {
    this.clock = new SimulatorClock(settings.clockSkewMs);
    this.line = new TimedLine(this.clock);
    this.limiter = new RateLimiter({
      window: settings.window,
      windowMs: WINDOW_MS,
      refusedCount: settings.refusedCount,
    });
    this.budgets = new DailyBudgets(settings.budgets, settings.day);
    this.network = new Network(settings.seed, settings);
    this.world = new World(graph, { seed: settings.seed, ...settings.world });
    this.api = new Api(this.world, keys, this.limiter, this.budgets, this.usage, this.faults, {
      execute: {
        apiCalls: 25,
        operations: settings.operations,
        responseBytes: 5 * 1024 * 1024,
        trailingEntry: settings.trailingEntry,
      },
      budgetsInsideExecute: settings.budgetsInsideExecute,
    });
    this.oauth = new OAuth(settings.seed, keys, (name, token) => {
      this.api.rotate(name, token);
      this.faults.plant(name, 'none');
    });
    this.server = createServer({ keepAliveTimeout: 65_000, noDelay: true }, (request, response) => {
      this.handle(request, response).catch((error: unknown) => fail(response, error));
    });
  }

  /** Resolves to the port. */
  async listen(): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(this.settings.port, this.settings.host, resolve);
    });
    this.lag.enable();
    return (this.server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    this.lag.disable();
    this.line.clear();
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = request.url ?? '/';
    const path = url.split('?', 1)[0] as string;
    if (path.startsWith('/method/')) return this.callApi(path.slice('/method/'.length), request, response);
    if (path === '/oauth2/auth') return this.refreshTokens(request, response);
    request.resume();
    const probed = STATIC_PATHS.has(path) && (request.method === 'GET' || request.method === 'HEAD');
    if (probed) this.usage.probe();
    const page = probed ? undefined : this.ownPage(request.method ?? 'GET', path, url);
    if (page !== undefined) {
      const json = `${JSON.stringify(page.body)}\n`;
      return this.send(request, response, page.status, 'application/json; charset=utf-8', json);
    }
    // Whatever is no method travels like a call, takes no time and is counted against nothing.
    const { requestMs, replyMs } = this.network.draw();
    this.line.plan(this.clock.now() + requestMs + replyMs, () => {
      if (probed) this.send(request, response, 200, 'text/plain', 'VK simulator\n');
      else this.send(request, response, 404, 'text/html', '<html><body>404 Not Found</body></html>\n');
    });
  }

  private async callApi(method: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readBody(request);
    const { requestMs, serviceMs, replyMs } = this.network.draw();
    const arrival = this.clock.now() + requestMs;
    if (request.method !== 'GET' && request.method !== 'POST') {
      const error = apiErrors.unsupportedHttpMethod();
      this.sendJson(
        request,
        response,
        JSON.stringify({ error: { error_code: error.code, error_msg: error.message, request_params: [] } }),
      );
      return;
    }
    const parsed = parametersOf(request, body);
    this.line.plan(arrival, (at) => {
      const answer = this.api.arrive(method, parsed, at);
      const answeredAt = at + (answer.worked ? serviceMs : 0) + replyMs;
      if (answer.status === undefined && answeredAt === at) this.sendJson(request, response, answer.body);
      else this.line.plan(answeredAt, () => this.answer(request, response, answer));
    });
  }

  private async refreshTokens(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { parameters } = parametersOf(request, await readBody(request));
    const { requestMs, replyMs } = this.network.draw();
    this.line.plan(this.clock.now() + requestMs + replyMs, () => {
      const { status, body } = this.oauth.answer(parameters);
      if (status === 0) response.destroy();
      else this.send(request, response, status, 'application/json; charset=utf-8', JSON.stringify(body));
    });
  }

  private answer(request: IncomingMessage, response: ServerResponse, answer: Answer): void {
    if (answer.status === 0) response.destroy();
    else if (answer.status === undefined) this.sendJson(request, response, answer.body);
    else this.send(request, response, answer.status, 'text/html', answer.body);
  }

  private ownPage(httpMethod: string, path: string, url: string): OwnPage | undefined {
    const query = new URL(url, 'http://simulator').searchParams;
    if (httpMethod === 'GET') {
      const body = this.described(path, query);
      return body && { status: 200, body };
    }
    if (httpMethod !== 'POST') return undefined;
    try {
      const body = this.controlled(path, query);
      return body && { status: 200, body };
    } catch (error) {
      return { status: 400, body: { error: (error as Error).message } };
    }
  }

  /** What changes the simulator while it runs. */
  private controlled(path: string, query: URLSearchParams): object | undefined {
    switch (path) {
      case '/reset':
        this.limiter.reset();
        this.budgets.reset();
        this.usage.reset();
        this.lag.reset();
        this.network.reset();
        this.faults.reset();
        return { reset: true };
      case '/oauth':
        return { mode: this.oauth.setMode(query.get('mode') ?? 'usual') };
      case '/network':
        return this.network.change(readNetwork(query));
      case '/faults': {
        const name = query.get('key') ?? '';
        if (!this.keys.some((key) => key.name === name)) throw new Error('key must be the name of a key.');
        const answer = query.get('answer') ?? 'none';
        this.faults.plant(name, answer);
        return { key: name, answer, since: this.clock.now() };
      }
      default:
        return undefined;
    }
  }

  private described(path: string, query: URLSearchParams): object | undefined {
    const { graph } = this.world;
    switch (path) {
      case '/stats':
        return {
          ...this.usage.report(this.keys, query.get('times') === '1'),
          clock: this.clock.now(),
          eventLoopLagMs: this.lagReport(),
        };
      case '/oauth':
        return { mode: this.oauth.mode, refreshed: this.oauth.refreshed, refused: this.oauth.refused };
      case '/seeds':
        return {
          seeds: query.get('reachable') === '1' ? this.world.reachableSeeds() : this.world.seeds(),
          shift: graph.shift,
        };
      case '/world':
        return {
          people: graph.people,
          friendships: graph.friendshipCount,
          shift: graph.shift,
          seed: this.settings.seed,
          ...this.world.restricted(),
        };
      case '/health':
        return { status: 'up' };
      default:
        return undefined;
    }
  }

  private lagReport(): object {
    const beyond = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - LAG_RESOLUTION_MS);
    return { mean: beyond(this.lag.mean), p99: beyond(this.lag.percentile(99)), max: beyond(this.lag.max) };
  }

  private sendJson(request: IncomingMessage, response: ServerResponse, json: string): void {
    this.send(request, response, 200, 'application/json; charset=utf-8', json);
  }

  private send(
    request: IncomingMessage,
    response: ServerResponse,
    status: number,
    type: string,
    body: string,
  ): void {
    if (response.destroyed) return;
    let bytes = Buffer.from(body);
    const headers: Record<string, string | number> = {
      'content-type': type,
      // Node caches its own Date for up to a second; windows may be aligned to this one.
      date: new Date(this.clock.now()).toUTCString(),
    };
    if (bytes.length >= WORTH_GZIP && /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''))) {
      bytes = gzipSync(bytes, { level: 1 });
      headers['content-encoding'] = 'gzip';
    }
    headers['content-length'] = bytes.length;
    response.writeHead(status, headers);
    response.end(request.method === 'HEAD' ? undefined : bytes);
  }
}

function fail(response: ServerResponse, error: unknown): void {
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  response.writeHead(error instanceof BodyTooLarge ? 413 : 500, {
    'content-type': 'text/html',
    connection: 'close',
  });
  response.end(
    `<html><body>${error instanceof BodyTooLarge ? 'Request Entity Too Large' : 'Internal Server Error'}</body></html>\n`,
  );
}
