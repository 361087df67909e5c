import { Postgres, type Queryable } from '@sociograph/postgres';
import type { ImportScope } from '../domain/import-scope';
import type { Item } from '../domain/items';
import { ITEMS_OF, type PackKind, type PackSize } from '../domain/packing';
import {
  type Call,
  CallLedger,
  type CallResult,
  type DispatchBounds,
  type DispatchPlan,
  type KeptAnswer,
  type Lane,
  type LaneView,
  type PutBackOptions,
} from '../domain/ports';
import { requestCalls } from './outgoing';
import { enterLane, hasRoom, noteTurns, openCalls, storeCalls, storePlan, viewLane } from './pg-dispatch';
import {
  callOf,
  type CallRow,
  finishCalls,
  type Finished,
  lockOpenCalls,
  type OpenCall,
} from './pg-finish-calls';
import { type Keeping, keepAnswers, keptOf, type KeptRow, mayBeKept, NOTHING_KEPT } from './pg-kept-answers';
import { learnTooMuch } from './pg-learning';
import { absorb } from './pg-progress';
import { type PutBack, putBackCalls } from './pg-put-back';
import { closePending, lockForProgress } from './pg-rows';
import { Together } from './together';

/** Calls that are begun, stored or put back in one transaction, at most; the last two of one import. */
const TOGETHER = 16;

/**
 * Items and calls in PostgreSQL, as the `worker` role. Order of locks, so that no two transactions can wait for
 * each other: lane, call, import, items; dispatch waits for no import but one
 * that it ends at its limit, and for no item. Statements work on sets: the cost of a call does not grow with the import.
 * Items of a call are found by `call_id`, never by their state beside it: that names the index of open items, which the
 * planner then walks from end to end (27,000 pages a call where 100 will do), and items in a call are `called` anyway.
 */
export class PgCallLedger extends CallLedger {
  private readonly finishing = new Together<Finished, boolean>(
    (finished) => this.postgres.tx((q) => finishCalls(q, finished)),
    TOGETHER,
  );
  private readonly puttingBack = new Together<PutBack, void>(async (given) => {
    await this.postgres.tx((q) => putBackCalls(q, given));
    return given.map(() => undefined);
  }, TOGETHER);
  private readonly keeping = new Together<Keeping, boolean>(
    (given) => keepAnswers(this.postgres, given),
    TOGETHER,
  );
  private readonly beginning = new Together<string, Item[]>((callIds) => this.beginAll(callIds), TOGETHER);

  constructor(private readonly postgres: Postgres) {
    super();
  }

  async lanes(): Promise<Lane[]> {
    const { rows } = await this.postgres.query<{ workspace_id: string; network: string }>(
      `SELECT DISTINCT workspace_id, network FROM imports
       WHERE state = 'running' AND (hold_until IS NULL OR hold_until <= now())
         AND EXISTS (SELECT FROM items WHERE import_id = imports.id AND state = 'pending' AND ready_at <= now())
       ORDER BY workspace_id, network`,
      [],
    );
    return rows.map((row) => ({ workspaceId: row.workspace_id, network: row.network }));
  }

  async dispatch(
    lane: Lane,
    plan: (view: LaneView) => DispatchPlan,
    bounds?: DispatchBounds,
  ): Promise<number> {
    // Without locks and a transaction: of the rounds that calls wake as they end most find nothing to do.
    const open = await openCalls(this.postgres, lane);
    if (!hasRoom(open, bounds)) {
      plan({ ...open, work: [], learned: {} });
      return 0;
    }
    const { calls, takesTurns } = await this.postgres.tx(async (q) => {
      await enterLane(q, lane);
      const { reach, ...view } = await viewLane(q, lane, bounds);
      const planned = plan(view);
      const calls = planned.calls.length === 0 ? [] : await storePlan(q, lane, planned, reach);
      for (const importId of planned.closed) await closeAtLimit(q, importId);
      return { calls, takesTurns: view.work.length > 1 };
    });
    // After the transaction: it waits for whoever stores what a call of the import brought.
    if (takesTurns && calls.length > 0) await noteTurns(this.postgres, calls);
    return calls.length;
  }

  async find(callId: string): Promise<Call | undefined> {
    const { rows } = await this.postgres.query<
      CallRow &
        KeptRow & {
          wanted: boolean;
          scope: ImportScope;
          items: Item[] | null;
          cursors: Record<string, string> | null;
        }
    >(
      `WITH named AS MATERIALIZED (
         SELECT id, import_id, begins, ${ITEM_KIND_OF_CALL} AS kind, unnest(people) AS person FROM calls AS c
         WHERE id = $1
       )
       SELECT c.id, c.import_id, c.workspace_id, c.network, c.kind, c.people, c.splits, c.answer, c.answer_facts,
         i.scope, c.state IN ('queued', 'running') AND i.state = 'running' AS wanted, called.items, called.cursors
       FROM calls c JOIN imports i ON i.id = c.import_id
       CROSS JOIN (
         SELECT json_agg(json_build_object('person', items.person, 'depth', items.depth,
             'attempts', items.attempts + named.begins, 'keyFaults', items.key_faults)) AS items,
           json_object_agg(items.person, cursor) FILTER (WHERE cursor IS NOT NULL) AS cursors
         FROM named JOIN items ON ${IS_NAMED}
       ) AS called
       WHERE c.id = $1`,
      [callId],
    );
    const [row] = rows;
    if (row === undefined) return undefined;
    const { scope, items, cursors, wanted } = row;
    return {
      ...{ ...callOf(row), scope, items: items ?? [], cursors: cursors ?? {} },
      ...{ wanted, kept: keptOf(row) },
    };
  }

  begin(callId: string): Promise<Item[]> {
    return this.beginning.add('', callId);
  }

