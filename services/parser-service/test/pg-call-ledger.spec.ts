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

  /** What a ledger says about items in the life of some calls; the last of them is about a call that is split. */
  const saidAboutItems = async (): Promise<[string, readonly unknown[]][]> => {
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
      ...{ done: ['1', '2'], gaps: [], long: [], more: [], again: [], found: [{ person: '1', depth: 1 }] },
      ...{ positions: { log: { '0': 1 } }, friendshipObservations: 0 },
    });
    await ledger.putBack(await dispatched(), { holdMs: 0, refund: false });
    await ledger.split(await dispatched(), [risingId(), risingId()]);
    return said;
  };

  it('do not walk the index of open items, which holds those of the whole import', async () => {
    const touched = (await saidAboutItems()).filter(([text]) => /call_id/.test(text));
    expect(touched).toHaveLength(6);
    const plans = await plansWithoutKey(touched);
    expect(plans.filter((plan) => /items_open/.test(plan))).toEqual([]);
    expect(plans.every((plan) => /Scan on items/.test(plan))).toBe(true);
  });

  it('find items by their whole key, also in a table of which nothing is known yet', async () => {
    const said = (await saidAboutItems()).filter(([text]) => !/attempts \+ \$5/.test(text));
    // Find, begin, settle, those found, put back, and the two new calls of one that was split.
    expect(said).toHaveLength(6);
    const plans: string[] = [];
    for (const [text, values] of said) {
      const { rows } = await worker.query<{ 'QUERY PLAN': string }>(`EXPLAIN ${text}`, values);
      plans.push(rows.map((row) => row['QUERY PLAN']).join('\n'));
    }
    const byKey = /items_pkey on items.*\n *Index Cond: \(\(import_id = .*kind = .*person = /;
    expect(
      plans.filter((plan) => !byKey.test(plan) || /(Hash|Merge).* Join|Seq Scan on items/.test(plan)),
    ).toEqual([]);
  });
});

describe('the beginning of a call', () => {
  it('writes none of its items: the attempt stands with the call until it ends, also when its process dies', async () => {
    const ledger = new PgCallLedger(worker);
    const [importId, workspaceId, callId] = [risingId(), `w-${risingId()}`, risingId()];
    const job = anImport({ id: importId, workspaceId, seeds: ['1', '2'] });
    await new PrismaImports(prisma, app, worker).add(job);
    const pack = { importId, kind: 'lists' as const, size: 2 };
    const lane = { workspaceId, network: 'toy' };
    await ledger.dispatch(lane, () => ({ calls: [{ callId, pack }], closed: [] }));
    const versions = async (): Promise<unknown[]> =>
      (
        await database.admin.query(
          'SELECT kind, person, attempts, xmin::text, ctid::text FROM items WHERE import_id = $1 ORDER BY 1, 2',
          [importId],
        )
      ).rows;
    const before = await versions();
    expect(await ledger.begin(callId)).toMatchObject([{ attempts: 1 }, { attempts: 1 }]);
    expect(await versions()).toEqual(before);
    // Whoever gets the message again knows of the attempt that had no end.
    const another = new PgCallLedger(worker);
    expect((await another.find(callId))?.items).toMatchObject([{ attempts: 1 }, { attempts: 1 }]);
    expect(await another.begin(callId)).toMatchObject([{ attempts: 2 }, { attempts: 2 }]);
    await another.putBack(callId, { holdMs: 0, refund: false });
    const attempts = (await versions()).map((row) => (row as { attempts: number }).attempts);
    expect(attempts).toEqual([2, 2, 0, 0]);
  });
});

