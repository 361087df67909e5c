import type { Queryable } from '@sociograph/postgres';
import { ITEM_KINDS, type ItemKind } from '../domain/items';
import {
  ANSWERED_AFTER_MS,
  ITEMS_OF,
  LEADING,
  PACK_KINDS,
  type PackKind,
  type PendingWork,
} from '../domain/packing';
import type { Call, DispatchBounds, DispatchPlan, Lane, LaneView } from '../domain/ports';
import { type ImportTrace, tracesOfCalls } from './call-traces';
import { requestCalls } from './outgoing';

/** Counts stop here: one round never dispatches more than this of one kind, and a larger frontier is not scanned. */
const COUNTED_AT_MOST = 4_000;

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
  called: PackKind[];
  ready: Partial<Record<PackKind, number>> | null;
  open: ItemKind[];
}

/** The kinds of packs as arrays of the query: its name, the items it takes, and whether distance holds them back. */
const PACKS = {
  kinds: [...PACK_KINDS],
  items: PACK_KINDS.map((kind) => ITEMS_OF[kind].item),
  long: PACK_KINDS.map((kind) => ITEMS_OF[kind].long),
  byDistance: PACK_KINDS.map((kind) => isByDistance(kind)),
};

/** With a bounded depth friends are fetched distance by distance, so that the nearest one of a person is exact. */
function isByDistance(kind: PackKind): boolean {
  return ITEMS_OF[kind].item === 'friends';
}

type OpenCalls = Pick<LaneView, 'outstanding' | 'unanswered'>;

export async function openCalls(q: Queryable, lane: Lane): Promise<OpenCalls> {
  const { rows } = await q.query<OpenCalls>(
    `SELECT count(*) AS outstanding,
       count(*) FILTER (WHERE state = 'queued' OR begun_at > clock_timestamp() - $3 * interval '1 millisecond')
         AS unanswered
     FROM calls WHERE workspace_id = $1 AND network = $2 AND state IN ('queued', 'running')`,
    [lane.workspaceId, lane.network, ANSWERED_AFTER_MS],
  );
  return rows[0] ?? { outstanding: 0, unanswered: 0 };
}

/** Whether so much may be dispatched that a round is worth it. */
export function hasRoom({ outstanding }: Pick<OpenCalls, 'outstanding'>, bounds?: DispatchBounds): boolean {
  return bounds === undefined || bounds.calls - outstanding >= bounds.least;
}

/**
 * The lane as the planner sees it, and up to which distance lists of each import may go (null = any). A lane that has enough
 * ahead shows no work: to count it would cost more than all else.
 */
export async function viewLane(
  q: Queryable,
  lane: Lane,
  bounds?: DispatchBounds,
): Promise<LaneView & { reach: Map<string, number | null> }> {
  const { outstanding, unanswered } = await openCalls(q, lane);
  if (!hasRoom({ outstanding }, bounds)) {
    return { outstanding, unanswered, work: [], learned: {}, reach: new Map() };
  }
  const room = (bounds?.calls ?? Infinity) - outstanding;
  const counted = PACK_KINDS.map((kind) =>
    Math.min(COUNTED_AT_MOST, room * (bounds?.packSizes[kind].most ?? Infinity)),
  );
  const learned = await q.query<{ kind: PackKind; size: number }>(
    'SELECT kind, size FROM pack_sizes WHERE workspace_id = $1 AND network = $2',
    [lane.workspaceId, lane.network],
  );
  const alive = await q.query<{ id: string }>(
    `SELECT id FROM imports
     WHERE workspace_id = $1 AND network = $2 AND state = 'running' AND (hold_until IS NULL OR hold_until <= now())
     ORDER BY dispatched_at NULLS FIRST, id`,
    [lane.workspaceId, lane.network],
  );
  const ids = alive.rows.map(({ id }) => id);
  // A minimum, a count or an existence for each kind by itself: each is a short walk in the index of open items.
  const { rows } = await q.query<WorkRow>(
    `SELECT i.id, i.depth, i.calls_limit, i.calls_made, n.nearest, c.in_flight, c.called, r.ready, o.open
     FROM unnest($1::uuid[]) WITH ORDINALITY AS turn (id, place)
     JOIN imports i ON i.id = turn.id
     CROSS JOIN LATERAL (
       SELECT min(depth) AS nearest FROM unnest($6::text[]) AS leads (kind) CROSS JOIN LATERAL (
         SELECT min(depth) AS depth FROM items
         WHERE import_id = i.id AND items.kind = leads.kind AND state IN ('pending', 'called')) AS of_kind
     ) n
     CROSS JOIN LATERAL (
       SELECT count(*) AS in_flight, coalesce(array_agg(DISTINCT kind), '{}') AS called FROM calls
       WHERE workspace_id = i.workspace_id AND network = i.network AND import_id = i.id
         AND state IN ('queued', 'running')
     ) c
     CROSS JOIN LATERAL (
       SELECT jsonb_object_agg(pack.kind, counted.items) FILTER (WHERE counted.items > 0) AS ready
       FROM unnest($2::text[], $3::text[], $4::boolean[], $5::boolean[], $8::integer[])
         AS pack (kind, item, long, by_distance, counted)
       CROSS JOIN LATERAL (
         SELECT count(*) AS items FROM (
           SELECT FROM items WHERE import_id = i.id AND kind = pack.item AND state = 'pending' AND long = pack.long
             AND ready_at <= now()
             AND depth <= coalesce(CASE WHEN pack.by_distance AND i.depth IS NOT NULL THEN n.nearest END, 32767)
           LIMIT pack.counted) AS found
       ) AS counted
     ) r
     CROSS JOIN LATERAL (
       SELECT coalesce(array_agg(kinds.kind), '{}') AS open FROM unnest($7::text[]) AS kinds (kind)
       WHERE EXISTS (
         SELECT FROM items WHERE import_id = i.id AND items.kind = kinds.kind AND state IN ('pending', 'called'))
     ) o
     ORDER BY turn.place`,
    [ids, PACKS.kinds, PACKS.items, PACKS.long, PACKS.byDistance, [...LEADING], [...ITEM_KINDS], counted],
  );
  return {
    outstanding,
    unanswered,
    work: rows.map(workOf),
    learned: Object.fromEntries(learned.rows.map(({ kind, size }) => [kind, size])),
    reach: new Map(rows.map((row) => [row.id, row.depth === null ? null : row.nearest])),
  };
}

