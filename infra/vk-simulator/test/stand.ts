import http from 'node:http';
import { gunzipSync } from 'node:zlib';
import { buildNormalGraph } from '@sociograph/graph-file';
import type { NormalGraph } from '@sociograph/graph-file';
import { generateKeys } from '../src/keys';
import type { SimulatedKey } from '../src/keys';
import { firstRefreshToken } from '../src/oauth';
import { readSettings } from '../src/settings';
import { Simulator } from '../src/simulator';

// Hundreds of requests, and packs of megabytes, on a machine that others use too.
jest.setTimeout(30_000);

export interface Reply {
  status: number;
  headers: http.IncomingHttpHeaders;
  body: Buffer;
  json: Record<string, unknown>;
  ms: number;
}

const agent = new http.Agent({ keepAlive: true });

/** 1-2-3 and 1-3, 3-4, and 10 alone with 11. */
const SMALL = (): NormalGraph =>
  buildNormalGraph([1, 2, 3, 4, 10, 11], Uint32Array.from([0, 1, 1, 2, 0, 2, 2, 3, 4, 5]), 10, 0);

/** People 1..n, each the friend of the next six. */
export function ring(people: number): NormalGraph {
  const ends: number[] = [];
  for (let person = 0; person < people; person += 1) {
    for (let step = 1; step <= 6; step += 1) ends.push(person, (person + step) % people);
  }
  const ids = Array.from({ length: people }, (_, n) => n + 1);
  return buildNormalGraph(ids, Uint32Array.from(ends), ends.length, 0);
}

/** A simulator on a port of its own, without delay; keys 0-1 user, 2 service, 3 community. */
export class Bench {
  readonly keys: SimulatedKey[];
  private readonly simulator: Simulator;
  private readonly seed: number;
  port = 0;

  static async of(graph: NormalGraph, ...flags: string[]): Promise<Bench> {
    return new Bench(flags, graph).start();
  }

  static async start(...flags: string[]): Promise<Bench> {
    return new Bench(flags, SMALL()).start();
  }

  private constructor(flags: string[], graph: NormalGraph) {
    const settings = readSettings(['--graph', 'none', '--port', '0', '--delay', '0', ...flags], {});
    this.seed = settings.seed;
    this.keys = generateKeys(settings.seed, { user: 2, service: 1, community: 1 }, 1000);
    this.simulator = new Simulator(settings, graph, this.keys);
  }

  private async start(): Promise<this> {
    this.port = await this.simulator.listen();
    return this;
  }

  close(): Promise<void> {
    agent.destroy();
    return this.simulator.close();
  }

  /** The refresh token that a user's key begins with. */
  refreshToken(key: number): string {
    return firstRefreshToken(this.seed, this.keys[key] as SimulatedKey);
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/method`;
  }

  send(
    path: string,
    options: { method?: string; headers?: http.OutgoingHttpHeaders; body?: string | Buffer } = {},
  ): Promise<Reply> {
    const started = performance.now();
    return new Promise((resolve, reject) => {
      const request = http.request(
        { port: this.port, path, agent, method: options.method ?? 'GET', headers: options.headers ?? {} },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('error', reject);
          response.on('end', () => {
            const raw = Buffer.concat(chunks);
            const body = response.headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw;
            const isJson =
              String(response.headers['content-type']).startsWith('application/json') && body.length > 0;
            const json = isJson ? parsed(body.toString()) : {};
            resolve({
              status: response.statusCode ?? 0,
              headers: response.headers,
              body,
              json,
              ms: performance.now() - started,
            });
          });
        },
      );
      request.on('error', reject);
      request.end(options.body);
    });
  }

  /** As vk-io sends: POST, urlencoded, the token in the body. */
  call(method: string, parameters: Record<string, string | number>, key = 0): Promise<Reply> {
    const form = new URLSearchParams({ access_token: (this.keys[key] as SimulatedKey).token, v: '5.199' });
    for (const [name, value] of Object.entries(parameters)) form.set(name, String(value));
    return this.send(`/method/${method}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        'accept-encoding': 'gzip,deflate',
        connection: 'keep-alive',
      },
      body: form.toString(),
    });
  }

  reset(): Promise<Reply> {
    return this.send('/reset', { method: 'POST' });
  }

  /** A page of the simulator itself. */
  async page(path: string, method = 'GET'): Promise<Record<string, unknown>> {
    return (await this.send(path, { method })).json;
  }

  /** The `response` of a call that must succeed; the second window is emptied before it. */
  async response<T>(method: string, parameters: Record<string, string | number>, key = 0): Promise<T> {
    await this.page('/clock?advance=1000', 'POST');
    const { json } = await this.call(method, parameters, key);
    if (!('response' in json)) throw new Error(`${method} failed: ${JSON.stringify(json)}`);
    return json['response'] as T;
  }

  /** The code of a call that must fail; the second window is emptied before it. */
  async refusal(
    method: string,
    parameters: Record<string, string | number>,
    key = 0,
  ): Promise<[number, string]> {
    await this.page('/clock?advance=1000', 'POST');
    return errorOf(await this.call(method, parameters, key));
  }
}

export const errorOf = (reply: Reply): [number, string] => {
  const { error_code, error_msg } = reply.json['error'] as { error_code: number; error_msg: string };
  if (reply.status !== 200) throw new Error(`status ${reply.status}`);
  return [error_code, error_msg];
};

/** Nothing for what is no JSON: a truncated answer. */
function parsed(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return {};
  }
}
