import { SystemClock } from '@sociograph/kernel';
import { Postgres, type Queryable } from '@sociograph/postgres';
import type { ImportCounters, ImportJob } from '../domain/import-job';
import type { Item } from '../domain/items';
import type { LogPositions } from '../domain/observation';
import { itemsOfGroup, listsOfPerson, type ImportScope, subjectKind } from '../domain/import-scope';
import { grown, ITEMS_OF, type PackKind, type PackSize, shrunk, sizeNow } from '../domain/packing';
import {
  type Call,
  CallLedger,
  type CallResult,
  type DispatchPlan,
  type Lane,
  type LaneView,
} from '../domain/ports';
import { announceImport } from './outgoing';
import { enterLane, storeCalls, type StoredCall, storePlan, viewLane } from './pg-dispatch';
import {
  closePending,
  type FinalCount,
  gainedBy,
  lockForProgress,
  positionsOf,
  saveImport,
  wakeDispatcher,
} from './pg-rows';

const clock = new SystemClock();

interface CallRow {
  id: string;
  import_id: string;
  workspace_id: string;
  network: string;
  kind: PackKind;
  people: string[];
  splits: number;
}

/**
 * Items and calls in PostgreSQL, as the `worker` role. Order of locks, so that no two transactions can wait for
 * each other: lane, call, import, items. Statements work on sets: the cost of a call does not grow with the import.
 */
export class PgCallLedger extends CallLedger {
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

