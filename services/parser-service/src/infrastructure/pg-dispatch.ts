import type { Queryable } from '@sociograph/postgres';
import { ANSWERED_AFTER_MS, type PendingWork } from '../domain/packing';
import type { Call, DispatchPlan, Lane, LaneView } from '../domain/ports';
import { requestCalls } from './outgoing';

/** Counts stop here: one round never dispatches more than this of one kind, and a larger frontier is not scanned. */
const COUNTED_AT_MOST = 10_000;

/** Only one dispatcher works on a lane at a time, in whichever process; the others wait these milliseconds. */
export async function enterLane(q: Queryable, { workspaceId, network }: Lane): Promise<void> {
  await q.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 7))', [
    `dispatch ${workspaceId} ${network}`,
  ]);
}

interface WorkRow {
  id: string;
  depth: number | null;
  calls_limit: number | null;
  calls_made: number;
  nearest: number | null;
  in_flight: number;
  lists_in_flight: number;
  lists: number;
  long_lists: number;
  profiles: number;
}

/** The lane as the planner sees it, and up to which distance lists of each import may go (null = any). */
export async function viewLane(
  q: Queryable,
  lane: Lane,
): Promise<LaneView & { reach: Map<string, number | null> }> {
  const open = await q.query<{ outstanding: number; unanswered: number }>(
    `SELECT count(*) AS outstanding,
       count(*) FILTER (WHERE state = 'queued' OR begun_at > clock_timestamp() - $3 * interval '1 millisecond')
         AS unanswered
     FROM calls WHERE workspace_id = $1 AND network = $2 AND state IN ('queued', 'running')`,
    [lane.workspaceId, lane.network, ANSWERED_AFTER_MS],
  );
  // Locked first, in the order of their turn; the counts come from a second statement that sees what was waited for.
  const alive = await q.query<{ id: string }>(
    `SELECT id FROM imports
     WHERE workspace_id = $1 AND network = $2 AND state = 'running' AND (hold_until IS NULL OR hold_until <= now())
     ORDER BY dispatched_at NULLS FIRST, id FOR UPDATE`,
    [lane.workspaceId, lane.network],
  );
  const ids = alive.rows.map(({ id }) => id);
  const { rows } = await q.query<WorkRow>(
    `SELECT i.id, i.depth, i.calls_limit, i.calls_made, n.nearest, c.in_flight, c.lists_in_flight,
       CASE WHEN n.nearest IS NULL THEN 0 ELSE l.lists END AS lists,
       CASE WHEN n.nearest IS NULL THEN 0 ELSE ll.long_lists END AS long_lists,
       p.profiles
     FROM unnest($1::uuid[]) WITH ORDINALITY AS turn (id, place)
     JOIN imports i ON i.id = turn.id
     CROSS JOIN LATERAL (
       SELECT min(depth) AS nearest FROM items
       WHERE import_id = i.id AND kind = 'friends' AND state IN ('pending', 'called')
     ) n
     CROSS JOIN LATERAL (
       SELECT count(*) AS in_flight, count(*) FILTER (WHERE kind <> 'profiles') AS lists_in_flight FROM calls
       WHERE workspace_id = i.workspace_id AND network = i.network AND import_id = i.id
         AND state IN ('queued', 'running')
     ) c
     CROSS JOIN LATERAL (
       SELECT count(*) AS lists FROM (
         SELECT FROM items WHERE import_id = i.id AND kind = 'friends' AND state = 'pending' AND NOT long
           AND ready_at <= now() AND depth <= coalesce(CASE WHEN i.depth IS NOT NULL THEN n.nearest END, 32767)
         LIMIT ${COUNTED_AT_MOST}) AS counted
     ) l
     CROSS JOIN LATERAL (
       SELECT count(*) AS long_lists FROM (
         SELECT FROM items WHERE import_id = i.id AND kind = 'friends' AND state = 'pending' AND long
           AND ready_at <= now() AND depth <= coalesce(CASE WHEN i.depth IS NOT NULL THEN n.nearest END, 32767)
         LIMIT ${COUNTED_AT_MOST}) AS counted
     ) ll
     CROSS JOIN LATERAL (
       SELECT count(*) AS profiles FROM (
         SELECT FROM items WHERE import_id = i.id AND kind = 'profile' AND state = 'pending' AND ready_at <= now()
         LIMIT ${COUNTED_AT_MOST}) AS counted
     ) p
     ORDER BY turn.place`,
    [ids],
  );
  return {
    outstanding: open.rows[0]?.outstanding ?? 0,
    unanswered: open.rows[0]?.unanswered ?? 0,
    work: rows.map(workOf),
    reach: new Map(rows.map((row) => [row.id, row.depth === null ? null : row.nearest])),
  };
}

