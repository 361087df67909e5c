import type { Queryable } from '@sociograph/postgres';
import type { ImportCounters } from '../domain/import-job';
import { ITEMS_OF, type PackKind } from '../domain/packing';
import type { CallResult } from '../domain/ports';
import { addFound } from './pg-found';
import type { StoredCall } from './pg-dispatch';
import { NOTHING_KEPT } from './pg-kept-answers';
import { learnFit } from './pg-learning';
import { absorb } from './pg-progress';
import { type FinalCount, gainedBy, lockForProgress } from './pg-rows';

/** A call that was answered, and what that means. */
export interface Finished {
  readonly callId: string;
  readonly result: CallResult;
}

export interface CallRow {
  id: string;
  import_id: string;
  workspace_id: string;
  network: string;
  kind: PackKind;
  people: string[];
  splits: number;
}

/** A call that has not ended, under its lock. */
export interface OpenCall extends StoredCall {
  /** How often it was begun: attempts that its items do not have in their own count yet. */
  readonly begins: number;
}

export function callOf(row: CallRow): StoredCall {
  const { id, import_id: importId, workspace_id: workspaceId, network, kind, people, splits } = row;
  return { callId: id, importId, workspaceId, network, kind, people, splits };
}

/** Those of the calls that have not ended, locked in the order of their ids. */
export async function lockOpenCalls(q: Queryable, callIds: readonly string[]): Promise<OpenCall[]> {
  const { rows } = await q.query<CallRow & { begins: number }>(
    `SELECT id, import_id, workspace_id, network, kind, people, splits, begins FROM calls
     WHERE id = ANY ($1) AND state IN ('queued', 'running') ORDER BY id FOR UPDATE`,
    [callIds],
  );
  return rows.map((row) => ({ ...callOf(row), begins: row.begins }));
}

/**
 * Ends calls of ONE import. They come in one after the other and would wait for each other's lock of the import; together
 * they cost hardly more than one. Says of each, in their order, whether it had not ended before.
 */
export async function finishCalls(q: Queryable, finished: readonly Finished[]): Promise<boolean[]> {
  const results = new Map<string, CallResult>();
  // Of two ends of one call the first one counts.
  for (const { callId, result } of finished) if (!results.has(callId)) results.set(callId, result);
  const calls = await lockOpenCalls(q, [...results.keys()]);
  const [first] = calls;
  const before = first === undefined ? undefined : await lockForProgress(q, first.importId);
  if (first === undefined || before === undefined) return finished.map(() => false);
  const open = calls.flatMap((call) => {
    const result = results.get(call.callId);
    return result === undefined ? [] : [{ call, result }];
  });
  const final = await settle(q, first, open, before.grows);
  const added = before.grows ? await addFound(q, before, nearest(open)) : {};
  const ended = calls.map(({ callId }) => callId);
  // In one order of kinds, whatever the calls: imports of a lane share these rows.
  for (const { call, result } of open.toSorted((a, b) => (a.call.kind < b.call.kind ? -1 : 1)))
    if (result.fitted !== undefined) await learnFit(q, call, result.fitted);
  const friendshipObservations = open.reduce((sum, { result }) => sum + result.friendshipObservations, 0);
  await absorb(q, before, { ...final, ...added, callsMade: open.length, friendshipObservations });
  return finished.map(({ callId, result }) => ended.includes(callId) && results.get(callId) === result);
}

interface Ending {
  readonly call: OpenCall;
  readonly result: CallResult;
}

/**
 * The calls end, every item of them gets its fate, and positions are noted, all in one statement: others wait for the
 * import meanwhile, and each way to the database and back is time that a busy process makes longer. What would be tried
 * again after the end is withdrawn. The import's id comes out of the list of fates, like the rest of the key: as a
 * condition of its own it is taken for a few rows while the table has no statistics, and all items of the import are read.
 */
