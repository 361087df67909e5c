import type { IncomingMessage } from 'node:http';
import type { AnswerHead } from './answer-parser';
import type { Service } from './configuration';
import { Delivery } from './deliver';
import type { Exchange } from './exchange';
import type { TargetHealth } from './target-health';
import type { Address, RoundRobin } from './targets';
import { UpstreamPool } from './upstream-connection';
import type { Failure } from './upstream-connection';
import { askUpstream, Failed } from './upstream-request';

/** POST and PATCH are never sent a second time: they may have had their effect. */
const REPEATABLE = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);
/** So often a request may meet a connection that was closed meanwhile, beyond its retries. */
const MOST_STALE = 64;

export type Forwarded =
  | { kind: 'answered'; status: number; upstreamMs: number; bytes: number }
  | { kind: 'failed'; status: 502 | 503 | 504; message: string; upstreamMs: number }
  /** No target is healthy: nothing was tried. */
  | { kind: 'no-peer' }
  | { kind: 'client-left' };

/** Where the requests of a service go, and how. */
export interface Destination {
  service: Service;
  peers: RoundRobin;
  health: TargetHealth;
  /** Bodies are read whole before an upstream is asked. */
  buffersRequests: boolean;
}

/** Sends requests to targets and their answers back, over warm connections. */
export class Proxy {
  private readonly pool = new UpstreamPool();

  /** `prepare` gives the headers that the gateway adds to the answer. */
  async forward(
    exchange: Exchange,
    { service, peers, health, buffersRequests }: Destination,
    prepare: () => Record<string, string>,
  ): Promise<Forwarded> {
    const buffered = buffersRequests || exchange.body !== undefined;
    if (buffered && exchange.body === undefined && hasBody(exchange)) {
      exchange.body = await readWhole(exchange.request);
      if (exchange.body === undefined) return { kind: 'client-left' };
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
      const asked = address;
      let status = 0;
      let delivery: Delivery | undefined;
      const open = (head: AnswerHead): Delivery => {
        status = head.status;
        health.answered(asked, status);
        const headers = prepare();
        headers['X-Kong-Upstream-Latency'] = String(elapsed());
        headers['X-Kong-Proxy-Latency'] = String(proxyMs);
        return (delivery = new Delivery(exchange, head, headers));
      };
      try {
        await askUpstream(this.pool, exchange, asked, service, buffered, open);
        return { kind: 'answered', status, upstreamMs: elapsed(), bytes: delivery?.bytes ?? 0 };
      } catch (error) {
        if (!(error instanceof Failed)) throw error;
        failure = error.failure;
        if ((failure.reached && !repeatable) || failure.malformed) break;
        if (failure.stale && (stale += 1) <= MOST_STALE) attempt -= 1;
      }
    }
    if (exchange.response.destroyed) return { kind: 'client-left' };
    const [status, message] = verdict(failure);
    if (address !== undefined) health.answered(address, status);
    return { kind: 'failed', status, message, upstreamMs: elapsed() };
  }

  close(): void {
    this.pool.close();
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

/** Undefined when the client left before it had sent everything. */
async function readWhole(request: IncomingMessage): Promise<Buffer[] | undefined> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of request) chunks.push(chunk as Buffer);
  } catch {
    return undefined;
  }
  return chunks;
}