describe('a kept answer', () => {
  it('is gone with its call; one that is too long, or that no database can hold, is not kept', async () => {
    const ledger = new PgCallLedger(worker);
    const [importId, workspaceId] = [risingId(), `w-${risingId()}`];
    const job = anImport({ id: importId, workspaceId, seeds: ['71', '72', '73'] });
    await new PrismaImports(prisma, app, worker).add(job);
    const calls = [risingId(), risingId(), risingId()];
    await ledger.dispatch({ workspaceId, network: 'toy' }, () => ({
      calls: calls.map((callId) => ({ callId, pack: { importId, kind: 'lists' as const, size: 1 } })),
      closed: [],
    }));
    const facts = { people: ['71'], tries: 0, status: 200, observedAt: 1, keyId: 'k', fence: 1 };
    const keep = (callId: string, body: string) => ledger.keep(callId, { ...facts, body });
    const [first = '', second = '', third = ''] = calls;
    expect(await keep(first, 'x'.repeat(500_001))).toBe(false);
    expect(await keep(first, 'a\0b')).toBe(false);
    expect(await keep(first, 'x'.repeat(500_000))).toBe(true);
    expect(await Promise.all([keep(second, 'two'), keep(third, 'three')])).toEqual([true, true]);
    const bodies = async (): Promise<unknown[]> =>
      (
        await database.admin.query<{ is_kept: boolean }>(
          `SELECT answer IS NOT NULL OR answer_facts IS NOT NULL AS is_kept FROM calls WHERE id = ANY ($1) ORDER BY id`,
          [calls],
        )
      ).rows.map((row) => row.is_kept);
    expect(await bodies()).toEqual([true, true, true]);
    await ledger.putBack(second, { holdMs: 0, refund: false });
    await ledger.finish(third, {
      ...{ done: ['73'], gaps: [], long: [], more: [], again: [], found: [], positions: {} },
      friendshipObservations: 0,
    });
    expect(await bodies()).toEqual([true, false, false]);
  });
});

describe('dispatch', () => {
  /** Whoever holds the row of an import meanwhile, as those do who store what a call brought. */
  const holding = async (importId: string, statement: string, work: () => Promise<void>): Promise<void> => {
    const undo = new Error('nothing of this is to stay');
    await worker
      .tx(async (q) => {
        await q.query(statement, [importId]);
        await work();
        throw undo;
      })
      .catch((error: unknown) => {
        if (error !== undo) throw error;
      });
  };
  const started = async (): Promise<{ importId: string; lane: { workspaceId: string; network: string } }> => {
    const [importId, workspaceId] = [risingId(), `w-${risingId()}`];
    const job = anImport({ id: importId, workspaceId, seeds: ['1', '2', '3'] });
    await new PrismaImports(prisma, app, worker).add(job);
    return { importId, lane: { workspaceId, network: 'toy' } };
  };
  const lists = (importId: string, callId: string) => () => ({
    calls: [{ callId, pack: { importId, kind: 'lists' as const, size: 3 } }],
    closed: [],
  });

  it('does not wait for those who store what calls of the import brought', async () => {
    const { importId, lane } = await started();
    const callId = risingId();
    const ledger = new PgCallLedger(worker);
    await holding(importId, 'SELECT FROM imports WHERE id = $1 FOR NO KEY UPDATE', async () => {
      expect(await ledger.dispatch(lane, lists(importId, callId))).toBe(1);
    });
    expect((await ledger.find(callId))?.items).toHaveLength(3);
  });

  it('passes over items that somebody holds', async () => {
    const { importId, lane } = await started();
    const callId = risingId();
    const ledger = new PgCallLedger(worker);
    const held = `SELECT FROM items WHERE import_id = $1 AND kind = 'friends' AND person = '2' FOR UPDATE`;
    await holding(importId, held, async () => {
      expect(await ledger.dispatch(lane, lists(importId, callId))).toBe(1);
    });
    expect((await ledger.find(callId))?.people).toEqual(['1', '3']);
  });

  it('ends an import at its limit only while it runs', async () => {
    const { importId, lane } = await started();
    const imports = new PrismaImports(prisma, app, worker);
    await imports.change(lane.workspaceId, importId, (job) => job.step('pause', 1));
    await new PgCallLedger(worker).dispatch(lane, () => ({ calls: [], closed: [importId] }));
    expect((await imports.find(lane.workspaceId, importId))?.job.snapshot).toMatchObject({
      state: 'paused',
      counters: { listsGaps: 0, peopleGaps: 0 },
    });
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
