import { Metrics } from '@sociograph/observability';
import type { Queryable } from '@sociograph/postgres';
import { OutboxFigures } from './outbox-figures';

function setUp() {
  const metrics = new Metrics({ service: 'spec', instance: '0', processMetrics: false });
  const clock = { now: 0, monotonicMs: () => clock.now };
  const database = { rows: [] as object[], asked: 0, away: false };
  const postgres = {
    query: async () => {
      if (database.away) throw new Error('away');
      database.asked += 1;
      return { rows: database.rows, rowCount: database.rows.length };
    },
  } as unknown as Queryable;
  const values = async (name: string): Promise<unknown> =>
    Object.fromEntries(
      ((await metrics.registry.getSingleMetric(name)?.get())?.values ?? []).map(({ labels, value }) => [
        labels['kind'],
        value,
      ]),
    );
  return { clock, database, values, figures: new OutboxFigures(postgres, metrics, clock) };
}

describe('OutboxFigures', () => {
  it('says of each kind what waits and since when, and zero where nothing does', async () => {
    const { database, figures, values } = setUp();
    expect(await values('outbox_age_seconds')).toEqual({ task: 0, event: 0 });
    database.rows = [{ kind: 'event', rows: 3, ageSeconds: 1.5 }];
    await figures.look();
    expect(await values('outbox_rows')).toEqual({ task: 0, event: 3 });
    expect(await values('outbox_age_seconds')).toEqual({ task: 0, event: 1.5 });
  });

  it('asks once in two seconds', async () => {
    const { database, figures, values, clock } = setUp();
    await figures.look();
    clock.now = 1_999;
    database.rows = [{ kind: 'task', rows: 1, ageSeconds: 0.1 }];
    await figures.look();
    expect([database.asked, await values('outbox_rows')]).toEqual([1, { task: 0, event: 0 }]);
    clock.now = 2_000;
    await figures.look();
    expect([database.asked, await values('outbox_rows')]).toEqual([2, { task: 1, event: 0 }]);
  });

  it('lets the age grow while the database is away, of what it saw', async () => {
    const { database, figures, values, clock } = setUp();
    database.rows = [{ kind: 'task', rows: 1, ageSeconds: 2 }];
    await figures.look();
    database.away = true;
    clock.now = 4_000;
    await expect(figures.look()).rejects.toThrow('away');
    expect(await values('outbox_age_seconds')).toEqual({ task: 2, event: 0 });
    clock.now = 9_000;
    expect(await values('outbox_age_seconds')).toEqual({ task: 11, event: 0 });
  });
});
