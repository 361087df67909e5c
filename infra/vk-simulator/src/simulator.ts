import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { NormalGraph } from '@sociograph/graph-file';
import { Api } from './api';
import { apiErrors } from './api-error';
import { Captchas } from './captchas';
import { World } from './content/world';
import { DailyBudgets } from './daily-budgets';
import { Faults, readFaultScript } from './faults';
import type { SimulatedKey } from './keys';
import { Network } from './network';
import { OAuth } from './oauth';
import { LAG_RESOLUTION_MS, OwnPages } from './own-pages';
import { RateLimiter } from './rate-limiter';
import { JSON_TYPE, Reply } from './reply';
import { parametersOf, readBody } from './request-parameters';
import type { Settings } from './settings';
import { SimulatorClock } from './simulator-clock';
import { TimedLine } from './timed-line';
import { Usage } from './usage';

const WINDOW_MS = 1000;
/** Answered without a token and without being counted against one: what a client may measure the path with. */
const STATIC_PATHS = new Set(['/', '/robots.txt', '/favicon.ico']);

/** The HTTP side: network delays in front of the API, and the pages that describe the simulator itself. */
export class Simulator {
  private readonly clock: SimulatorClock;
  private readonly line: TimedLine;
  private readonly usage = new Usage();
  private readonly network: Network;
  private readonly api: Api;
  private readonly oauth: OAuth;
  private readonly pages: OwnPages;
  private readonly server: Server;
  private readonly lag = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MS });

  constructor(
    private readonly settings: Settings,
    graph: NormalGraph,
    keys: readonly SimulatedKey[],
  ) {
    const { seed } = settings;
    const clock = (this.clock = new SimulatorClock(settings.clockSkewMs));
    const now = (): number => clock.now();
    this.line = new TimedLine(clock);
    this.network = new Network(seed, settings);
    const parts = {
      world: new World(graph, { seed, ...settings.world }),
      limiter: new RateLimiter({ ...settings, windowMs: WINDOW_MS }),
      budgets: new DailyBudgets({
        limits: settings.budgets,
        hidden: settings.hiddenBudgets,
        stages: settings.hiddenStages,
        day: settings.day,
      }),
      usage: this.usage,
      faults: new Faults(seed),
      captchas: new Captchas(seed, now),
    };
    for (const script of faultsIn(settings.faultsFile)) parts.faults.script(script, now());
    const execute = {
      apiCalls: 25,
      operations: settings.operations,
      responseBytes: 5 * 1024 * 1024,
      trailingEntry: settings.trailingEntry,
    };
    this.api = new Api(parts, keys, { ...settings, execute }, now());
    this.oauth = new OAuth(
      seed,
      keys,
      (name, token) => {
        this.api.rotate(name, token, now());
        parts.faults.plant(name, 'none');
      },
      settings.tokenLifetimeMs === 0 ? undefined : settings.tokenLifetimeMs / 1000,
    );
    const { line, network, oauth, lag } = this;
    this.pages = new OwnPages({ ...parts, clock, line, network, oauth, lag, keys });
    this.server = createServer({ keepAliveTimeout: 65_000, noDelay: true }, (request, response) => {
      const reply = new Reply(request, response, now);
      this.handle(request, reply).catch((error: unknown) => reply.fail(error));
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

  private async handle(request: IncomingMessage, reply: Reply): Promise<void> {
    const url = request.url ?? '/';
    const httpMethod = request.method ?? 'GET';
    const path = url.split('?', 1)[0] as string;
    if (path.startsWith('/method/')) return this.callApi(path.slice('/method/'.length), request, reply);
    if (path === '/oauth2/auth') return this.refreshTokens(request, reply);
    request.resume();
    const probed = STATIC_PATHS.has(path) && (httpMethod === 'GET' || httpMethod === 'HEAD');
    if (probed) this.usage.probe();
    const page = probed ? undefined : this.pages.page(httpMethod, url);
    if (page !== undefined) return reply.send(page.status, JSON_TYPE, `${JSON.stringify(page.body)}\n`);
    // Whatever is no method travels like a call, takes no time and is counted against nothing.
    const { requestMs, replyMs } = this.network.draw();
    this.line.plan(this.clock.now() + requestMs + replyMs, () => {
      if (probed) reply.send(200, 'text/plain', 'VK simulator\n');
      else reply.send(404, 'text/html', '<html><body>404 Not Found</body></html>\n');
    });
  }

  private async callApi(method: string, request: IncomingMessage, reply: Reply): Promise<void> {
    const body = await readBody(request);
    const { requestMs, serviceMs, replyMs } = this.network.draw();
    const arrival = this.clock.now() + requestMs;
    if (request.method !== 'GET' && request.method !== 'POST') {
      const { code, message } = apiErrors.unsupportedHttpMethod();
      return reply.json(
        JSON.stringify({ error: { error_code: code, error_msg: message, request_params: [] } }),
      );
    }
    const parsed = parametersOf(request, body);
    this.line.plan(arrival, (at) => {
      const answer = this.api.arrive(method, parsed, at);
      if (answer.delivery?.kind === 'hang') return;
      const answeredAt = at + (answer.worked ? serviceMs : 0) + answer.extraMs + replyMs;
      if (answer.delivery === undefined && answeredAt === at) reply.json(answer.body);
      else this.line.plan(answeredAt, () => reply.answer(answer));
    });
  }

  private async refreshTokens(request: IncomingMessage, reply: Reply): Promise<void> {
    const { parameters } = parametersOf(request, await readBody(request));
    const { requestMs, replyMs } = this.network.draw();
    this.line.plan(this.clock.now() + requestMs + replyMs, () => {
      const { status, body } = this.oauth.answer(parameters);
      if (status === 0) reply.reset();
      else reply.send(status, JSON_TYPE, JSON.stringify(body));
    });
  }
}

function faultsIn(file: string | undefined) {
  if (file === undefined) return [];
  const scripts = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>[];
  if (!Array.isArray(scripts)) throw new Error(`The faults file ${file} holds no list.`);
  return scripts.map(readFaultScript);
}
