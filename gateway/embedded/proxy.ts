import http from 'node:http';
import type { IncomingMessage } from 'node:http';
import { pipeline } from 'node:stream';
import type { Service } from './configuration';
import type { Exchange } from './exchange';
import { SERVER } from './kong-error';
import type { TargetHealth } from './target-health';
import type { Address, RoundRobin } from './targets';

const VIA = `1.1 ${SERVER}`;
/** Headers of one connection, not of the message. */
const HOP_BY_HOP = new Set(
  'connection keep-alive proxy-connection proxy-authenticate te trailer transfer-encoding upgrade'.split(' '),
);
/** POST and PATCH are never sent a second time: they may have had their effect. */
const REPEATABLE = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);
/** Below the 5 s after which Node's own servers close an idle connection. */
const IDLE_MS = 4000;

interface Failure {
  /** The request may have been sent. */
  reached: boolean;
  timedOut: boolean;
  unresolved: boolean;
  /** The connection had been kept since an earlier request, and the upstream had closed it meanwhile. */
  stale: boolean;
}

/** Why no answer came. */
class Failed extends Error {
  constructor(readonly failure: Failure) {
    super('no answer');
  }
}
/** So often a request may meet a connection that was closed meanwhile, beyond its retries. */
const MOST_STALE = 64;

export type Forwarded =
  | { kind: 'answered'; status: number; upstreamMs: number }
  | { kind: 'failed'; status: 502 | 503 | 504; message: string; upstreamMs: number }
  /** No target is healthy: nothing was tried. */
  | { kind: 'no-peer' }
  | { kind: 'client-left' };

/** Sends requests to targets and their answers back, over warm connections. */
export class Proxy {
  private readonly agent = new http.Agent({
    keepAlive: true,
    timeout: IDLE_MS,
    maxFreeSockets: 64,
    scheduling: 'lifo',
  });

  /** `prepare` gives the headers that the gateway adds to the answer. */
  async forward(
    exchange: Exchange,
    service: Service,
    peers: RoundRobin,
    health: TargetHealth,
    prepare: () => Record<string, string>,
  ): Promise<Forwarded> {
    const buffered = exchange.route?.requestBuffering !== false || exchange.body !== undefined;
    if (buffered && exchange.body === undefined && hasBody(exchange)) {
      const body = await readWhole(exchange.request);
      if (body === undefined) return { kind: 'client-left' };
      exchange.body = body;
    }
    const repeatable = REPEATABLE.has(exchange.method) && buffered;
    const proxyMs = exchange.elapsedMs;
    const started = performance.now();
    const elapsed = (): number => Math.round(performance.now() - started);
    let failure: Failure | undefined;
    let address: Address | undefined;
    for (let attempt = 0, stale = 0; attempt <= service.retries; attempt += 1) {
      if (exchange.response.destroyed) return { kind: 'client-left' };
      if (failure !== undefined && address !== undefined && !failure.stale) {
        if (failure.timedOut) health.timedOut(address);
        else health.broke(address);
      }
      address = peers.next();
      if (address === undefined) {
        if (failure === undefined) return { kind: 'no-peer' };
        const message = 'The upstream server is currently unavailable';
        return { kind: 'failed', status: 503, message, upstreamMs: elapsed() };
      }
      try {
        const answer = await this.attempt(exchange, service, address, buffered);
        health.answered(address, answer.statusCode ?? 502);
        const headers = prepare();
        headers['X-Kong-Upstream-Latency'] = String(elapsed());
        headers['X-Kong-Proxy-Latency'] = String(proxyMs);
        await deliver(exchange, answer, headers);
        return { kind: 'answered', status: answer.statusCode ?? 502, upstreamMs: elapsed() };
      } catch (error) {
        if (!(error instanceof Failed)) throw error;
        failure = error.failure;
        if (failure.reached && !repeatable) break;
        if (failure.stale && (stale += 1) <= MOST_STALE) attempt -= 1;
      }
    }
    if (exchange.response.destroyed) return { kind: 'client-left' };
    const [status, message] = verdict(failure);
    if (address !== undefined) health.answered(address, status);
    return { kind: 'failed', status, message, upstreamMs: elapsed() };
  }

  close(): void {
    this.agent.destroy();
  }

