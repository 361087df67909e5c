import { eventually } from '@sociograph/testing';
import { PgCallLedger } from '../src/infrastructure/pg-call-ledger';
import { PgImportEvents } from '../src/infrastructure/pg-import-events';
import { PgRetention } from '../src/infrastructure/pg-retention';
import { EVENT_EVERY_MS } from '../src/infrastructure/pg-rows';
import { PrismaImports } from '../src/infrastructure/prisma-imports';
import { anImport } from './builders';
import { describeImportLife } from './import-life.contract';
import { storm } from './life-storm';
import { risingId } from './rising-id';
import { scratchDatabase, type ScratchDatabase } from './scratch-database';

jest.setTimeout(120_000);

let database: ScratchDatabase;
let prisma: ScratchDatabase['prisma'];
let app: ScratchDatabase['app'];
let worker: ScratchDatabase['worker'];

beforeAll(async () => {
  database = await scratchDatabase();
  ({ prisma, app, worker } = database);
});

afterAll(() => database.drop());

describeImportLife('PostgreSQL', async () => ({
  imports: (most) => new PrismaImports(prisma, app, worker, most),
  ledger: new PgCallLedger(worker),
  events: new PgImportEvents(worker),
  id: risingId,
  async audited(importId) {
    const { rows } = await database.admin.query<{ action: string; actor: string; correlation: string }>(
      `SELECT payload->>'action' AS action, payload->'actor'->>'id' AS actor, payload->>'correlationId' AS correlation
       FROM outbox WHERE message_type LIKE 'sociograph.audit%' AND payload->>'target' = $1 ORDER BY id`,
      [`import/${importId}`],
    );
    for (const row of rows) expect([row.actor, row.correlation]).toEqual(['ada', 'c-1']);
    return rows.map(({ action }) => action);
  },
  async ageEvents(importId, ms) {
    await database.admin.query(
      `UPDATE imports SET event_at = event_at - $2 * interval '1 ms' WHERE id = $1`,
      [importId, ms],
    );
  },
}));

describe('an import under random steps, answers and crashes, in PostgreSQL', () => {
  it.each([101, 102, 104])('loses nothing and counts nothing twice, seed %s', async (seed) => {
    const report = await storm(
      {
        imports: new PrismaImports(prisma, app, worker),
        ledger: new PgCallLedger(worker),
        id: risingId,
        async age(importId, ms) {
          await database.admin.query(
            `WITH t AS (UPDATE items SET ready_at = ready_at - $2 * interval '1 ms' WHERE import_id = $1)
             UPDATE calls SET dispatched_at = dispatched_at - $2 * interval '1 ms',
               begun_at = begun_at - $2 * interval '1 ms' WHERE import_id = $1`,
            [importId, ms],
          );
        },
      },
      seed,
      60,
    );
    expect(report.finished).toBeGreaterThan(5);
  });
});

describe('the events of an import in PostgreSQL', () => {
  it('are at most four a second, however many calls come', async () => {
    const [importId, workspaceId] = [risingId(), `w-${risingId()}`];
    const seeds = Array.from({ length: 40 }, (_, index) => String(index + 1));
    await new PrismaImports(prisma, app, worker).add(anImport({ id: importId, workspaceId, seeds }));
    const ledger = new PgCallLedger(worker);
    const startedAt = performance.now();
    for (let call = 0; call < 40; call += 1) {
      const callId = risingId();
      const calls = [{ callId, pack: { importId, kind: 'lists' as const, size: 1 } }];
      await ledger.dispatch({ workspaceId, network: 'toy' }, () => ({ calls, closed: [] }));
      const done = (await ledger.begin(callId)).map(({ person }) => person);
      const nothing = { gaps: [], long: [], more: [], again: [], found: [], positions: {} };
      await ledger.finish(callId, { ...nothing, done, friendshipObservations: 1 });
    }
    const passedMs = performance.now() - startedAt;
    const { rows } = await database.admin.query<{ count: number }>(
      'SELECT count(*) AS count FROM import_events WHERE import_id = $1',
      [importId],
    );
    expect(rows[0]?.count).toBeLessThanOrEqual(2 + passedMs / EVENT_EVERY_MS);
    const events = new PgImportEvents(worker);
    await eventually(
      async () => {
        await events.latest([importId]);
        expect((await events.since(importId, 0)).at(-1)?.counters.callsMade).toBe(40);
      },
      { timeoutMs: 20_000 },
    );
  });
});

