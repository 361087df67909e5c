import { eventually, freePort } from '@sociograph/testing';
import { readConfiguration } from '../embedded/configuration';
import { healthRules, TargetHealth } from '../embedded/target-health';
import { stringify } from 'yaml';
import { aDocument, aRoute, GatewayBench, Upstream } from './bench';

const a = { target: 'svc:3000', host: '10.0.0.1', port: 1 };
const b = { target: 'svc:3000', host: '10.0.0.2', port: 1 };
const unhealthy = { http_failures: 2, tcp_failures: 3, timeouts: 1, http_statuses: [502] };
const passive = { healthy: { successes: 1 }, unhealthy };
const rules = (value: object = { passive }) => healthRules(value, 'healthchecks');

describe('passive checks', () => {
  it('leave out an address at the limit of each kind of failure, and only that one', () => {
    for (const [times, fail] of [
      [2, (health: TargetHealth) => health.answered(a, 502)],
      [3, (health: TargetHealth) => health.broke(a)],
      [1, (health: TargetHealth) => health.timedOut(a)],
      [1, (health: TargetHealth) => health.answered(a, 504)],
    ] as const) {
      const health = new TargetHealth([a, b], rules());
      for (let n = 1; n <= times; n += 1) {
        expect(health.isHealthy(a)).toBe(true);
        fail(health);
      }
      expect([health.isHealthy(a), health.isHealthy(b)]).toEqual([false, true]);
    }
  });

  it('count failures in a row: a success forgets them, other statuses say nothing', () => {
    const health = new TargetHealth([a], rules());
    health.answered(a, 502);
    health.answered(a, 200);
    health.answered(a, 502);
    expect(health.isHealthy(a)).toBe(true);
    health.answered(a, 503);
    health.answered(a, 404);
    health.answered(a, 502);
    expect(health.isHealthy(a)).toBe(false);
  });

  it('are off without limits', () => {
    const health = new TargetHealth([a], rules({}));
    for (let n = 0; n < 300; n += 1) {
      health.broke(a);
      health.timedOut(a);
      health.answered(a, 500);
    }
    expect([health.isHealthy(a), health.isOff]).toEqual([true, true]);
    expect(new TargetHealth([a], rules()).isOff).toBe(false);
  });

  it('go on under a configuration with the same addresses and rules', () => {
    const health = new TargetHealth([a, b], rules());
    expect(health.fits([b, a, a], rules())).toBe(true);
    expect(health.fits([a], rules())).toBe(false);
    expect(health.fits([a, b], rules({}))).toBe(false);
  });

  it.each([
    [{ passive: { type: 'tcp' } }, 'healthchecks.passive.type is "tcp"; this gateway knows only "http".'],
    [{ threshold: 1 }, 'healthchecks has the unknown field "threshold".'],
    [
      { active: { healthy: { interval: -1 } } },
      'healthchecks.active.healthy.interval must be a whole number',
    ],
  ])('are refused when they hold %j', (value, sentence) => {
    expect(() => rules(value)).toThrow(sentence);
  });
});

describe('active checks', () => {
  it('leave out what does not answer and bring it back', async () => {
    let outcome: number | 'broke' | 'timed-out' = 'broke';
    const asked: string[] = [];
    const active = {
      http_path: '/health/live',
      healthy: { interval: 1, successes: 1, http_statuses: [200] },
      unhealthy: { interval: 1, tcp_failures: 1, timeouts: 1, http_failures: 1 },
    };
    const health = new TargetHealth([a], rules({ active }), (address, path, timeoutMs) => {
      asked.push(`${address.host} ${path} ${timeoutMs}`);
      return Promise.resolve(outcome);
    });
    for (const [next, expected] of [
      ['broke', false],
      [200, true],
      ['timed-out', false],
      [200, true],
      [500, false],
    ] as const) {
      outcome = next;
      await eventually(() => expect(health.isHealthy(a)).toBe(expected), { timeoutMs: 20_000, everyMs: 20 });
    }
    expect(new Set(asked)).toEqual(new Set(['10.0.0.1 /health/live 1000']));
    expect(health.states()).toEqual([{ address: a, healthy: false }]);
    health.stop();
  }, 60_000);
});

describe('a gateway with health checks', () => {
  const document = (healthchecks: object) =>
    aDocument(
      [aRoute('all', ['/'])],
      { upstreams: [{ name: 'svc.upstream', targets: [{ target: 'svc:3000' }], healthchecks }] },
      { retries: 1, connect_timeout: 5000, read_timeout: 5000 },
    );

  it('answers 503 when no target is healthy, and goes on by itself when one is back', async () => {
    const port = await freePort();
    const active = {
      http_path: '/health/live',
      timeout: 5,
      healthy: { interval: 0, successes: 1, http_statuses: [200] },
      unhealthy: { interval: 1 },
    };
    const bench = await new GatewayBench(document({ active, passive: { unhealthy: { tcp_failures: 1 } } }), [
      port,
    ]).start();
    const first = await bench.ask({});
    expect([first.status, JSON.parse(first.body).message]).toEqual([
      503,
      'The upstream server is currently unavailable',
    ]);
    const second = await bench.ask({});
    expect([second.status, JSON.parse(second.body).message]).toEqual([
      503,
      'failure to get a peer from the ring-balancer',
    ]);
    expect('via' in second.headers).toBe(false);
    const state = (): string =>
      bench.gateway.metrics
        .text()
        .split('\n')
        .filter((line) => line.startsWith('kong_upstream_target_health') && line.endsWith(' 1'))
        .join();
    expect(state()).toBe(
      `kong_upstream_target_health{upstream="svc.upstream",target="svc:3000",address="127.0.0.1:${port}",state="unhealthy",subsystem="http"} 1`,
    );
    // What is known outlives a change of configuration.
    bench.gateway.install(
      readConfiguration(
        stringify({ ...document({ active, passive: { unhealthy: { tcp_failures: 1 } } }), _comment: 'x' }),
      ),
    );
    expect((await bench.ask({})).status).toBe(503);
    const upstream = await new Upstream().start(port);
    await eventually(async () => expect((await bench.ask({})).status).toBe(200), {
      timeoutMs: 20_000,
      everyMs: 100,
    });
    expect(upstream.seen.map(({ url }) => url)).toContain('/health/live');
    await bench.stop();
    await upstream.stop();
  }, 60_000);

  it('asks no more than once for each request when one of two is left out', async () => {
    const upstream = await new Upstream().start();
    const bench = await new GatewayBench(document({ passive: { unhealthy: { tcp_failures: 1 } } }), [
      await freePort(),
      upstream.port,
    ]).start();
    for (let n = 0; n < 4; n += 1) expect((await bench.ask({})).status).toBe(200);
    expect(bench.gateway.metrics.text()).toContain('state="unhealthy",subsystem="http"} 1');
    await bench.stop();
    await upstream.stop();
  });
});
