import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { logLevels, setLogLevel, type Logger, type LogLevel } from './logger';
import type { Health } from './health';
import type { Metrics } from './metrics';
import { OPEN_METRICS_TYPE, openMetricsText } from './open-metrics';

export interface ManagementServerOptions {
  /** 0 takes any free port; see `url`. */
  port: number;
  host: string;
  metrics: Metrics;
  health: Health;
  logger: Logger;
}

type Answer = { status: number; body: string; type: string };

/**
 * Metrics, health, details and log level on a port of their own, which the gateway does not route (DESIGN 9).
 * It has no authentication: bind it to loopback or to a network that only operators and Prometheus reach.
 */
export class ManagementServer {
  private readonly server: Server;
  private readonly details = new Map<string, () => unknown>();

  constructor(private readonly options: ManagementServerOptions) {
    this.server = createServer({ requestTimeout: 10_000 }, (req, res) => {
      this.answer(req)
        .catch((error: unknown): Answer => {
          this.options.logger.error({ err: error }, 'management request failed');
          return json(500, { error: 'internal error' });
        })
        .then((answer) => send(res, answer))
        .catch(() => res.destroy());
    });
  }

  /** Adds a section to /details: learned values, open circuits, positions. Never a secret. */
  detail(name: string, describe: () => unknown): void {
    this.details.set(name, describe);
  }

  /** Starts to listen; rejects when the port is taken. */
  async start(): Promise<void> {
    this.server.listen(this.options.port, this.options.host);
    await once(this.server, 'listening');
  }

  get url(): string {
    const { port } = this.server.address() as AddressInfo;
    return `http://${this.options.host}:${port}`;
  }

  async close(): Promise<void> {
    if (!this.server.listening) return;
    const closed = once(this.server, 'close');
    this.server.close();
    this.server.closeAllConnections();
    await closed;
  }

  private async answer(req: IncomingMessage): Promise<Answer> {
    const { health, metrics } = this.options;
    const path = (req.url ?? '/').split('?', 1)[0];
    if (path === '/log-level') return this.logLevel(req);
    if (req.method !== 'GET' && req.method !== 'HEAD')
      return json(405, { error: 'only GET is answered here' });
    switch (path) {
      case '/metrics':
        return metricsIn(req.headers.accept ?? '', metrics);
      case '/health/startup':
        return json(health.isStarted() ? 200 : 503, await health.report());
      case '/health/live':
        return json(health.isLive() ? 200 : 503, { live: health.isLive() });
      case '/health/ready':
        return json(health.isReady() ? 200 : 503, await health.report());
      case '/details':
        return json(200, await this.describe());
      default:
        return json(404, { error: 'no such management resource' });
    }
  }

  private async describe(): Promise<Record<string, unknown>> {
    const sections = await Promise.all(
      [...this.details].map(async ([name, describe]) => [name, await describe()] as const),
    );
    return {
      pid: process.pid,
      node: process.version,
      uptimeSeconds: Math.round(process.uptime()),
      residentBytes: process.memoryUsage.rss(),
      logLevel: this.options.logger.level,
      health: await this.options.health.report(),
      ...Object.fromEntries(sections),
    };
  }

  private async logLevel(req: IncomingMessage): Promise<Answer> {
    const { logger } = this.options;
    if (req.method === 'GET') return json(200, { level: logger.level });
    if (req.method !== 'PUT') return json(405, { error: 'GET or PUT' });
    const level = levelOf(await readBody(req, 1024));
    if (level === undefined) {
      return json(400, { error: `expected {"level": one of ${logLevels.join(', ')}}` });
    }
    logger.warn({ from: logger.level, to: level }, 'log level changed');
    setLogLevel(logger, level);
    return json(200, { level });
  }
}

/** In the format that was asked for: Prometheus asks for OpenMetrics, which has exemplars. */
async function metricsIn(accepted: string, { registry }: Metrics): Promise<Answer> {
  return accepted.includes('application/openmetrics-text')
    ? { status: 200, body: await openMetricsText(registry), type: OPEN_METRICS_TYPE }
    : { status: 200, body: await registry.metrics(), type: registry.contentType };
}

function levelOf(body: string): LogLevel | undefined {
  try {
    const { level } = JSON.parse(body) as { level?: unknown };
    return logLevels.find((known) => known === level);
  } catch {
    return undefined;
  }
}

async function readBody(req: IncomingMessage, limit: number): Promise<string> {
  let body = '';
  for await (const chunk of req) {
    body += String(chunk);
    if (body.length > limit) return '';
  }
  return body;
}

function json(status: number, body: unknown): Answer {
  return { status, body: JSON.stringify(body), type: 'application/json' };
}

function send(res: ServerResponse, answer: Answer): void {
  res.writeHead(answer.status, { 'content-type': answer.type, 'cache-control': 'no-store' });
  res.end(answer.body);
}
