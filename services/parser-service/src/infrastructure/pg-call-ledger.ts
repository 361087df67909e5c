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
  type Lane,
  type LaneView,
} from '../domain/ports';
import {
  enterLane,
  hasRoom,
  openCalls,
  storeCalls,
  type StoredCall,
  storePlan,
  viewLane,
} from './pg-dispatch';
import { callOf, type CallRow, finishCalls, type Finished, lockOpenCalls } from './pg-finish-calls';
import { learnTooMuch } from './pg-learning';
import { absorb } from './pg-progress';
import { closePending, lockForProgress, wakeDispatcher } from './pg-rows';
import { Together } from './together';

/** Calls of one import that are stored in one transaction, at most. */
const FINISHED_TOGETHER = 16;

/**
 * Items and calls in PostgreSQL, as the `worker` role. Order of locks, so that no two transactions can wait for
 * each other: lane, call, import, items. Statements work on sets: the cost of a call does not grow with the import.
 * Items of a call are found by `call_id`, never by their state beside it: that names the index of open items, which the
 * planner then walks from end to end (27,000 pages a call where 100 will do), and items in a call are `called` anyway.
 */
export class PgCallLedger extends CallLedger {
  private readonly finishing = new Together<Finished, boolean>(
    (finished) => this.postgres.tx((q) => finishCalls(q, finished)),
    FINISHED_TOGETHER,
  );

  constructor(private readonly postgres: Postgres) {
    super();
  }

