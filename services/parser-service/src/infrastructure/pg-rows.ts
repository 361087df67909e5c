import type { Queryable } from '@sociograph/postgres';
import { type ImportCounters, ImportJob, type ImportSnapshot, type ImportState } from '../domain/import-job';
import type { ImportScope } from '../domain/import-scope';
import type { LogPositions } from '../domain/observation';

/**
 * Every process listens here: its dispatcher looks for work. A payload is the id of an import that does not run any more:
 * whoever has calls of it that are not sent yet puts them back.
 */
export const WAKE_CHANNEL = 'parser_dispatch';

export interface ImportRow {
  id: string;
  workspace_id: string;
  network: string;
  state: ImportState;
  revision: number;
  seeds: string[];
  scope: ImportScope;
  depth: number | null;
  people_limit: number | null;
  calls_limit: number | null;
  created_by: string;
  created_at: Date;
  changed_at: Date;
  people_known: number;
  people_done: number;
  people_gaps: number;
  people_retrying: number;
  people_beyond: number;
  lists_known: number;
  lists_done: number;
  lists_gaps: number;
  lists_retrying: number;
  calls_made: number;
  friendship_observations: number;
}

export const IMPORT_COLUMNS = `id, workspace_id, network, state, revision, seeds, scope, depth, people_limit, calls_limit, created_by,
  created_at, changed_at, people_known, people_done, people_gaps, people_retrying, people_beyond, lists_known,
  lists_done, lists_gaps, lists_retrying, calls_made, friendship_observations`;

const COLUMNS_WITHOUT_SEEDS = IMPORT_COLUMNS.replace(' seeds,', ` '{}'::text[] AS seeds,`);

export function jobOf(row: ImportRow): ImportJob {
  return ImportJob.restore({
    id: row.id,
    workspaceId: row.workspace_id,
    network: row.network,
    state: row.state,
    revision: row.revision,
    seeds: row.seeds,
    scope: row.scope,
    depth: row.depth,
    peopleLimit: row.people_limit,
    callsLimit: row.calls_limit,
    createdBy: row.created_by,
    createdAt: row.created_at.getTime(),
    changedAt: row.changed_at.getTime(),
    counters: {
      peopleKnown: row.people_known,
      peopleDone: row.people_done,
      peopleGaps: row.people_gaps,
      peopleRetrying: row.people_retrying,
      peopleBeyond: row.people_beyond,
      listsKnown: row.lists_known,
      listsDone: row.lists_done,
      listsGaps: row.lists_gaps,
      listsRetrying: row.lists_retrying,
      callsMade: row.calls_made,
      friendshipObservations: row.friendship_observations,
    },
  });
}

/** The parameters of an INSERT or UPDATE in the order of IMPORT_COLUMNS. */
export function valuesOf(job: ImportSnapshot): unknown[] {
  const { counters } = job;
  return [
    job.id,
    job.workspaceId,
    job.network,
    job.state,
    job.revision,
    [...job.seeds],
    JSON.stringify(job.scope),
    job.depth,
    job.peopleLimit,
    job.callsLimit,
    job.createdBy,
    new Date(job.createdAt),
    new Date(job.changedAt),
    counters.peopleKnown,
    counters.peopleDone,
    counters.peopleGaps,
    counters.peopleRetrying,
    counters.peopleBeyond,
    counters.listsKnown,
    counters.listsDone,
    counters.listsGaps,
    counters.listsRetrying,
    counters.callsMade,
    counters.friendshipObservations,
  ];
}

/** The import under its lock: whoever changes an import or its items takes this lock first. */
export function lockImport(q: Queryable, importId: string): Promise<ImportJob | undefined> {
  return locked(q, importId, IMPORT_COLUMNS);
}

/**
 * The same for whoever notes progress, without its seeds: nothing of that needs them, and 50,000 of them, read again
 * with each call, would hold the lock for milliseconds more.
 */
export function lockForProgress(q: Queryable, importId: string): Promise<ImportJob | undefined> {
  return locked(q, importId, COLUMNS_WITHOUT_SEEDS);
}

/** NO KEY: rows that refer to the import (its calls, events, positions) are inserted by others meanwhile. */
async function locked(q: Queryable, importId: string, columns: string): Promise<ImportJob | undefined> {
  const { rows } = await q.query<ImportRow>(
    `SELECT ${columns} FROM imports WHERE id = $1 FOR NO KEY UPDATE`,
    [importId],
  );
  return rows[0] === undefined ? undefined : jobOf(rows[0]);
}

