import { Postgres } from '@sociograph/postgres';
import { type ImportCounters, type ImportState } from '../domain/import-job';
import { ImportEvents } from '../domain/ports';
import { MARKS_LOOKED_AT, type ProgressMark } from '../domain/progress';
import { EVENT_EVERY_MS } from './pg-rows';

/** Events given at once to one reader; who is farther behind asks again. */
const READ_AT_ONCE = 1_000;

interface EventRow {
  seq: number;
  at: Date;
  state: ImportState;
  revision: number;
  counters: ImportCounters;
}

/** The events that saveImport writes, as the worker role: who may read of which import is decided before. */
export class PgImportEvents extends ImportEvents {
  constructor(private readonly worker: Postgres) {
    super();
  }

  async latest(importIds: readonly string[]): Promise<Map<string, number>> {
    if (importIds.length === 0) return new Map();
    await this.writeWhatIsDue(importIds);
    const { rows } = await this.worker.query<{ id: string; seq: number }>(
      `SELECT id, event_seq AS seq FROM imports WHERE id = ANY ($1) AND state <> 'deleted'`,
      [importIds],
    );
    return new Map(rows.map(({ id, seq }) => [id, seq]));
  }

  async since(importId: string, after: number): Promise<ProgressMark[]> {
    const { rows } = await this.worker.query<EventRow>(
      `SELECT seq, at, state, revision, counters FROM import_events
       WHERE import_id = $1 AND seq > $2 ORDER BY seq LIMIT ${READ_AT_ONCE}`,
      [importId, after],
    );
    return rows.map((row) => ({ ...row, at: row.at.getTime() }));
  }

  async recent(importId: string): Promise<ProgressMark[]> {
    const seq = (await this.latest([importId])).get(importId);
    return seq === undefined ? [] : this.since(importId, seq - MARKS_LOOKED_AT);
  }

  /**
   * Progress after which nothing came would never be told: whoever reads writes the event. An import that is being
   * changed just now is passed over: its change tells, or the next look does. Waiting for several could deadlock with
   * the dispatcher, which locks them in another order.
   */
  private async writeWhatIsDue(importIds: readonly string[]): Promise<void> {
    await this.worker.query(
      `WITH due AS (
         UPDATE imports SET event_seq = event_seq + 1, event_at = clock_timestamp(), event_due = false
         WHERE id IN (
           SELECT id FROM imports
           WHERE id = ANY ($1) AND event_due AND event_at <= clock_timestamp() - ${EVENT_EVERY_MS} * interval '1 ms'
           FOR UPDATE SKIP LOCKED)
         RETURNING *
       )
       INSERT INTO import_events (import_id, seq, workspace_id, at, state, revision, counters)
       SELECT id, event_seq, workspace_id, event_at, state, revision, jsonb_build_object(
         'peopleKnown', people_known, 'peopleDone', people_done, 'peopleGaps', people_gaps,
         'peopleRetrying', people_retrying, 'peopleBeyond', people_beyond, 'listsKnown', lists_known,
         'listsDone', lists_done, 'listsGaps', lists_gaps, 'listsRetrying', lists_retrying,
         'callsMade', calls_made, 'friendshipObservations', friendship_observations)
       FROM due`,
      [importIds],
    );
  }
}
