import { QUOTAS, type Quota, useHash } from '@sociograph/auth';
import { Metrics } from '@sociograph/observability';
import type { Queryable } from '@sociograph/postgres';
import { identityMetrics } from '../metrics';
import { FleetFigures } from './fleet-figures';

const DEFAULTS = Object.fromEntries(QUOTAS.map((quota) => [quota, 100])) as Record<Quota, number>;

async function figuresOf(workspaces: object[], told: Record<string, Record<string, string>>) {
  const registry = new Metrics({ service: 's', instance: '0', processMetrics: false });
  const worker = { query: async () => ({ rows: workspaces, rowCount: workspaces.length }) };
  const redis = { hgetall: async (hash: string) => told[hash] ?? {} };
  const figures = new FleetFigures(
    worker as unknown as Queryable,
    redis,
    { ...DEFAULTS, exports: 0 },
    identityMetrics(registry),
  );
  await figures.look();
  return async (name: string): Promise<Record<string, number>> =>
    Object.fromEntries(
      ((await registry.registry.getSingleMetric(name)?.get())?.values ?? []).map(({ labels, value }) => [
        labels['quota'] ?? 'all',
        value,
      ]),
    );
}

describe('the figures of the fleet', () => {
  it('count workspaces and members', async () => {
    const value = await figuresOf(
      [
        { id: 'a', members: 2, limits: null },
        { id: 'b', members: 85, limits: null },
      ],
      {},
    );
    expect([await value('identity_workspaces'), await value('identity_members')]).toEqual([
      { all: 2 },
      { all: 87 },
    ]);
    expect((await value('identity_quota_use_ratio'))['members']).toBe(0.85);
    expect((await value('identity_quotas_near_limit'))['members']).toBe(1);
  });

  it('add up what the services tell and compare it with the limit that was set, else the usual one', async () => {
    const value = await figuresOf([{ id: 'a', members: 0, limits: { keys: 10 } }], {
      [useHash('key-service')]: { a: '{"keys":7}', stranger: '{"keys":79}' },
      [useHash('parser-service')]: { a: '{"keys":1,"running-imports":5}' },
      [useHash('graph-storage-service')]: { a: '{"exports":3}' },
    });
    expect(await value('identity_quota_use_ratio')).toMatchObject({
      keys: 0.8,
      'running-imports': 0.05,
      exports: 1,
      people: 0,
    });
    expect(await value('identity_quotas_near_limit')).toMatchObject({ keys: 1, exports: 1, people: 0 });
  });
});