/** At most so many events of progress a second and import; a step of its life is told at once. */
export const EVENT_EVERY_MS = 250;

/**
 * Saves what changed and, in the same statement, the event that tells of it: at once where the revision rose, else
 * when the last event is old enough. Progress that no event tells of yet is `event_due`; who reads the events asks for it.
 * The dispatcher is woken with it: there may be room or new work, and
 * told which import does not run any more (WAKE_CHANNEL).
 */
export async function saveImport(q: Queryable, job: ImportSnapshot, stoppedImportId = ''): Promise<void> {
  const { id, state, changedAt, counters, revision } = job;
  const due = `(revision <> $14 OR event_at IS NULL OR event_at <= clock_timestamp() - ${EVENT_EVERY_MS} * interval '1 ms')`;
  await q.query(
    `WITH saved AS (
       UPDATE imports SET state = $2, changed_at = $3, people_known = $4, people_done = $5, people_gaps = $6,
         people_beyond = $7, lists_known = $8, lists_done = $9, lists_gaps = $10, calls_made = $11,
         friendship_observations = $12, people_retrying = $13, revision = $14, lists_retrying = $15,
         event_seq = event_seq + ${due}::integer,
         event_at = CASE WHEN ${due} THEN clock_timestamp() ELSE event_at END,
         event_due = NOT ${due}
       WHERE id = $1
       RETURNING id, workspace_id, event_seq, event_at, event_due
     ), told AS (
       INSERT INTO import_events (import_id, seq, workspace_id, at, state, revision, counters)
       SELECT id, event_seq, workspace_id, event_at, $2, $14, $16::jsonb FROM saved WHERE NOT event_due
     )
     SELECT pg_notify('${WAKE_CHANNEL}', $17)`,
    [
      id,
      state,
      new Date(changedAt),
      counters.peopleKnown,
      counters.peopleDone,
      counters.peopleGaps,
      counters.peopleBeyond,
      counters.listsKnown,
      counters.listsDone,
      counters.listsGaps,
      counters.callsMade,
      counters.friendshipObservations,
      counters.peopleRetrying,
      revision,
      counters.listsRetrying,
      JSON.stringify(counters),
      stoppedImportId,
    ],
  );
}

export async function positionsOf(
  q: Queryable,
  importIds: readonly string[],
): Promise<Map<string, LogPositions>> {
  const { rows } = await q.query<{
    import_id: string;
    topic: string;
    partition: number;
    next_offset: number;
  }>('SELECT import_id, topic, partition, next_offset FROM import_positions WHERE import_id = ANY($1)', [
    importIds,
  ]);
  const found = new Map<string, LogPositions>(importIds.map((id) => [id, {}]));
  for (const row of rows) {
    const topics = found.get(row.import_id);
    if (topics !== undefined) (topics[row.topic] ??= {})[String(row.partition)] = row.next_offset;
  }
  return found;
}

/** Items that no call holds become gaps; what that adds to the counters. */
export async function closePending(
  q: Queryable,
  importId: string,
  cause: 'withdrawn' | 'limit-reached',
): Promise<Partial<ImportCounters>> {
  const { rows } = await q.query<FinalCount>(
    `WITH closed AS (
       UPDATE items SET state = 'gap', cause = $2 WHERE import_id = $1 AND state = 'pending' RETURNING kind, retried
     )
     SELECT kind = 'profile' AS profiles, retried, count(*) AS gaps, 0 AS done FROM closed GROUP BY 1, 2`,
    [importId, cause],
  );
  return gainedBy(rows);
}

/** Items that became final together: all of them profiles or none, all of them for the first time or none. */
export interface FinalCount {
  profiles: boolean;
  retried: boolean;
  done: number;
  gaps: number;
}

/** What items that became final add to the counters; those that were final before are no longer retried, that is all. */
export function gainedBy(counts: readonly FinalCount[]): Partial<ImportCounters> {
  const gained = {
    ...{ peopleDone: 0, peopleGaps: 0, peopleRetrying: 0 },
    ...{ listsDone: 0, listsGaps: 0, listsRetrying: 0 },
  };
  for (const { profiles, retried, done, gaps } of counts) {
    const kind = profiles ? 'people' : 'lists';
    if (retried) gained[`${kind}Retrying`] -= done + gaps;
    else gained[`${kind}Done`] += done + gaps;
    gained[`${kind}Gaps`] += gaps;
  }
  return gained;
}

export async function wakeDispatcher(q: Queryable): Promise<void> {
  await q.query('SELECT pg_notify($1, $2)', [WAKE_CHANNEL, '']);
}
