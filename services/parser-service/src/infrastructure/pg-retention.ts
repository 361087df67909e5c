import type { Postgres } from '@sociograph/postgres';
import { READ_BY_AN_IMPORT } from './pg-uploads';

/** Rows that one statement deletes: locks are short, and the log of the database stays even. */
const AT_ONCE = 5_000;
/** Answers of creating requests are repeated for 24 h. */
const IDEMPOTENCY_HOURS = 25;

export interface Retention {
  /** Ended imports, with everything of them; what they imported stays in the graph. */
  readonly importsDays: number;
  /** Ended calls, and the events of ended imports that tell of progress only. */
  readonly callsDays: number;
  /** Uploads that nobody sent again, and that no import which has not ended reads. */
  readonly uploadsDays: number;
}

/**
 * Deletes what nobody needs any more, in portions; imports that were deleted lose their rows here. Several processes
 * may do so at once: each portion passes over the rows that another one holds.
 */
export class PgRetention {
  constructor(
    private readonly worker: Postgres,
    private readonly kept: Retention,
  ) {}

  /** One round; returns how many rows went. Below `AT_ONCE` of each kind the next round can wait. */
  async sweep(): Promise<number> {
    const { importsDays, callsDays, uploadsDays } = this.kept;
    let rows = await this.expired(importsDays);
    rows += await this.portion('calls', `ended_at < now() - $1 * interval '1 day'`, [callsDays]);
    rows += await this.portion(
      'import_events',
      `at < now() - $1 * interval '1 day' AND EXISTS (
         SELECT FROM imports i WHERE i.id = import_id AND i.state IN ('completed', 'cancelled', 'failed')
           AND i.event_seq > import_events.seq)
       AND EXISTS (SELECT FROM import_events before WHERE before.import_id = import_events.import_id
         AND before.seq = import_events.seq - 1 AND before.revision = import_events.revision)`,
      [callsDays],
    );
    rows += await this.portion('idempotency_keys', `created_at < now() - $1 * interval '1 hour'`, [
      IDEMPOTENCY_HOURS,
    ]);
    return rows + (await this.uploads(uploadsDays));
  }

  /** The rows of an upload go before itself. */
  private async uploads(days: number): Promise<number> {
    await this.worker.tx(async (q) => {
      // An import that begins holds its uploads: those are passed over, and the others cannot be taken up meanwhile.
      const old = await q.query<{ id: string }>(
        `SELECT id FROM uploads WHERE NOT removed AND kept_since < now() - $1 * interval '1 day' FOR UPDATE SKIP LOCKED`,
        [days],
      );
      await q.query(`UPDATE uploads SET removed = true WHERE id = ANY ($1) AND NOT ${READ_BY_AN_IMPORT}`, [
        old.rows.map(({ id }) => id),
      ]);
    });
    const { rows } = await this.worker.query<{ id: string }>('SELECT id FROM uploads WHERE removed LIMIT 20');
    let deleted = 0;
    for (const { id } of rows) {
      const left = await this.portion('uploaded_people', 'upload_id = $1', [id]);
      deleted += left + (left === 0 ? await this.portion('uploads', 'id = $1', [id]) : 0);
    }
    return deleted;
  }

  /** The rows of an import go before itself, so that no statement deletes a million of them. */
  private async expired(days: number): Promise<number> {
    const { rows } = await this.worker.query<{ id: string }>(
      `SELECT id FROM imports WHERE state = 'deleted'
         OR (state IN ('completed', 'cancelled', 'failed') AND changed_at < now() - $1 * interval '1 day')
       ORDER BY changed_at LIMIT 20`,
      [days],
    );
    let deleted = 0;
    for (const { id } of rows) {
      let left = 0;
      for (const table of ['items', 'calls', 'import_events', 'import_positions', 'dead_records'])
        left += await this.portion(table, 'import_id = $1', [id]);
      deleted += left;
      if (left === 0) deleted += await this.portion('imports', 'id = $1', [id]);
    }
    return deleted;
  }

  private async portion(table: string, where: string, values: readonly unknown[]): Promise<number> {
    const { rowCount } = await this.worker.query(
      `DELETE FROM ${table} WHERE ctid IN (
         SELECT ctid FROM ${table} WHERE ${where} LIMIT ${AT_ONCE} FOR UPDATE SKIP LOCKED)`,
      values,
    );
    return rowCount;
  }
}
