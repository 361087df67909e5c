import { Metrics } from '@sociograph/observability';
import { BoundedKeyLabel, PrometheusPoolFigures } from './infrastructure/prometheus-pool-figures';
import { PrometheusPoolReport } from './infrastructure/prometheus-pool-report';
import { keyServiceMetrics } from './metrics';

function setUp(mostKeys = 200) {
  const registry = new Metrics({ service: 'key-service', instance: '0', processMetrics: false });
  const metrics = keyServiceMetrics(registry, () => 7);
  const label = new BoundedKeyLabel(mostKeys);
  const lines: unknown[][] = [];
  const logger = {
    info: (...line: unknown[]) => lines.push(line),
    warn: (...line: unknown[]) => lines.push(line),
  };
  const report = new PrometheusPoolReport(metrics, logger, label);
  const value = async (name: string): Promise<string[]> =>
    (await registry.registry.metrics())
      .split('\n')
      .filter((line) => line.startsWith(`${name}{`))
      .map((line) => line.slice(name.length).replace(/,?service="key-service",?|,?instance="0",?/g, ''));
  return { metrics, figures: new PrometheusPoolFigures(metrics, label), report, lines, value };
}

describe('the metrics of key-service', () => {
  it('have a key of their own for the first keys only', async () => {
    const { figures, report, value } = setUp(2);
    for (const key of ['k1', 'k2', 'k3', 'k1', 'k4']) figures.keyUsed(key, 2);
    expect(await value('api_key_usage_total')).toEqual([
      '{keyId="k1"} 4',
      '{keyId="k2"} 2',
      '{keyId="other"} 4',
    ]);
    figures.keyErred('k3', '6');
    report.keyChanged({ keyId: 'k2', kind: 'resting', code: 6, forMs: 1 });
    report.keyChanged({ keyId: 'k2', kind: 'method-resting', code: 29, forMs: 1 });
    report.keyChanged({ keyId: 'k9', kind: 'circuit-open', code: 0, forMs: 1 });
    report.keyChanged({ keyId: 'k9', kind: 'network-circuit-closed', code: 0, forMs: 1 });
    expect(await value('api_key_errors_total')).toEqual(['{keyId="other",code="6"} 1']);
    expect(await value('api_key_backoff_count')).toEqual(['{keyId="k2"} 2', '{keyId="other"} 1']);
    expect(await value('api_circuits_total')).toEqual([
      '{scope="key",change="opened"} 1',
      '{scope="network",change="closed"} 1',
    ]);
  });

  it('say what was called, lost and waited for', async () => {
    const { figures, value } = setUp();
    figures.called('vk', 'friends.get', 'ok', 25);
    figures.slotLost('vk', 'too-late');
    figures.slotLost('vk', 'something new');
    figures.waited(0.2);
    figures.held(3);
    expect(await value('api_calls_total')).toEqual(['{network="vk",method="friends.get",result="ok"} 25']);
    expect(await value('lease_slots_lost_total')).toEqual([
      '{network="vk",cause="too-late"} 1',
      '{network="vk",cause="other"} 1',
    ]);
    expect(await value('lease_wait_seconds_sum')).toEqual(['{} 0.2']);
    expect(await value('lease_hold_seconds_sum')).toEqual(['{} 3']);
    expect(await value('queue_length')).toEqual(['{queue="lease-line"} 7']);
  });

  it('say how the pool is', async () => {
    const { report, value, lines } = setUp();
    report.keysByState(new Map([['active', 3]]));
    report.keysByState(new Map([['paused', 1]]));
    expect(await value('api_keys')).toEqual(['{state="paused"} 1']);
    report.utilisation(new Map([['vk', 0.97]]));
    expect(await value('pool_utilisation_ratio')).toEqual(['{network="vk"} 0.97']);
    report.margin('vk', 23.5);
    expect(await value('pool_margin_seconds')).toEqual(['{network="vk"} 0.0235']);
    report.budgets(new Map([['day', { booked: 100, spent: 40 }]]));
    expect(await value('pool_budget_booked_calls')).toEqual(['{limit="day"} 100']);
    expect(await value('pool_budget_spent_calls')).toEqual(['{limit="day"} 40']);
    report.budgets(new Map());
    expect(await value('pool_budget_booked_calls')).toEqual([]);
    expect(await value('pool_budget_spent_calls')).toEqual([]);
    report.usesWritten('dropped', 3);
    expect(await value('key_uses_total')).toEqual(['{outcome="dropped"} 3']);
    const fault = new Error('away');
    report.failed('it could not be done', fault);
    expect(await value('worker_errors')).toEqual(['{work="background"} 1']);
    expect(lines).toEqual([[{ err: fault }, 'it could not be done']]);
  });
});