function workOf(row: WorkRow): PendingWork {
  return {
    importId: row.id,
    ready: row.ready ?? {},
    open: row.open,
    called: [...new Set(row.called.map((kind) => ITEMS_OF[kind].item))],
    bounded: row.depth !== null,
    callsLeft:
      row.calls_limit === null ? null : Math.max(0, row.calls_limit - row.calls_made - row.in_flight),
    inFlight: row.in_flight,
  };
}

/** A call as its row has it. */
export type StoredCall = Omit<Call, 'wanted' | 'items' | 'scope' | 'cursors' | 'kept'>;

/**
 * Takes the items of the planned packs, stores the calls and puts their messages into the outbox. The items are locked, not
 * their imports: whoever stores what a call brought would wait for all of this. Items that somebody holds (who withdraws or
 * forgets them) are passed over. An import that is paused or cancelled meanwhile has calls then that nobody wants: they are
 * put back when their messages come.
 */
export async function storePlan(
  q: Queryable,
  lane: Lane,
  plan: DispatchPlan,
  reach: ReadonlyMap<string, number | null>,
): Promise<readonly StoredCall[]> {
  const groups = new Map<string, DispatchPlan['calls'][number][]>();
  for (const planned of plan.calls) {
    const key = `${planned.pack.importId} ${planned.pack.kind}`;
    groups.set(key, [...(groups.get(key) ?? []), planned]);
  }
  const calls: StoredCall[] = [];
  for (const group of groups.values()) {
    const first = group[0]?.pack;
    if (first === undefined) continue;
    const wanted = group.reduce((sum, { pack }) => sum + pack.size, 0);
    const { rows } = await q.query<{ person: string }>(
      `SELECT person FROM items
       WHERE import_id = $1 AND kind = $2 AND state = 'pending' AND long = $3 AND ready_at <= now() AND depth <= $4
       ORDER BY depth, person LIMIT $5 FOR NO KEY UPDATE SKIP LOCKED`,
      [
        first.importId,
        ITEMS_OF[first.kind].item,
        ITEMS_OF[first.kind].long,
        isByDistance(first.kind) ? (reach.get(first.importId) ?? 32_767) : 32_767,
        wanted,
      ],
    );
    let taken = 0;
    for (const { callId, pack } of group) {
      const people = rows.slice(taken, taken + pack.size).map(({ person }) => person);
      taken += people.length;
      if (people.length > 0)
        calls.push({ callId, importId: pack.importId, ...lane, kind: pack.kind, people, splits: 0 });
    }
  }
  await storeCalls(q, calls, tracesOfCalls(calls, await originsOf(q, calls)));
  return calls;
}

/** Where the imports of these calls come from. */
async function originsOf(q: Queryable, calls: readonly StoredCall[]): Promise<Map<string, ImportTrace>> {
  if (calls.length === 0) return new Map();
  const { rows } = await q.query<ImportTrace & { id: string }>(
    `SELECT id, traceparent, NOT EXISTS (SELECT FROM calls WHERE import_id = imports.id) AS first
     FROM imports WHERE id = ANY ($1)`,
    [[...new Set(calls.map(({ importId }) => importId))]],
  );
  return new Map(rows.map((row) => [row.id, row]));
}

/** These imports had their turn; which one comes first is decided by this, nothing else. */
export async function noteTurns(q: Queryable, calls: readonly StoredCall[]): Promise<void> {
  await q.query('UPDATE imports SET dispatched_at = clock_timestamp() WHERE id = ANY ($1)', [
    [...new Set(calls.map(({ importId }) => importId))],
  ]);
}

/** Stores calls, gives them their items and sends one message each through the outbox, in these traces (by call id). */
export async function storeCalls(
  q: Queryable,
  calls: readonly StoredCall[],
  traces?: ReadonlyMap<string, string>,
): Promise<void> {
  if (calls.length === 0) return;
  await q.query(
    `INSERT INTO calls (id, import_id, workspace_id, network, kind, people, splits)
     SELECT "callId", "importId", "workspaceId", network, kind, people, splits FROM jsonb_to_recordset($1)
       AS c ("callId" uuid, "importId" uuid, "workspaceId" text, network text, kind text, people text[],
         splits smallint)`,
    [JSON.stringify(calls)],
  );
  const items = calls.flatMap(({ callId, importId, kind, people }) =>
    people.map((person) => ({ callId, importId, kind: ITEMS_OF[kind].item, person })),
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
  await requestCalls(q, calls, traces);
}