  async dispatch(lane: Lane, plan: (view: LaneView) => DispatchPlan): Promise<number> {
    return this.postgres.tx(async (q) => {
      await enterLane(q, lane);
      const { reach, ...view } = await viewLane(q, lane);
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
           AND items.kind = ${ITEM_KIND_OF_CALL} AND items.state = 'called' AND call_id = c.id
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
         AND items.person = ANY (begun.people) AND items.state = 'called' AND items.call_id = begun.id
       RETURNING items.person, items.depth, items.attempts, items.key_faults AS "keyFaults"`,
      [callId],
    );
    return rows;
  }

  async finish(callId: string, result: CallResult): Promise<boolean> {
    return this.postgres.tx(async (q) => {
      const call = await lockOpenCall(q, callId);
      if (call === undefined) return false;
      const before = await lockForProgress(q, call.importId);
      if (before === undefined) return false;
      const final = await settleItems(q, call, result, before.grows);
      const added = before.grows ? await addFound(q, before, result.found) : {};
      await notePositions(q, call, result.positions);
      await endCall(q, callId, 'done');
      if (result.fitted !== undefined) await learnFit(q, call, result.fitted);
      const { friendshipObservations } = result;
      await absorb(q, before, { ...final, ...added, callsMade: 1, friendshipObservations });
      return true;
    });
  }

  async putBack(callId: string, { holdMs, refund }: { holdMs: number; refund: boolean }): Promise<void> {
    await this.postgres.tx(async (q) => {
      const call = await lockOpenCall(q, callId);
      const job = call === undefined ? undefined : await lockForProgress(q, call.importId);
      if (call === undefined || job === undefined) return;
      await q.query(
        `UPDATE items SET state = 'pending', call_id = NULL, attempts = attempts - $4
         WHERE import_id = $1 AND kind = $2 AND person = ANY ($3) AND state = 'called' AND call_id = $5`,
        [call.importId, itemKind(call.kind), call.people, refund ? 1 : 0, callId],
      );
      await endCall(q, callId, 'put-back');
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
         WHERE import_id = $1 AND kind = $2 AND person = ANY ($3) AND state = 'called' AND call_id = $4
         RETURNING person`,
        [call.importId, itemKind(call.kind), call.people, callId],
      );
      await endCall(q, callId, 'split');
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

function callOf(row: CallRow): StoredCall {
  const { id, import_id: importId, workspace_id: workspaceId, network, kind, people, splits } = row;
  return { callId: id, importId, workspaceId, network, kind, people, splits };
}

const itemKind = (kind: PackKind): string => ITEMS_OF[kind].item;

/** Where the share of one part begins; parts differ by one item at most, the first ones are the larger. */
function shareBegins(people: readonly string[], parts: readonly string[], part: number): number {
  return Math.ceil((people.length * part) / parts.length);
}

/**
 * A lane's size of one kind of pack, under its lock; its changes are few, the lock is short. The row is there before it
 * is read: of two calls that teach at once the second one learns from what the first one taught.
 */
async function learn(
  q: Queryable,
  call: StoredCall,
  size: PackSize,
  next: (learned: number) => number,
): Promise<void> {
  const of = [call.workspaceId, call.network, call.kind];
  const where = 'workspace_id = $1 AND network = $2 AND kind = $3';
  await q.query(
    `INSERT INTO pack_sizes (workspace_id, network, kind, size) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
    [...of, sizeNow(size, undefined)],
  );
  const { rows } = await q.query<{ size: number }>(
    `SELECT size FROM pack_sizes WHERE ${where} FOR UPDATE`,
    of,
  );
  const learned = rows[0]?.size ?? sizeNow(size, undefined);
  const now = next(learned);
  if (now !== learned) await q.query(`UPDATE pack_sizes SET size = $4 WHERE ${where}`, [...of, now]);
}

async function learnTooMuch(q: Queryable, call: StoredCall, size: PackSize): Promise<void> {
  await learn(q, call, size, (learned) => shrunk(size, learned, call.people.length));
}

/** A full call of a kind whose size never changed teaches nothing, and most calls are such. */
async function learnFit(q: Queryable, call: StoredCall, size: PackSize): Promise<void> {
  if (call.people.length >= size.most) return;
  if (size.first === undefined && !(await isLearned(q, call))) return;
  await learn(q, call, size, (learned) => grown(size, learned, call.people.length));
}

async function isLearned(q: Queryable, { workspaceId, network, kind }: StoredCall): Promise<boolean> {
  const { rows } = await q.query(
    'SELECT FROM pack_sizes WHERE workspace_id = $1 AND network = $2 AND kind = $3',
    [workspaceId, network, kind],
  );
  return rows.length > 0;
}

async function lockOpenCall(q: Queryable, callId: string): Promise<StoredCall | undefined> {
  const { rows } = await q.query<CallRow>(
    `SELECT id, import_id, workspace_id, network, kind, people, splits FROM calls
     WHERE id = $1 AND state IN ('queued', 'running') FOR UPDATE`,
    [callId],
  );
  return rows[0] === undefined ? undefined : callOf(rows[0]);
}

async function endCall(q: Queryable, callId: string, state: 'done' | 'put-back' | 'split'): Promise<void> {
  await q.query('UPDATE calls SET state = $2, ended_at = clock_timestamp() WHERE id = $1', [callId, state]);
}

/** Every item of the call gets its fate in one statement; what would be tried again after the end is withdrawn. */
async function settleItems(
  q: Queryable,
  call: StoredCall,
  result: CallResult,
  grows: boolean,
): Promise<Partial<ImportCounters>> {
  const blank = {
    cause: null as string | null,
    detail: null as string | null,
    readyInMs: 0,
    refund: false,
    long: false,
    cursor: null as string | null,
  };
  const open = grows ? { ...blank, state: 'pending' } : { ...blank, state: 'gap', cause: 'withdrawn' };
  const fates = [
    ...result.done.map((person) => ({ ...blank, person, state: 'done' })),
    ...result.gaps.map(({ person, cause, detail }) => ({ ...blank, person, state: 'gap', cause, detail })),
    ...result.long.map((person) => ({ ...open, person, long: true })),
    ...result.more.map(({ person, cursor }) => ({ ...open, person, cursor })),
    ...result.again.map(({ person, readyInMs, refund, cause }) => ({
      ...open,
      person,
      readyInMs,
      refund,
      detail: cause,
    })),
  ];
  const { rows } = await q.query<FinalCount>(
    `WITH settled AS (
       UPDATE items SET
         state = fate.state, cause = fate.cause, detail = fate.detail, long = items.long OR fate.long, call_id = NULL,
         ready_at = clock_timestamp() + fate."readyInMs" * interval '1 millisecond',
         cursor = CASE WHEN fate.state = 'pending' THEN coalesce(fate.cursor, items.cursor) END,
         attempts = CASE WHEN fate.long OR fate.cursor IS NOT NULL THEN 0 WHEN fate.refund THEN attempts - 1 ELSE attempts END,
         key_faults = items.key_faults + fate.refund::integer
       FROM jsonb_to_recordset($4) AS fate
         (person text, state text, cause text, detail text, "readyInMs" integer, refund boolean, long boolean,
          cursor text)
       WHERE items.import_id = $1 AND items.kind = $2 AND items.person = fate.person
         AND items.state = 'called' AND items.call_id = $3
       RETURNING items.kind, items.retried, items.state
     )
     SELECT kind = 'profile' AS profiles, retried, count(*) FILTER (WHERE state = 'done') AS done,
       count(*) FILTER (WHERE state = 'gap') AS gaps
     FROM settled GROUP BY 1, 2`,
    [call.importId, itemKind(call.kind), call.callId, JSON.stringify(fates)],
  );
  return gainedBy(rows);
}

/**
 * People and groups not known yet become items; ids come as arrays and known ones are dropped before anything is
 * written. A limit of people does not bound groups: nobody new is found through those that are only met.
 */
async function addFound(
  q: Queryable,
  job: ImportJob,
  found: CallResult['found'],
): Promise<Partial<ImportCounters>> {
  const people = found.filter(({ person }) => subjectKind(person) === 'person');
  const groups = found.filter(({ person }) => subjectKind(person) === 'group');
  const added = await addPeople(q, job, people);
  return { ...added, listsKnown: (added.listsKnown ?? 0) + (await addGroups(q, job, groups)) };
}

async function addPeople(
  q: Queryable,
  job: ImportJob,
  found: CallResult['found'],
): Promise<Partial<ImportCounters>> {
  if (found.length === 0) return {};
  const { id, workspaceId, depth, scope } = job.snapshot;
  const { rows } = await q.query<{ known: number; beyond: number; lists: number }>(
    `WITH fresh AS (
       SELECT seen.person, seen.depth, row_number() OVER (ORDER BY seen.place) AS place
       FROM unnest($3::text[], $4::smallint[]) WITH ORDINALITY AS seen (person, depth, place)
       WHERE NOT EXISTS (
         SELECT FROM items WHERE import_id = $1 AND kind = 'profile' AND items.person = seen.person)
     ), people AS (
       INSERT INTO items (import_id, workspace_id, kind, person, depth, state, cause)
       SELECT $1, $2, 'profile', person, depth,
         CASE WHEN $5::integer IS NULL OR place <= $5 THEN 'pending' ELSE 'beyond' END,
         CASE WHEN place > $5 THEN 'limit-reached' END
       FROM fresh ON CONFLICT DO NOTHING RETURNING person, depth, state
     ), lists AS (
       INSERT INTO items (import_id, workspace_id, kind, person, depth)
       SELECT $1, $2, asked.kind, person, depth FROM people, unnest($7::text[]) AS asked (kind)
       WHERE state = 'pending' AND ($6::smallint IS NULL OR depth < $6)
       ON CONFLICT DO NOTHING RETURNING person
     )
     SELECT count(*) FILTER (WHERE state = 'pending') AS known, count(*) FILTER (WHERE state = 'beyond') AS beyond,
       (SELECT count(*) FROM lists) AS lists
     FROM people`,
    [
      id,
      workspaceId,
      found.map(({ person }) => person),
      found.map((seen) => seen.depth),
      job.roomForPeople,
      depth,
      listsOfPerson(scope),
    ],
  );
  const counts = rows[0] ?? { known: 0, beyond: 0, lists: 0 };
  return { peopleKnown: counts.known, peopleBeyond: counts.beyond, listsKnown: counts.lists };
}

/** How many items that made. */
async function addGroups(q: Queryable, job: ImportJob, found: CallResult['found']): Promise<number> {
  const items = found.flatMap(({ person, depth }) =>
    itemsOfGroup(job.snapshot.scope, depth).map((kind) => ({ kind, person, depth })),
  );
  if (items.length === 0) return 0;
  const { rows } = await q.query<{ added: number }>(
    `WITH added AS (
       INSERT INTO items (import_id, workspace_id, kind, person, depth)
       SELECT $1, $2, kind, person, depth FROM unnest($3::text[], $4::text[], $5::smallint[]) AS met (kind, person, depth)
       ON CONFLICT DO NOTHING RETURNING person
     )
     SELECT count(*) AS added FROM added`,
    [
      job.snapshot.id,
      job.snapshot.workspaceId,
      items.map(({ kind }) => kind),
      items.map(({ person }) => person),
      items.map((item) => item.depth),
    ],
  );
  return rows[0]?.added ?? 0;
}

async function notePositions(q: Queryable, call: StoredCall, positions: LogPositions): Promise<void> {
  const rows = Object.entries(positions).flatMap(([topic, partitions]) =>
    Object.entries(partitions).map(([partition, next]) => ({ topic, partition: Number(partition), next })),
  );
  if (rows.length === 0) return;
  await q.query(
    `INSERT INTO import_positions (import_id, workspace_id, topic, partition, next_offset)
     SELECT $1, $2, topic, partition, next FROM jsonb_to_recordset($3) AS p (topic text, partition integer, next bigint)
     ON CONFLICT (import_id, topic, partition)
     DO UPDATE SET next_offset = greatest(import_positions.next_offset, EXCLUDED.next_offset)`,
    [call.importId, call.workspaceId, JSON.stringify(rows)],
  );
}

async function closeAtLimit(q: Queryable, importId: string): Promise<void> {
  const job = await lockForProgress(q, importId);
  if (job === undefined) return;
  await absorb(q, job, await closePending(q, importId, 'limit-reached'));
}

/** Saves what was gained, announces a changed state, and wakes the dispatcher: there may be room or new work. */
export async function absorb(
  q: Queryable,
  before: ImportJob,
  gained: Partial<ImportCounters>,
): Promise<void> {
  const after = before.absorb(gained, clock.nowMs());
  await saveImport(q, after.snapshot);
  if (after.snapshot.state !== before.snapshot.state) {
    const { id } = after.snapshot;
    await announceImport(q, after.snapshot, (await positionsOf(q, [id])).get(id) ?? {});
  }
  await wakeDispatcher(q);
}
