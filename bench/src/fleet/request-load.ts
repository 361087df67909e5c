import { Agent, request } from 'node:http';
import type { TokenSource } from '@sociograph/api-client';
import { pause } from './endless-imports';

export interface LoadRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: string;
}

export interface LoadFigures {
  readonly sent: number;
  readonly succeeded: number;
  /** By status, or by the code of a failed connection. */
  readonly failed: Readonly<Record<string, number>>;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const TIMEOUT_MS = 15_000;
const TICK_MS = 10;
/** More than this under way: the load is no longer what it should be, which `sent` then shows. */
const MOST_UNDER_WAY = 512;

/** Requests through the gateway over kept connections; the next one is drawn by `next`. */
export class RequestLoad {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: MOST_UNDER_WAY });
  readonly #url: URL;
  #running = false;
  #under = 0;
  #counts = new Counts();

  constructor(
    gatewayUrl: string,
    private readonly tokens: TokenSource,
    private readonly next: () => LoadRequest,
  ) {
    this.#url = new URL(gatewayUrl);
  }

  get figures(): LoadFigures {
    return this.#counts.figures();
  }

  /** So many at once, each followed by the next, for so long. */
  async closed(connections: number, ms: number): Promise<LoadFigures> {
    this.#counts = new Counts();
    const until = performance.now() + ms;
    await Promise.all(
      Array.from({ length: connections }, async () => {
        while (performance.now() < until) await this.#one(this.next());
      }),
    );
    return this.figures;
  }

  /** So many a second, however long the answers take, until `stop`. */
  open(perSecond: number): this {
    this.#counts = new Counts();
    this.#running = true;
    void this.#pace(perSecond);
    return this;
  }

  /** Resolves when what is under way is answered. */
  async stop(): Promise<LoadFigures> {
    this.#running = false;
    const deadline = performance.now() + TIMEOUT_MS + 5_000;
    while (this.#under > 0 && performance.now() < deadline) await pause(TICK_MS);
    const { figures } = this;
    this.#agent.destroy();
    return figures;
  }

  async #pace(perSecond: number): Promise<void> {
    const began = performance.now();
    for (let begun = 0; this.#running; await pause(TICK_MS)) {
      const due = ((performance.now() - began) * perSecond) / 1000;
      for (; begun < due; begun += 1) if (this.#under < MOST_UNDER_WAY) void this.#one(this.next());
    }
  }

  async #one({ method, path, body }: LoadRequest): Promise<void> {
    const counts = this.#counts;
    this.#under += 1;
    try {
      const token = await this.tokens.token();
      const began = performance.now();
      const outcome = await this.#send(method, path, body, token);
      counts.note(
        outcome,
        performance.now() - began,
        `${method} ${path.replace(/\/\d+/g, '/N').split('?')[0]}`,
      );
    } catch {
      counts.note('no token', 0, 'token');
    } finally {
      this.#under -= 1;
    }
  }

  #send(method: string, path: string, body: string | undefined, token: string): Promise<string> {
    const { hostname, port } = this.#url;
    const headers = {
      authorization: `Bearer ${token}`,
      ...(body === undefined
        ? {}
        : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) }),
    };
    return new Promise((resolve) => {
      const asked = request({ hostname, port, path, method, headers, agent: this.#agent }, (answer) => {
        answer.resume();
        answer.once('end', () => resolve(String(answer.statusCode)));
        answer.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'BROKEN'));
      });
      asked.setTimeout(TIMEOUT_MS, () =>
        asked.destroy(Object.assign(new Error('late'), { code: 'TIMEOUT' })),
      );
      asked.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'ERROR'));
      asked.end(body);
    });
  }
}

class Counts {
  readonly #began = performance.now();
  readonly #failed: Record<string, number> = {};
  readonly #times: number[] = [];
  #sent = 0;
  #succeeded = 0;

  note(outcome: string, ms: number, what: string): void {
    this.#sent += 1;
    if (/^2\d\d$/.test(outcome)) {
      this.#succeeded += 1;
      this.#times.push(ms);
    } else this.#failed[`${outcome} ${what}`] = (this.#failed[`${outcome} ${what}`] ?? 0) + 1;
  }

  figures(): LoadFigures {
    const times = [...this.#times].sort((a, b) => a - b);
    const at = (share: number): number =>
      times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? NaN;
    return {
      sent: this.#sent,
      succeeded: this.#succeeded,
      failed: { ...this.#failed },
      perSecond: this.#succeeded / ((performance.now() - this.#began) / 1000),
      p50Ms: at(0.5),
      p99Ms: at(0.99),
    };
  }
}