function workOf(row: WorkRow): PendingWork {
  return {
    importId: row.id,
    lists: row.lists,
    listsMayGrow: row.depth === null && row.lists_in_flight > 0,
    longLists: row.long_lists,
    profiles: row.profiles,
    profilesMayGrow: row.nearest !== null,
    callsLeft:
      row.calls_limit === null ? null : Math.max(0, row.calls_limit - row.calls_made - row.in_flight),
    inFlight: row.in_flight,
  };
}

type NewCall = Omit<Call, 'wanted' | 'items'>;

/** Takes the items of the planned packs, stores the calls and puts their messages into the outbox. */
export async function storePlan(
  q: Queryable,
  lane: Lane,
  plan: DispatchPlan,
  reach: ReadonlyMap<string, number | null>,
): Promise<number> {
  const groups = new Map<string, DispatchPlan['calls'][number][]>();
  for (const planned of plan.calls) {
    const key = `${planned.pack.importId} ${planned.pack.kind}`;
    groups.set(key, [...(groups.get(key) ?? []), planned]);
  }
  const calls: NewCall[] = [];
  for (const group of groups.values()) {
    const first = group[0]?.pack;
    if (first === undefined) continue;
    const wanted = group.reduce((sum, { pack }) => sum + pack.size, 0);
    const { rows } = await q.query<{ person: string }>(
      `SELECT person FROM items
       WHERE import_id = $1 AND kind = $2 AND state = 'pending' AND long = $3 AND ready_at <= now() AND depth <= $4
       ORDER BY depth, person LIMIT $5`,
      [
        first.importId,
        first.kind === 'profiles' ? 'profile' : 'friends',
        first.kind === 'long-list',
        first.kind === 'profiles' ? 32_767 : (reach.get(first.importId) ?? 32_767),
        wanted,
      ],
    );
    let taken = 0;
    for (const { callId, pack } of group) {
      const people = rows.slice(taken, taken + pack.size).map(({ person }) => person);
      taken += people.length;
      if (people.length > 0)
        calls.push({ callId, importId: pack.importId, ...lane, kind: pack.kind, people });
    }
  }
  await storeCalls(q, calls);
  await q.query('UPDATE imports SET dispatched_at = clock_timestamp() WHERE id = ANY($1)', [
    [...new Set(calls.map(({ importId }) => importId))],
  ]);
  return calls.length;
}

/** Stores calls, gives them their items and sends one message each through the outbox. */
export async function storeCalls(q: Queryable, calls: readonly NewCall[]): Promise<void> {
  if (calls.length === 0) return;
  await q.query(
    `INSERT INTO calls (id, import_id, workspace_id, network, kind, people)
     SELECT "callId", "importId", "workspaceId", network, kind, people FROM jsonb_to_recordset($1)
       AS c ("callId" uuid, "importId" uuid, "workspaceId" text, network text, kind text, people text[])`,
    [JSON.stringify(calls)],
  );
  const items = calls.flatMap(({ callId, importId, kind, people }) =>
    people.map((person) => ({ callId, importId, kind: kind === 'profiles' ? 'profile' : 'friends', person })),
  );
  await q.query(
    `UPDATE items SET state = 'called', call_id = taken.call_id
     FROM unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[]) AS taken (import_id, kind, person, call_id)
     WHERE items.import_id = taken.import_id AND items.kind = taken.kind AND items.person = taken.person`,
    [
      items.map(({ importId }) => importId),
      items.map(({ kind }) => kind),
      items.map(({ person }) => person),
      items.map(({ callId }) => callId),
    ],
  );
  await requestCalls(q, calls);
}