describe('a look for events in PostgreSQL', () => {
  it('passes over an import that is being changed, and tells of it at the next look', async () => {
    const [importId, workspaceId] = [risingId(), `w-${risingId()}`];
    await new PrismaImports(prisma, app, worker).add(anImport({ id: importId, workspaceId, seeds: ['1'] }));
    await database.admin.query(
      `UPDATE imports SET event_due = true, event_at = event_at - interval '1 s' WHERE id = $1`,
      [importId],
    );
    const events = new PgImportEvents(worker);
    await worker.tx(async (q) => {
      await q.query('SELECT FROM imports WHERE id = $1 FOR UPDATE', [importId]);
      expect((await events.latest([importId])).get(importId)).toBe(1);
    });
    expect((await events.latest([importId])).get(importId)).toBe(2);
    expect((await events.since(importId, 0)).map(({ seq }) => seq)).toEqual([1, 2]);
  });
});

describe('what is old enough', () => {
  const importOf = async (days: number, state: 'cancelled' | 'running'): Promise<string> => {
    const [id, workspaceId] = [risingId(), `w-${risingId()}`];
    const imports = new PrismaImports(prisma, app, worker);
    await imports.add(anImport({ id, workspaceId, seeds: ['1', '2'] }));
    if (state === 'cancelled') await imports.change(workspaceId, id, (job) => job.step('cancel', 1));
    await database.admin.query(
      `UPDATE imports SET changed_at = now() - $2 * interval '1 day' WHERE id = $1`,
      [id, days],
    );
    return id;
  };
  const rowsOf = async (table: string, importId: string): Promise<number> => {
    const column = table === 'imports' ? 'id' : 'import_id';
    const sql = `SELECT count(*) AS count FROM ${table} WHERE ${column} = $1`;
    return (await database.admin.query<{ count: number }>(sql, [importId])).rows[0]?.count ?? 0;
  };
  const sweep = async (): Promise<void> => {
    const retention = new PgRetention(worker, { importsDays: 30, callsDays: 7, uploadsDays: 30 });
    while ((await retention.sweep()) > 0);
  };

  it('goes with everything of it, what is younger or runs stays', async () => {
    const [old, young, running] = [
      await importOf(31, 'cancelled'),
      await importOf(29, 'cancelled'),
      await importOf(400, 'running'),
    ];
    await sweep();
    for (const table of ['imports', 'items', 'import_events']) {
      expect([table, await rowsOf(table, old)]).toEqual([table, 0]);
      for (const id of [young, running]) expect([table, await rowsOf(table, id)]).not.toEqual([table, 0]);
    }
  });

  it('is an import that was deleted, at once', async () => {
    const id = await importOf(0, 'cancelled');
    await database.admin.query(`UPDATE imports SET state = 'deleted' WHERE id = $1`, [id]);
    await sweep();
    expect([await rowsOf('imports', id), await rowsOf('items', id)]).toEqual([0, 0]);
  });

  it('are calls and progress of a week ago, not the steps and the last event', async () => {
    const id = await importOf(10, 'cancelled');
    await database.admin.query(
      `INSERT INTO calls (id, import_id, workspace_id, network, kind, people, state, ended_at) VALUES
         (gen_random_uuid(), $1, 'w', 'toy', 'lists', '{}', 'done', now() - interval '8 days'),
         (gen_random_uuid(), $1, 'w', 'toy', 'lists', '{}', 'done', now() - interval '6 days'),
         (gen_random_uuid(), $1, 'w', 'toy', 'lists', '{}', 'queued', NULL)`,
      [id],
    );
    await database.admin.query(
      `INSERT INTO import_events (import_id, seq, workspace_id, at, state, revision, counters)
       SELECT $1, seq, 'w', now(), 'cancelled', 2, '{}' FROM generate_series(3, 5) AS seq`,
      [id],
    );
    await database.admin.query(`UPDATE imports SET event_seq = 5 WHERE id = $1`, [id]);
    await database.admin.query(
      `UPDATE import_events SET at = now() - interval '8 days' WHERE import_id = $1`,
      [id],
    );
    await sweep();
    expect(await rowsOf('calls', id)).toBe(2);
    const sql = 'SELECT seq FROM import_events WHERE import_id = $1 ORDER BY seq';
    const left = (await database.admin.query<{ seq: number }>(sql, [id])).rows.map(({ seq }) => seq);
    expect(left).toEqual([1, 2, 5]);
  });

  it('are answers under an Idempotency-Key of more than a day ago', async () => {
    await database.admin.query(
      `INSERT INTO idempotency_keys (workspace_id, operation, key, body_hash, created_at) VALUES
         ('old', 'POST', 'k', 'h', now() - interval '26 hours'), ('old', 'POST', 'l', 'h', now() - interval '24 hours')`,
    );
    await sweep();
    const sql = `SELECT key FROM idempotency_keys WHERE workspace_id = 'old'`;
    expect((await database.admin.query<{ key: string }>(sql)).rows).toEqual([{ key: 'l' }]);
  });
});
