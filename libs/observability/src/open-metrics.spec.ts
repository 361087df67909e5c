import { Health } from './health';
import { createLogger } from './logger';
import { ManagementServer } from './management-server';
import { Metrics } from './metrics';
import { openMetricsText } from './open-metrics';
import { inSpan, startTracing, type Tracing } from './tracing';
import { workerErrors } from './worker-errors';

const aRegistry = (): Metrics => new Metrics({ service: 's', instance: '1', processMetrics: false });

describe('metrics in the OpenMetrics format', () => {
  let tracing: Tracing;
  beforeEach(() => (tracing = startTracing({ service: 's', instance: '1', sampleRatio: 1 })));
  afterEach(() => tracing.shutdown());

  it('keep every name, say unknown of counters without the suffix, and end as they must', async () => {
    const metrics = aRegistry();
    metrics.counter('made_total', 'Things "made"', ['kind']).inc({ kind: 'a"b\\c\nd' }, 2);
    workerErrors(metrics).inc({ work: 'chores' });
    metrics.gauge('depth', 'Now').set(-Infinity);
    expect((await openMetricsText(metrics.registry)).split('\n')).toEqual([
      '# HELP made Things \\"made\\"',
      '# TYPE made counter',
      'made_total{kind="a\\"b\\\\c\\nd",service="s",instance="1"} 2',
      expect.stringMatching(/^# HELP worker_errors \w/) as string,
      '# TYPE worker_errors unknown',
      'worker_errors{work="chores",service="s",instance="1"} 1',
      '# HELP depth Now',
      '# TYPE depth gauge',
      'depth{service="s",instance="1"} -Inf',
      '# EOF',
      '',
    ]);
    // Writing it leaves the registry as it was.
    expect(await metrics.registry.metrics()).toContain('\nmade_total{kind=');
  });

  it('name the trace of the last observation of a bucket, however it was observed', async () => {
    const metrics = aRegistry();
    const seconds = metrics.histogram('work_seconds', 'x', ['of'], [1, 2]);
    const plain = metrics.histogram('plain_seconds', 'x', [], [1]);
    const ids = await Promise.all(
      [0.5, 1.5].map((value) =>
        inSpan('work', {}, (span) => {
          seconds.observe({ of: 'a' }, value);
          return span.spanContext().traceId;
        }),
      ),
    );
    const timed = await inSpan('work', {}, (span) => {
      plain.observe(3);
      const took = seconds.startTimer({ of: 'b' })();
      expect(took).toBeGreaterThanOrEqual(0);
      expect(took).toBeLessThan(1);
      return span.spanContext().traceId;
    });
    seconds.observe({ of: 'outside' }, 0.5);
    const lines = (await openMetricsText(metrics.registry)).split('\n');
    const bucket = (of: string, le: string): string =>
      lines.find((line) => line.startsWith(`work_seconds_bucket{le="${le}",of="${of}"`)) ?? '';
    expect(bucket('a', '1')).toMatch(new RegExp(`\\} 1 # \\{trace_id="${ids[0]}"\\} 0\\.5 \\d+(\\.\\d+)?$`));
    expect(bucket('a', '2')).toMatch(new RegExp(`\\} 2 # \\{trace_id="${ids[1]}"\\} 1\\.5 \\d+(\\.\\d+)?$`));
    expect(bucket('b', '1')).toContain(`# {trace_id="${timed}"}`);
    expect(bucket('outside', '1')).toMatch(/\} 1$/);
    expect(
      lines.filter((line) => line.startsWith('plain_seconds_')).map((line) => line.split('} ')[1]),
    ).toEqual(['0', expect.stringMatching(/^1/) as string, '3', '1']);
  });

  it('name no trace that was sampled out', async () => {
    await tracing.shutdown();
    tracing = startTracing({ service: 's', instance: '1', sampleRatio: 0 });
    const metrics = aRegistry();
    const seconds = metrics.histogram('work_seconds', 'x', [], [1]);
    await inSpan('work', {}, () => seconds.observe(0.5));
    expect(await openMetricsText(metrics.registry)).not.toContain('trace_id');
  });

  it('are given to who asks for them, the older format to everybody else', async () => {
    const metrics = aRegistry();
    metrics.counter('made_total', 'x').inc();
    const server = new ManagementServer({
      port: 0,
      host: '127.0.0.1',
      metrics,
      health: new Health(),
      logger: createLogger({ service: 's', instance: '1', level: 'silent' }),
    });
    await server.start();
    try {
      const asked = async (headers: Record<string, string>): Promise<[string | null, string]> => {
        const response = await fetch(`${server.url}/metrics`, { headers });
        return [response.headers.get('content-type'), (await response.text()).split('\n').slice(0, 2).join()];
      };
      expect(await asked({ accept: 'application/openmetrics-text;version=1.0.0,text/plain;q=0.5' })).toEqual([
        'application/openmetrics-text; version=1.0.0; charset=utf-8',
        '# HELP made x,# TYPE made counter',
      ]);
      expect(await asked({})).toEqual([
        'text/plain; version=0.0.4; charset=utf-8',
        '# HELP made_total x,# TYPE made_total counter',
      ]);
    } finally {
      await server.close();
    }
  });
});