  private attempt(
    exchange: Exchange,
    service: Service,
    address: Address,
    buffered: boolean,
  ): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      let connected = false;
      let timedOut = false;
      const request = http.request({
        agent: this.agent,
        host: address.host,
        port: address.port,
        method: exchange.method,
        path: exchange.path + exchange.query,
        headers: headersFor(exchange, address),
        setHost: false,
      });
      const leave = (): void => void request.destroy();
      const expire = (): void => {
        timedOut = true;
        request.destroy();
      };
      request.on('socket', (socket) => {
        if (!socket.connecting) {
          connected = true;
          return;
        }
        const timer = setTimeout(expire, service.connectTimeoutMs);
        socket.once('connect', () => {
          connected = true;
          clearTimeout(timer);
        });
        socket.once('close', () => clearTimeout(timer));
      });
      request.setTimeout(service.readTimeoutMs, expire);
      request.on('response', (answer) => {
        answer.once('close', () => exchange.response.off('close', leave));
        resolve(answer);
      });
      request.on('error', (error) => {
        exchange.response.off('close', leave);
        const { code } = error as NodeJS.ErrnoException;
        reject(
          new Failed({
            reached: connected,
            timedOut,
            unresolved: code === 'ENOTFOUND' || code === 'EAI_AGAIN',
            stale: request.reusedSocket && !timedOut,
          }),
        );
      });
      exchange.response.once('close', leave);
      if (!buffered) {
        exchange.request.pipe(request);
        return;
      }
      for (const chunk of exchange.body ?? []) request.write(chunk);
      request.end();
    });
  }
}

function hasBody(exchange: Exchange): boolean {
  const length = exchange.received('content-length');
  return (length !== undefined && length !== '0') || exchange.received('transfer-encoding') !== undefined;
}

function verdict(failure: Failure | undefined): [502 | 503 | 504, string] {
  if (failure?.timedOut === true) return [504, 'The upstream server is timing out'];
  if (failure?.unresolved === true) return [503, 'name resolution failed'];
  return [502, 'An invalid response was received from the upstream server'];
}

async function readWhole(request: IncomingMessage): Promise<Buffer[] | undefined> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of request) chunks.push(chunk as Buffer);
  } catch {
    return undefined;
  }
  return chunks;
}

function headersFor(exchange: Exchange, address: Address): string[] {
  const { request } = exchange;
  const connection = dropped(exchange.received('connection'));
  const flat: string[] = ['Host', address.target, 'Connection', 'keep-alive'];
  const add = (name: string, value: string): void => void flat.push(name, value);
  for (const [name, entry] of exchange.upstreamHeaders) {
    if (HOP_BY_HOP.has(name) || connection.has(name) || OWN.has(name)) continue;
    for (const value of entry.values) add(entry.name, value);
  }
  const length = exchange.received('content-length');
  const { bodyLength } = exchange;
  if (bodyLength !== undefined) add('Content-Length', String(bodyLength));
  else if (length !== undefined) add('Content-Length', length);
  const client = request.socket.remoteAddress ?? '';
  const forwarded = exchange.received('x-forwarded-for');
  const [host = '', port] = (exchange.received('host') ?? '').split(':');
  add('X-Forwarded-For', forwarded === undefined ? client : `${forwarded}, ${client}`);
  add('X-Forwarded-Proto', 'http');
  add('X-Forwarded-Host', host);
  add('X-Forwarded-Port', port ?? String(request.socket.localPort ?? 80));
  add('X-Forwarded-Path', exchange.rawPath);
  add('X-Real-IP', client);
  add('X-Kong-Request-Id', exchange.requestId);
  add('Via', VIA);
  return flat;
}

/** Written by the gateway; what the client sent under these names is not passed on. */
const OWN = new Set([
  'host',
  'content-length',
  'expect',
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-path',
  'x-forwarded-prefix',
  'x-real-ip',
  'x-kong-request-id',
  'via',
]);

function dropped(connection: string | undefined): Set<string> {
  return new Set(
    (connection ?? '')
      .toLowerCase()
      .split(',')
      .map((name) => name.trim()),
  );
}

/** Resolves when the answer was sent or either side broke off; a broken upstream ends the client's connection. */
function deliver(exchange: Exchange, answer: IncomingMessage, added: Record<string, string>): Promise<void> {
  const flat: string[] = [];
  const replaced = new Set(Object.keys(added).map((name) => name.toLowerCase()));
  const connection = dropped(answer.headers.connection);
  for (let at = 0; at + 1 < answer.rawHeaders.length; at += 2) {
    const name = answer.rawHeaders[at] as string;
    const lower = name.toLowerCase();
    if (HOP_BY_HOP.has(lower) || connection.has(lower) || replaced.has(lower)) continue;
    flat.push(name, answer.rawHeaders[at + 1] as string);
  }
  for (const [name, value] of Object.entries(added)) flat.push(name, value);
  if (answer.headers.server === undefined) flat.push('Server', SERVER);
  flat.push('Via', VIA, 'X-Kong-Request-Id', exchange.requestId);
  const { response } = exchange;
  return new Promise((resolve) => {
    response.writeHead(answer.statusCode ?? 502, answer.statusMessage, flat);
    // The first event of a stream may be long in coming; its headers are not to wait for it.
    if (answer.headers['content-length'] === undefined) response.flushHeaders();
    pipeline(answer, response, () => resolve());
  });
}