  /** The attempt is noted with the call; its items, which nobody else touches meanwhile, are only read. */
  private async beginAll(callIds: readonly string[]): Promise<Item[][]> {
    const { rows } = await this.postgres.query<Item & { callId: string }>(
      `WITH open AS (
         SELECT id FROM calls WHERE id = ANY ($1) AND state IN ('queued', 'running') ORDER BY id FOR UPDATE
       ), begun AS (
         UPDATE calls AS c SET state = 'running', begun_at = clock_timestamp(), begins = begins + 1
         FROM open WHERE c.id = open.id
         RETURNING c.id, import_id, people, begins, ${ITEM_KIND_OF_CALL} AS kind
       ), named AS MATERIALIZED (
         SELECT id, import_id, begins, kind, unnest(people) AS person FROM begun
       )
       SELECT named.id AS "callId", items.person, items.depth, items.attempts + named.begins AS attempts,
         items.key_faults AS "keyFaults"
       FROM named JOIN items ON ${IS_NAMED}`,
      [callIds],
    );
    const items = new Map<string, Item[]>(callIds.map((id) => [id, []]));
    for (const { callId, ...item } of rows) items.get(callId)?.push(item);
    return callIds.map((id) => items.get(id) ?? []);
  }

  async keep(callId: string, answer: KeptAnswer): Promise<boolean> {
    return mayBeKept(answer) && this.keeping.add('', { callId, answer });
  }

  async finish(callId: string, result: CallResult, importId?: string): Promise<boolean> {
    return this.finishing.add(importId ?? callId, { callId, result });
  }

  putBack(callId: string, options: PutBackOptions, importId?: string): Promise<void> {
    return this.puttingBack.add(importId ?? callId, { callId, ...options });
  }

  async split(callId: string, parts: readonly string[], tooMuch?: PackSize): Promise<void> {
    await this.postgres.tx(async (q) => {
      const call = await lockOpenCall(q, callId);
      const job = call === undefined ? undefined : await lockForProgress(q, call.importId);
      if (call === undefined || job === undefined) return;
      const { rows } = await q.query<{ person: string }>(
        `UPDATE items SET attempts = attempts + $5 - 1
         WHERE import_id = $1 AND kind = $2 AND person = ANY ($3) AND call_id = $4
         RETURNING person`,
        [call.importId, itemKind(call.kind), call.people, callId, call.begins],
      );
      await q.query(
        `UPDATE calls SET state = 'split', ended_at = clock_timestamp(), ${NOTHING_KEPT} WHERE id = $1`,
        [callId],
      );
      const taken = new Set(rows.map(({ person }) => person));
      const people = call.people.filter((person) => taken.has(person));
      const newCalls = parts.map((partId, part) => ({
        ...call,
        callId: partId,
        splits: call.splits + (tooMuch === undefined ? 0 : 1),
        people: people.slice(shareBegins(people, parts, part), shareBegins(people, parts, part + 1)),
      }));
      await storeCalls(
        q,
        newCalls.filter((part) => part.people.length > 0),
      );
      if (tooMuch !== undefined) await learnTooMuch(q, call, tooMuch);
      await absorb(q, job, { callsMade: 1 });
    });
  }

  /** Whose answer is kept is not asked for again: its message goes out once more. */
  async reviveStale(olderThanMs: number): Promise<number> {
    const requested = await this.postgres.tx(async (q) => {
      const { rows } = await q.query<CallRow>(
        `UPDATE calls SET dispatched_at = clock_timestamp() WHERE ${IS_STALE} AND answer IS NOT NULL
         RETURNING id, import_id, workspace_id, network, kind, people, splits`,
        [olderThanMs],
      );
      if (rows.length > 0) await requestCalls(q, rows.map(callOf));
      return rows.length;
    });
    const { rows } = await this.postgres.query<{ id: string }>(
      `SELECT id FROM calls WHERE ${IS_STALE} AND answer IS NULL`,
      [olderThanMs],
    );
    for (const { id } of rows) await this.putBack(id, { holdMs: 0, refund: false });
    return requested + rows.length;
  }
}

/** Nobody has begun it, or ended it, for $1 ms. */
const IS_STALE = `state IN ('queued', 'running')
  AND greatest(dispatched_at, begun_at) < clock_timestamp() - $1 * interval '1 millisecond'`;

/** The kind of item that the call `c` holds. */
const ITEM_KIND_OF_CALL = `CASE c.kind ${Object.entries(ITEMS_OF)
  .map(([kind, { item }]) => `WHEN '${kind}' THEN '${item}'`)
  .join(' ')} END`;

/**
 * Items by their whole key, out of a list that is made first: as conditions of their own, import and kind are taken for a
 * few rows while the table has no statistics, and all items of the import are read.
 */
const IS_NAMED = `items.import_id = named.import_id AND items.kind = named.kind AND items.person = named.person
  AND items.call_id = named.id`;

const itemKind = (kind: PackKind): string => ITEMS_OF[kind].item;

/** Where the share of one part begins; parts differ by one item at most, the first ones are the larger. */
function shareBegins(people: readonly string[], parts: readonly string[], part: number): number {
  return Math.ceil((people.length * part) / parts.length);
}

async function lockOpenCall(q: Queryable, callId: string): Promise<OpenCall | undefined> {
  const [call] = await lockOpenCalls(q, [callId]);
  return call;
}

async function closeAtLimit(q: Queryable, importId: string): Promise<void> {
  const job = await lockForProgress(q, importId);
  // Seen without a lock: its owner may have paused or cancelled it since.
  if (job?.snapshot.state !== 'running') return;
  await absorb(q, job, await closePending(q, importId, 'limit-reached'));
}
