import http from 'node:http';
import type { ServerResponse } from 'node:http';
import { eventually } from '@sociograph/testing';
import { aDocument, aRoute, GatewayBench, Upstream } from './bench';

const WORKERS = 6;
const wait = { timeoutMs: 20_000, everyMs: 10 };
const document = () =>
  aDocument(
    [aRoute('all', ['/'], { response_buffering: false })],
    {},
    { read_timeout: 60_000, connect_timeout: 20_000 },
  );

/** Asks whichever of several gateways is in turn, over connections that it keeps. */
class Clients {
  /** What a balancer sends requests to. */
  listed: GatewayBench[] = [];
  readonly failures: string[] = [];
  readonly closing = new Map<GatewayBench, number>();
  answered = 0;
  private readonly agents = new Map<GatewayBench, http.Agent>();
  private readonly underWay = new Map<GatewayBench, number>();
  private running = true;
  private turn = 0;

  async work(): Promise<void> {
    while (this.running) {
      const bench = this.listed[(this.turn += 1) % this.listed.length] as GatewayBench;
      this.underWay.set(bench, this.asking(bench) + 1);
      await this.ask(bench).catch((error: Error) => this.failures.push(error.message));
      this.underWay.set(bench, this.asking(bench) - 1);
      this.answered += 1;
    }
  }

  asking(bench: GatewayBench): number {
    return this.underWay.get(bench) ?? 0;
  }

  async stop(workers: Promise<void>[]): Promise<void> {
    this.running = false;
    await Promise.all(workers);
    for (const agent of this.agents.values()) agent.destroy();
  }

  private ask(bench: GatewayBench): Promise<void> {
    let agent = this.agents.get(bench);
    if (agent === undefined) this.agents.set(bench, (agent = new http.Agent({ keepAlive: true })));
    return new Promise((resolve, reject) => {
      http
        .get({ host: '127.0.0.1', port: bench.port, path: '/', agent }, (answer) => {
          if (answer.statusCode !== 200) this.failures.push(`status ${answer.statusCode}`);
          if (answer.headers.connection === 'close')
            this.closing.set(bench, (this.closing.get(bench) ?? 0) + 1);
          answer.resume();
          answer.on('error', reject);
          answer.on('end', resolve);
        })
        .on('error', reject);
    });
  }
}

describe('a gateway that ends', () => {
  let upstream: Upstream;
  beforeAll(async () => {
    upstream = await new Upstream().start();
  });
  afterAll(() => upstream.stop());

  const start = (): Promise<GatewayBench> => new GatewayBench(document(), [upstream.port]).start();

  it('fails no request when two are replaced one after the other', async () => {
    upstream.behave = undefined;
    const clients = new Clients();
    const old = [await start(), await start()];
    clients.listed = [...old];
    const workers = Array.from({ length: WORKERS }, () => clients.work());
    const replaced: GatewayBench[] = [];
    for (const bench of old) {
      const many = clients.answered + 50;
      await eventually(() => expect(clients.answered).toBeGreaterThan(many), wait);
      let noticed: () => void = () => undefined;
      const drained = bench.gateway.drain(60_000, new Promise<void>((resolve) => (noticed = resolve)));
      expect(bench.gateway.ready).toBe(false);
      // Whoever is not told yet is served, and learns that this connection ends.
      await eventually(() => expect(clients.closing.get(bench) ?? 0).toBeGreaterThan(5), wait);
      replaced.push(await start());
      clients.listed = [...clients.listed.filter((one) => one !== bench), ...replaced.slice(-1)];
      await eventually(() => expect(clients.asking(bench)).toBe(0), wait);
      noticed();
      await drained;
      bench.counters.close();
    }
    const many = clients.answered + 50;
    await eventually(() => expect(clients.answered).toBeGreaterThan(many), wait);
    await clients.stop(workers);
    expect(clients.failures).toEqual([]);
    expect(replaced.map((bench) => clients.closing.get(bench))).toEqual([undefined, undefined]);
    await Promise.all(replaced.map((bench) => bench.stop()));
  }, 90_000);

  it('cuts streams that are left at its deadline, and takes nobody any more', async () => {
    const open: ServerResponse[] = [];
    upstream.behave = (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(': hello\n\n');
      open.push(response);
    };
    const bench = await start();
    const stream = bench.ask({});
    await eventually(() => expect(open).toHaveLength(1), wait);
    const drained = bench.gateway.drain(100);
    await expect(bench.ask({})).rejects.toThrow('ECONNREFUSED');
    const { status, complete } = await stream;
    expect([status, complete]).toEqual([200, false]);
    await drained;
    bench.counters.close();
  }, 60_000);

  it('lets a request under way be answered whole', async () => {
    let answer: (() => void) | undefined;
    upstream.behave = (_request, response) => (answer = () => response.end('late'));
    const bench = await start();
    const pending = bench.ask({});
    await eventually(() => expect(answer).toBeDefined(), wait);
    const drained = bench.gateway.drain(60_000);
    answer?.();
    expect(await pending).toMatchObject({ status: 200, body: 'late', complete: true });
    await drained;
    bench.counters.close();
  }, 60_000);
});