async function settle(
  q: Queryable,
  { importId, workspaceId }: StoredCall,
  open: readonly Ending[],
  grows: boolean,
): Promise<Partial<ImportCounters>> {
  const fates = open.flatMap(({ call: { callId, kind, begins }, result }) =>
    fatesOf(result, grows).map((fate) => ({ ...fate, callId, begins, kind: ITEMS_OF[kind].item })),
  );
  const { rows } = await q.query<FinalCount>(
    `WITH fate AS MATERIALIZED (
       SELECT $1::uuid AS import_id, told.* FROM jsonb_to_recordset($2) AS told
         ("callId" uuid, begins smallint, kind text, person text, state text, cause text, detail text,
          "readyInMs" integer, refund boolean, long boolean, cursor text)
     ), settled AS (
       UPDATE items SET
         state = fate.state, cause = fate.cause, detail = fate.detail, long = items.long OR fate.long, call_id = NULL,
         ready_at = clock_timestamp() + fate."readyInMs" * interval '1 millisecond',
         cursor = CASE WHEN fate.state = 'pending' THEN coalesce(fate.cursor, items.cursor) END,
         attempts = CASE WHEN fate.long OR fate.cursor IS NOT NULL THEN 0
           ELSE attempts + fate.begins - fate.refund::integer END,
         key_faults = items.key_faults + fate.refund::integer
       FROM fate
       WHERE items.import_id = fate.import_id AND items.kind = fate.kind AND items.person = fate.person
         AND items.call_id = fate."callId"
       RETURNING items.kind, items.retried, items.state
     ), ended AS (
       UPDATE calls SET state = 'done', ended_at = clock_timestamp(), ${NOTHING_KEPT} WHERE id = ANY ($3)
     ), noted AS (
       INSERT INTO import_positions (import_id, workspace_id, topic, partition, next_offset)
       SELECT $1, $4, topic, partition, next FROM jsonb_to_recordset($5) AS p (topic text, partition integer, next bigint)
       ON CONFLICT (import_id, topic, partition)
       DO UPDATE SET next_offset = greatest(import_positions.next_offset, EXCLUDED.next_offset)
     )
     SELECT kind = 'profile' AS profiles, retried, count(*) FILTER (WHERE state = 'done') AS done,
       count(*) FILTER (WHERE state = 'gap') AS gaps
     FROM settled GROUP BY 1, 2`,
    [
      importId,
      JSON.stringify(fates),
      open.map(({ call }) => call.callId),
      workspaceId,
      JSON.stringify(highestOf(open)),
    ],
  );
  return gainedBy(rows);
}

/** The detail of a profile that was read. */
export const BANNED = 'banned';

interface Fate {
  person: string;
  state: string;
  cause: string | null;
  detail: string | null;
  readyInMs: number;
  refund: boolean;
  long: boolean;
  cursor: string | null;
}

function fatesOf(result: CallResult, grows: boolean): Fate[] {
  const blank = {
    ...{ cause: null as string | null, detail: null as string | null, readyInMs: 0 },
    ...{ refund: false, long: false, cursor: null as string | null },
  };
  const banned = new Set(result.banned);
  const open = grows ? { ...blank, state: 'pending' } : { ...blank, state: 'gap', cause: 'withdrawn' };
  return [
    ...result.done.map((person) => ({
      ...blank,
      ...{ person, state: 'done', detail: banned.has(person) ? BANNED : null },
    })),
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
}

/** Whom the calls met, each once, with the nearest distance. */
function nearest(open: readonly Ending[]): CallResult['found'] {
  if (open.length === 1) return open[0]?.result.found ?? [];
  const found = new Map<string, number>();
  for (const { result } of open)
    for (const { person, depth } of result.found)
      found.set(person, Math.min(depth, found.get(person) ?? depth));
  return [...found].map(([person, depth]) => ({ person, depth }));
}

/** The highest position of each partition, once: one statement must not meet a row twice. */
function highestOf(open: readonly Ending[]): { topic: string; partition: number; next: number }[] {
  const highest = new Map<string, { topic: string; partition: number; next: number }>();
  for (const { result } of open)
    for (const [topic, partitions] of Object.entries(result.positions))
      for (const [partition, next] of Object.entries(partitions)) {
        const key = `${topic}/${partition}`;
        if (next > (highest.get(key)?.next ?? -1))
          highest.set(key, { topic, partition: Number(partition), next });
      }
  return [...highest.values()];
}
