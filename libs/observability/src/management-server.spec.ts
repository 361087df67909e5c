import { DomainError, type Clock } from '@sociograph/kernel';
import { handled } from './handled';
import { Health } from './health';
import { createLogger, type Logger } from './logger';
import { ManagementServer } from './management-server';
import { Metrics } from './metrics';

class SetClock implements Clock {
  at = 0;
  nowMs = (): number => this.at;
  monotonicMs = (): number => this.at;
}

describe('the management port', () => {
  const lines: Record<string, unknown>[] = [];
  let clock: SetClock;
  let health: Health;
  let metrics: Metrics;
  let logger: Logger;
  let server: ManagementServer;

  beforeEach(async () => {
    lines.splice(0);
    const destination = {
      write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>),
    };
    logger = createLogger({ service: 's', instance: '1', level: 'info', destination });
    clock = new SetClock();
    health = new Health(clock);
    metrics = new Metrics({ service: 's', instance: '1', processMetrics: false });
    server = new ManagementServer({ port: 0, host: '127.0.0.1', metrics, health, logger });
    await server.start();
  });
  afterEach(() => server.close());

  async function get(path: string): Promise<{ status: number; body: Record<string, unknown> }> {
    const response = await fetch(server.url + path);
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  }

  it('is not ready before the start is over and after the end has begun', async () => {
    expect(await get('/health/startup')).toMatchObject({
      status: 503,
      body: { status: 'starting', started: false },
    });
    expect((await get('/health/ready')).status).toBe(503);
    health.startup(true);
    expect(await get('/health/startup')).toMatchObject({
      status: 200,
      body: { status: 'up', started: true },
    });
    expect((await get('/health/ready')).status).toBe(200);
    health.stop();
    expect(await get('/health/ready')).toMatchObject({ status: 503, body: { status: 'stopping' } });
    expect((await get('/health/live')).status).toBe(200);
  });

  it('stays ready when a server is away, and says degraded', async () => {
    health.startup(true);
    health.check('kafka', () => Promise.resolve('up'));
    health.check('redis', () => Promise.reject(new Error('away')));
    expect(await get('/health/ready')).toMatchObject({
      status: 200,
      body: { status: 'degraded', checks: { kafka: 'up', redis: 'degraded' } },
    });
  });

  it('takes no answer within 2 s as degraded', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick'] });
    health.check('slow', () => new Promise(() => undefined));
    const report = health.report();
    await jest.advanceTimersByTimeAsync(1999);
    let settled = false;
    void report.then(() => (settled = true));
    await Promise.resolve();
    expect(settled).toBe(false);
    await jest.advanceTimersByTimeAsync(1);
    jest.useRealTimers();
    expect((await report).checks).toEqual({ slow: 'degraded' });
  });

  it('is not alive once a loop that owes beats went quiet', async () => {
    health.beat('consumer');
    health.beat('relay', 500);
    clock.at = 500;
    expect((await get('/health/live')).status).toBe(200);
    clock.at = 501;
    expect(await get('/health/live')).toEqual({ status: 503, body: { live: false } });
    health.rest('relay');
    clock.at = 10_000;
    expect((await get('/health/live')).status).toBe(200);
    clock.at = 10_001;
    expect((await get('/health/live')).status).toBe(503);
    expect((await health.report()).beats).toEqual({ consumer: 10_001 });
  });

  it('shows metrics with service and instance', async () => {
    metrics.counter('calls_total', 'Calls', ['kind']).inc({ kind: 'x' });
    metrics.counter('calls_total', 'Calls', ['kind']).inc({ kind: 'x' });
    metrics.gauge('open', 'Open').set(4);
    const text = await (await fetch(`${server.url}/metrics`)).text();
    expect(text).toContain('calls_total{kind="x",service="s",instance="1"} 2');
    expect(text).toContain('open{service="s",instance="1"} 4');
  });

  it('shows the lag of the event loop unless told not to', async () => {
    const process = new Metrics({ service: 's', instance: '1' });
    expect(await process.registry.metrics()).toContain('nodejs_eventloop_lag_seconds');
    expect(await metrics.registry.metrics()).toBe('\n');
  });

  it('shows details that parts of the service add', async () => {
    server.detail('circuits', () => Promise.resolve({ vk: 'closed' }));
    expect(await get('/details')).toMatchObject({
      status: 200,
      body: {
        circuits: { vk: 'closed' },
        pid: process.pid,
        logLevel: 'info',
        health: { status: 'starting' },
      },
    });
  });

  it('shows no stack when a detail fails', async () => {
    server.detail('broken', () => {
      throw new Error('inside');
    });
    expect(await get('/details')).toEqual({ status: 500, body: { error: 'internal error' } });
    expect(lines.map((line) => line['msg'])).toEqual(['management request failed']);
  });

  it('changes the log level at run time', async () => {
    const put = (body: string): Promise<Response> =>
      fetch(`${server.url}/log-level`, { method: 'PUT', body });
    expect((await put('{"level":"debug"}')).status).toBe(200);
    expect(await get('/log-level')).toEqual({ status: 200, body: { level: 'debug' } });
    for (const body of ['{"level":"loud"}', '{', 'null', '', `{"level":"info","x":"${'y'.repeat(1100)}"}`]) {
      expect((await put(body)).status).toBe(400);
    }
    expect(logger.level).toBe('debug');
    expect((await fetch(`${server.url}/log-level`, { method: 'DELETE' })).status).toBe(405);
  });

  it('has nothing else', async () => {
    expect((await get('/')).status).toBe(404);
    expect((await fetch(`${server.url}/metrics`, { method: 'POST' })).status).toBe(405);
  });

  it('stops twice without complaint', async () => {
    const { url } = server;
    await server.close();
    await server.close();
    await expect(fetch(url)).rejects.toThrow();
  });

  it('records a handler that succeeds in one line and one observation', async () => {
    const handler = handled('apply', { logger, metrics }, (a: number, b: number) => Promise.resolve(a + b));
    expect(await handler(2, 3)).toBe(5);
    expect(lines).toEqual([expect.objectContaining({ level: 'info', msg: 'handled', handler: 'apply' })]);
    const text = await metrics.registry.metrics();
    expect(text).toContain(
      'handler_duration_seconds_count{service="s",instance="1",handler="apply",outcome="ok"} 1',
    );
    expect(text).toContain('handler_in_flight{handler="apply",service="s",instance="1"} 0');
  });

  it.each([
    ['a DomainError', new DomainError({ code: 'A.B', kind: 'conflict', message: 'No.' }), 'conflict', 'warn'],
    ['anything else', new Error('x'), 'bug', 'error'],
  ])(
    'records a handler that fails with %s once and lets the error through',
    async (_what, error, outcome, level) => {
      const handler = handled('apply', { logger, metrics, successLevel: 'debug', kind: 'consumer' }, () =>
        Promise.reject(error),
      );
      await expect(handler()).rejects.toBe(error);
      expect(lines).toEqual([
        expect.objectContaining({ level, msg: 'handler failed', handler: 'apply', outcome }),
      ]);
      expect(await metrics.registry.metrics()).toContain(`handler="apply",outcome="${outcome}"} 1`);
    },
  );
});
