import type { Postgres, Queryable } from '@sociograph/postgres';
import { eventually } from '@sociograph/testing';
import { PgCallLedger } from '../src/infrastructure/pg-call-ledger';
import { WAKE_CHANNEL } from '../src/infrastructure/pg-rows';
import { PrismaImports } from '../src/infrastructure/prisma-imports';
import { anImport } from './builders';
import { describeCallLedger } from './call-ledger.contract';
import { risingId } from './rising-id';
import { scratchDatabase, type ScratchDatabase } from './scratch-database';

jest.setTimeout(60_000);

let database: ScratchDatabase;
let prisma: ScratchDatabase['prisma'];
let app: ScratchDatabase['app'];
let worker: ScratchDatabase['worker'];

beforeAll(async () => {
  database = await scratchDatabase();
  ({ prisma, app, worker } = database);
});

afterAll(() => database.drop());

describeCallLedger('PostgreSQL', async () => {
  const { rows } = await database.admin.query<{ id: number }>(
    'SELECT coalesce(max(id), 0) AS id FROM outbox',
  );
  const before = rows[0]?.id ?? 0;
  const texts = async (sql: string, values: unknown[]): Promise<string[]> =>
    (await database.admin.query<{ text: string }>(sql, values)).rows.map(({ text }) => text);
  return {
    imports: new PrismaImports(prisma, app, worker),
    ledger: new PgCallLedger(worker),
    id: risingId,
    sent: () =>
      texts(`SELECT payload->>'callId' AS text FROM outbox WHERE kind = 'task' AND id > $1 ORDER BY id`, [
        before,
      ]),
    announced: (importId) =>
      texts(
        `SELECT payload->>'state' AS text FROM outbox
         WHERE kind = 'event' AND payload->>'importId' = $1 ORDER BY id`,
        [importId],
      ),
    async age(ms) {
      await database.admin.query(
        `WITH i AS (UPDATE imports SET hold_until = hold_until - $1 * interval '1 ms'),
           t AS (UPDATE items SET ready_at = ready_at - $1 * interval '1 ms')
         UPDATE calls SET dispatched_at = dispatched_at - $1 * interval '1 ms',
           begun_at = begun_at - $1 * interval '1 ms'`,
        [ms],
      );
    },
  };
});

describe('statements about the items of a call', () => {
  /** Without its primary key a statement can find items only by the index of open items, or by reading all of them. */
  const plansWithoutKey = async (statements: readonly [string, readonly unknown[]][]): Promise<string[]> => {
    const plans: string[] = [];
    const undo = new Error('nothing of this is to stay');
    await database.admin
      .tx(async (q) => {
        await q.query('ALTER TABLE items DROP CONSTRAINT items_pkey');
        // The rows of a spec are few enough to be read one by one, whatever the indexes.
        await q.query('SET LOCAL enable_seqscan = off');
        for (const [text, values] of statements) {
          const { rows } = await q.query<{ 'QUERY PLAN': string }>(`EXPLAIN ${text}`, values);
          plans.push(rows.map((row) => row['QUERY PLAN']).join('\n'));
        }
        throw undo;
      })
      .catch((error: unknown) => {
        if (error !== undo) throw error;
      });
    return plans;
  };

  it('do not walk the index of open items, which holds those of the whole import', async () => {
    const said: [string, readonly unknown[]][] = [];
    const heard = (q: Queryable): Queryable => ({
      query: (text, values = []) => {
        if (/\bitems\b/.test(text)) said.push([text, values]);
        return q.query(text, values);
      },
    });
    const connection = {
      query: heard(worker).query,
      tx: <R>(fn: (q: Queryable) => Promise<R>) => worker.tx((q) => fn(heard(q))),
    };
    const imports = new PrismaImports(prisma, app, worker);
    const [plain, ledger] = [new PgCallLedger(worker), new PgCallLedger(connection as Postgres)];
    const [importId, workspaceId] = [risingId(), `w-${risingId()}`];
    await imports.add(anImport({ id: importId, workspaceId, seeds: ['1', '2', '3', '4'] }));
    const dispatched = async (): Promise<string> => {
      const callId = risingId();
      const pack = { importId, kind: 'lists' as const, size: 2 };
      await plain.dispatch({ workspaceId, network: 'toy' }, () => ({
        calls: [{ callId, pack }],
        closed: [],
      }));
      return callId;
    };
    const first = await dispatched();
    await ledger.find(first);
    await ledger.begin(first);
    await ledger.finish(first, {
      ...{ done: ['1', '2'], gaps: [], long: [], more: [], again: [], found: [] },
      ...{ positions: { log: { '0': 1 } }, friendshipObservations: 0 },
    });
    await ledger.putBack(await dispatched(), { holdMs: 0, refund: false });
    await ledger.split(await dispatched(), [risingId(), risingId()]);
    const touched = said.filter(([text]) => /call_id/.test(text));
    expect(touched).toHaveLength(6);
    const plans = await plansWithoutKey(touched);
    expect(plans.filter((plan) => /items_open/.test(plan))).toEqual([]);
    expect(plans.every((plan) => /Scan on items/.test(plan))).toBe(true);
  });
});