  async lanes(): Promise<Lane[]> {
    const { rows } = await this.postgres.query<{ workspace_id: string; network: string }>(
      `SELECT DISTINCT workspace_id, network FROM imports
       WHERE state = 'running' AND (hold_until IS NULL OR hold_until <= now())
         AND EXISTS (SELECT FROM items WHERE import_id = imports.id AND state = 'pending' AND ready_at <= now())
       ORDER BY workspace_id, network`,
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
    return this.postgres.tx(async (q) => {
      await enterLane(q, lane);
      const { reach, ...view } = await viewLane(q, lane, bounds);
      const planned = plan(view);
      const dispatched = planned.calls.length === 0 ? 0 : await storePlan(q, lane, planned, reach);
      for (const importId of planned.closed) await closeAtLimit(q, importId);
      return dispatched;
    });
  }

  async find(callId: string): Promise<Call | undefined> {
    const { rows } = await this.postgres.query<
      CallRow & {
        wanted: boolean;
        scope: ImportScope;
        items: Item[] | null;
        cursors: Record<string, string> | null;
      }
    >(
      `SELECT c.id, c.import_id, c.workspace_id, c.network, c.kind, c.people, c.splits, i.scope,
         c.state IN ('queued', 'running') AND i.state = 'running' AS wanted,
         called.items, called.cursors
       FROM calls c JOIN imports i ON i.id = c.import_id
       CROSS JOIN LATERAL (
         SELECT json_agg(json_build_object('person', person, 'depth', items.depth, 'attempts', attempts,
             'keyFaults', key_faults)) AS items,
           json_object_agg(person, cursor) FILTER (WHERE cursor IS NOT NULL) AS cursors
         FROM items WHERE items.import_id = c.import_id AND person = ANY (c.people)
           AND items.kind = ${ITEM_KIND_OF_CALL} AND call_id = c.id
       ) AS called
       WHERE c.id = $1`,
      [callId],
    );
    const [row] = rows;
    if (row === undefined) return undefined;
    const { scope, items, cursors, wanted } = row;
    return { ...callOf(row), scope, items: items ?? [], cursors: cursors ?? {}, wanted };
  }

  async begin(callId: string): Promise<Item[]> {
    const { rows } = await this.postgres.query<Item>(
      `WITH begun AS (
         UPDATE calls AS c SET state = 'running', begun_at = clock_timestamp()
         WHERE id = $1 AND state IN ('queued', 'running')
         RETURNING id, import_id, people, ${ITEM_KIND_OF_CALL} AS item_kind
       )
       UPDATE items SET attempts = attempts + 1 FROM begun
       WHERE items.import_id = begun.import_id AND items.kind = begun.item_kind
         AND items.person = ANY (begun.people) AND items.call_id = begun.id
       RETURNING items.person, items.depth, items.attempts, items.key_faults AS "keyFaults"`,
      [callId],
    );
    return rows;
  }

  async finish(callId: string, result: CallResult, importId?: string): Promise<boolean> {
    return this.finishing.add(importId ?? callId, { callId, result });
  }

  async putBack(callId: string, { holdMs, refund }: { holdMs: number; refund: boolean }): Promise<void> {
    await this.postgres.tx(async (q) => {
      const call = await lockOpenCall(q, callId);
      const job = call === undefined ? undefined : await lockForProgress(q, call.importId);
      if (call === undefined || job === undefined) return;
      await q.query(
        `WITH back AS (
           UPDATE items SET state = 'pending', call_id = NULL, attempts = attempts - $4
           WHERE import_id = $1 AND kind = $2 AND person = ANY ($3) AND call_id = $5
         )
         UPDATE calls SET state = 'put-back', ended_at = clock_timestamp() WHERE id = $5`,
        [call.importId, itemKind(call.kind), call.people, refund ? 1 : 0, callId],
      );
      if (holdMs > 0) {
        await q.query(
          `UPDATE imports SET hold_until =
             greatest(hold_until, clock_timestamp() + $2 * interval '1 millisecond') WHERE id = $1`,
          [call.importId, Math.ceil(holdMs)],
        );
      }
      if (!job.grows) await absorb(q, job, await closePending(q, call.importId, 'withdrawn'));
      else if (holdMs <= 0) await wakeDispatcher(q);
    });
  }

  async split(callId: string, parts: readonly string[], tooMuch?: PackSize): Promise<void> {
    await this.postgres.tx(async (q) => {
      const call = await lockOpenCall(q, callId);
      const job = call === undefined ? undefined : await lockForProgress(q, call.importId);
      if (call === undefined || job === undefined) return;
      const { rows } = await q.query<{ person: string }>(
        `UPDATE items SET attempts = attempts - 1
         WHERE import_id = $1 AND kind = $2 AND person = ANY ($3) AND call_id = $4
         RETURNING person`,
        [call.importId, itemKind(call.kind), call.people, callId],
      );
      await q.query(`UPDATE calls SET state = 'split', ended_at = clock_timestamp() WHERE id = $1`, [callId]);
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

  async reviveStale(olderThanMs: number): Promise<number> {
    const { rows } = await this.postgres.query<{ id: string }>(
      `SELECT id FROM calls WHERE state IN ('queued', 'running')
         AND greatest(dispatched_at, begun_at) < clock_timestamp() - $1 * interval '1 millisecond'`,
      [olderThanMs],
    );
    for (const { id } of rows) await this.putBack(id, { holdMs: 0, refund: false });
    return rows.length;
  }
}

/** The kind of item that the call `c` holds. */
const ITEM_KIND_OF_CALL = `CASE c.kind ${Object.entries(ITEMS_OF)
  .map(([kind, { item }]) => `WHEN '${kind}' THEN '${item}'`)
  .join(' ')} END`;

const itemKind = (kind: PackKind): string => ITEMS_OF[kind].item;

/** Where the share of one part begins; parts differ by one item at most, the first ones are the larger. */
function shareBegins(people: readonly string[], parts: readonly string[], part: number): number {
  return Math.ceil((people.length * part) / parts.length);
}

async function lockOpenCall(q: Queryable, callId: string): Promise<StoredCall | undefined> {
  const [call] = await lockOpenCalls(q, [callId]);
  return call;
}

async function closeAtLimit(q: Queryable, importId: string): Promise<void> {
  const job = await lockForProgress(q, importId);
  if (job === undefined) return;
  await absorb(q, job, await closePending(q, importId, 'limit-reached'));
}
