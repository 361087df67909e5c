import type { Queryable } from '@sociograph/postgres';
import { ImportJob, type ImportSnapshot, type ImportState } from '../domain/import-job';
import type { LogPositions } from '../domain/observation';

/** The dispatcher of every process listens here; a notification says only "look". */
export const WAKE_CHANNEL = 'parser_dispatch';

export interface ImportRow {
  id: string;
  workspace_id: string;
  network: string;
  state: ImportState;
  seeds: string[];
  depth: number | null;
  people_limit: number | null;
  calls_limit: number | null;
  created_by: string;
  created_at: Date;
  changed_at: Date;
  people_known: number;
  people_done: number;
  people_gaps: number;
  people_beyond: number;
  lists_known: number;
  lists_done: number;
  lists_gaps: number;
  calls_made: number;
  friendship_observations: number;
}

export const IMPORT_COLUMNS = `id, workspace_id, network, state, seeds, depth, people_limit, calls_limit, created_by,
  created_at, changed_at, people_known, people_done, people_gaps, people_beyond, lists_known, lists_done, lists_gaps,
  calls_made, friendship_observations`;

export function jobOf(row: ImportRow): ImportJob {
  return ImportJob.restore({
    id: row.id,
    workspaceId: row.workspace_id,
    network: row.network,
    state: row.state,
    seeds: row.seeds,
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
      peopleBeyond: row.people_beyond,
      listsKnown: row.lists_known,
      listsDone: row.lists_done,
      listsGaps: row.lists_gaps,
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
    [...job.seeds],
    job.depth,
    job.peopleLimit,
    job.callsLimit,
    job.createdBy,
    new Date(job.createdAt),
    new Date(job.changedAt),
    counters.peopleKnown,
    counters.peopleDone,
    counters.peopleGaps,
    counters.peopleBeyond,
    counters.listsKnown,
    counters.listsDone,
    counters.listsGaps,
    counters.callsMade,
    counters.friendshipObservations,
  ];
}

/** The import under its lock: whoever changes an import or its items takes this lock first. */
export async function lockImport(q: Queryable, importId: string): Promise<ImportJob | undefined> {
  const { rows } = await q.query<ImportRow>(
    `SELECT ${IMPORT_COLUMNS} FROM imports WHERE id = $1 FOR UPDATE`,
    [importId],
  );
  return rows[0] === undefined ? undefined : jobOf(rows[0]);
}

export async function saveImport(q: Queryable, job: ImportSnapshot): Promise<void> {
  const { id, state, changedAt, counters } = job;
  await q.query(
    `UPDATE imports SET state = $2, changed_at = $3, people_known = $4, people_done = $5, people_gaps = $6,
       people_beyond = $7, lists_known = $8, lists_done = $9, lists_gaps = $10, calls_made = $11,
       friendship_observations = $12
     WHERE id = $1`,
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

/** Items that no call holds become gaps; how many of each kind. */
export async function closePending(
  q: Queryable,
  importId: string,
  cause: 'withdrawn' | 'limit-reached',
): Promise<{ people: number; lists: number }> {
  const { rows } = await q.query<{ people: number; lists: number }>(
    `WITH closed AS (
       UPDATE items SET state = 'gap', cause = $2 WHERE import_id = $1 AND state = 'pending' RETURNING kind
     )
     SELECT count(*) FILTER (WHERE kind = 'profile') AS people, count(*) FILTER (WHERE kind = 'friends') AS lists
     FROM closed`,
    [importId, cause],
  );
  return rows[0] ?? { people: 0, lists: 0 };
}

export async function wakeDispatcher(q: Queryable): Promise<void> {
  await q.query('SELECT pg_notify($1, $2)', [WAKE_CHANNEL, '']);
}