describe('imports in PostgreSQL', () => {
  const workspace = (): string => `w-${risingId()}`;

  it('are invisible to the serving role without a workspace', async () => {
    await new PrismaImports(prisma, app, worker).add(anImport({ id: risingId(), workspaceId: workspace() }));
    for (const table of ['imports', 'items', 'calls', 'import_positions', 'idempotency_keys']) {
      expect((await app.query(`SELECT * FROM ${table}`)).rows).toEqual([]);
    }
    expect((await worker.query('SELECT * FROM imports')).rows).not.toEqual([]);
  });

  it('cannot be written into another workspace', async () => {
    const id = risingId();
    await new PrismaImports(prisma, app, worker).add(anImport({ id, workspaceId: workspace() }));
    const moved = app.inWorkspace('thief', (q) =>
      q.query(`UPDATE imports SET state = 'cancelled' WHERE id = $1`, [id]),
    );
    expect((await moved).rowCount).toBe(0);
    await expect(
      app.inWorkspace('thief', (q) =>
        q.query(
          `INSERT INTO items (import_id, workspace_id, kind, person, depth) VALUES ($1, 'demo', 'friends', '5', 0)`,
          [id],
        ),
      ),
    ).rejects.toMatchObject({ code: '42501' });
  });

  it('do not let the serving role read what is to be announced', async () => {
    await expect(app.query('SELECT * FROM outbox')).rejects.toMatchObject({ code: '42501' });
  });

  it('tell every process which import does not run any more, and only that', async () => {
    const imports = new PrismaImports(prisma, app, worker);
    const [id, workspaceId] = [risingId(), workspace()];
    const heard: string[] = [];
    const ear = await worker.listen(
      WAKE_CHANNEL,
      (payload) => heard.push(payload),
      () => undefined,
    );
    try {
      await imports.add(anImport({ id, workspaceId }));
      await imports.change(workspaceId, id, (job) => job.step('pause', 1));
      await eventually(() => heard.includes(id), { timeoutMs: 20_000 });
      await imports.change(workspaceId, id, (job) => job.step('resume', 2));
      await imports.change(workspaceId, id, (job) => job.step('cancel', 3));
      await eventually(() => heard.filter((payload) => payload === id).length === 2, { timeoutMs: 20_000 });
      expect(heard).toEqual(['', id, '', id]);
    } finally {
      ear.release();
    }
  });

  it('store 17,600 sightings of 4,000 people as 4,000 people', async () => {
    const imports = new PrismaImports(prisma, app, worker);
    const ledger = new PgCallLedger(worker);
    const [id, workspaceId] = [risingId(), workspace()];
    const seeds = Array.from({ length: 25 }, (_, index) => String(index + 1));
    await imports.add(anImport({ id, workspaceId, seeds }));
    const lane = { workspaceId, network: 'toy' };
    for (let round = 0; round < 4; round += 1) {
      const callId = risingId();
      await ledger.dispatch(lane, () => ({
        calls: [{ callId, pack: { importId: id, kind: 'lists', size: 25 } }],
        closed: [],
      }));
      const items = await ledger.begin(callId);
      const found = Array.from({ length: 4_400 }, (_, index) => ({
        person: String(((round * 997 + index) % 4_000) + 1),
        depth: 1,
      }));
      const unique = [...new Map(found.map((seen) => [seen.person, seen])).values()];
      await ledger.finish(callId, {
        done: items.map(({ person }) => person),
        gaps: [],
        long: [],
        more: [],
        again: [],
        found: unique,
        positions: { log: { '0': round } },
        friendshipObservations: found.length,
      });
    }
    const record = await imports.find(workspaceId, id);
    expect(record?.job.snapshot.counters).toMatchObject({
      peopleKnown: 4_000,
      listsKnown: 4_000,
      listsDone: 100,
      callsMade: 4,
      friendshipObservations: 17_600,
    });
  });
});
