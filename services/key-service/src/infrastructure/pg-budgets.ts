import type { Postgres, Queryable } from '@sociograph/postgres';
import { methodOf, spanOf } from '../domain/limits';
import { BudgetBlocks } from '../domain/budget-blocks';

/** From the last grant out of a block to the latest arrival of its calls: slots lie a window ahead at most. */
const REACH_MS = 5_000;
/** A block that was booked so lately may be about to reach the ledger. */
const UNDER_WAY_MS = 10_000;
const LEAST_RETRY_MS = 1_000;
/** So long an empty block stays open for what is given back to it, at most this share of its span. */
const CLOSING_MS = 33_000;
const CLOSING_SHARE = 0.05;
/** Open blocks are closed after a part of their span: what is left of them can be booked anew then. */
const OPEN_RETRY_SHARE = 0.01;
/** Blocks of all spans are over after this. */
const KEPT = '2 days';

type Booking = Parameters<BudgetBlocks['book']>[0];

/** Budget blocks in PostgreSQL. Its clock counts, for all instances alike. */
export class PostgresBudgetBlocks extends BudgetBlocks {
  constructor(private readonly postgres: Postgres) {
    super();
  }

  async book(request: Booking): ReturnType<BudgetBlocks['book']> {
    return this.postgres.tx(async (q) => {
      const { bucket, limit, calls, size, epoch, known, left } = request;
      // One booking of a limit at a time, whichever instance makes it.
      await q.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 4))', [`${bucket} ${limit}`]);
      const [name, method] = columnsOf(limit);
      await closeOlder(q, [bucket, name, method, epoch]);
      const { rows } = await q.query<{ taken: number; under_way: number; retry_ms: number | null }>(
        `SELECT coalesce(sum(size), 0)::int8 AS taken,
                count(*) FILTER (WHERE closed_at IS NULL AND NOT id = ANY($5::uuid[])
                                   AND booked_at > now() - $6 * interval '1 millisecond') AS under_way,
                (extract(epoch FROM min(closed_at) FILTER (WHERE size > 0) - now()) * 1000)::float8 AS retry_ms
         FROM budget_blocks
         WHERE bucket = $1 AND limit_name = $2 AND method = $3
           AND (closed_at IS NULL OR closed_at > now() - $4 * interval '1 millisecond')`,
        [bucket, name, method, spanOf(limit) + REACH_MS, known, UNDER_WAY_MS],
      );
      const found = rows[0] as { taken: number; under_way: number; retry_ms: number | null };
      if (found.under_way > 0) return { kind: 'elsewhere' };
      const granted = Math.min(size, calls - found.taken);
      if (granted < 1) {
        const closing = Math.min(CLOSING_MS, spanOf(limit) * CLOSING_SHARE);
        const leavesInMs = (found.retry_ms ?? closing) + spanOf(limit) + REACH_MS;
        const retryInMs = left > 0 ? Math.min(leavesInMs, spanOf(limit) * OPEN_RETRY_SHARE) : leavesInMs;
        return { kind: 'spent', retryInMs: Math.max(LEAST_RETRY_MS, Math.ceil(retryInMs)) };
      }
      const inserted = await q.query<{ id: string }>(
        `INSERT INTO budget_blocks (bucket, limit_name, method, size, epoch) VALUES ($1, $2, $3, $4, $5)
         RETURNING id`,
        [bucket, name, method, granted, epoch],
      );
      return { kind: 'booked', id: (inserted.rows[0] as { id: string }).id, size: granted };
    });
  }

  async close(blocks: readonly { id: string; left: number }[]): Promise<void> {
    if (blocks.length === 0) return;
    await this.postgres.query(
      `UPDATE budget_blocks SET closed_at = now(), size = greatest(0, size - given.unspent)
       FROM unnest($1::uuid[], $2::int[]) AS given (id, unspent)
       WHERE budget_blocks.id = given.id AND closed_at IS NULL`,
      [blocks.map(({ id }) => id), blocks.map(({ left }) => left)],
    );
  }

  async closeLost(epoch: number): Promise<number> {
    const { rowCount } = await this.postgres.query(
      'UPDATE budget_blocks SET closed_at = now() WHERE closed_at IS NULL AND epoch < $1',
      [epoch],
    );
    return rowCount;
  }

  async open(epoch: number): Promise<{ id: string; bucket: string; ageMs: number }[]> {
    await this.postgres.query(`DELETE FROM budget_blocks WHERE closed_at < now() - interval '${KEPT}'`);
    const { rows } = await this.postgres.query<{ id: string; bucket: string; age_ms: number }>(
      `SELECT id, bucket, (extract(epoch FROM now() - booked_at) * 1000)::float8 AS age_ms
       FROM budget_blocks WHERE closed_at IS NULL AND epoch = $1 ORDER BY bucket, booked_at`,
      [epoch],
    );
    return rows.map(({ id, bucket, age_ms: ageMs }) => ({ id, bucket, ageMs }));
  }

  async taken(bucket: string): Promise<ReadonlyMap<string, number>> {
    const { rows } = await this.postgres.query<{ name: string; taken: number }>(
      `SELECT CASE method WHEN '' THEN limit_name ELSE limit_name || ':' || method END AS name,
              sum(size)::int8 AS taken
       FROM budget_blocks
       WHERE bucket = $1 AND (closed_at IS NULL OR closed_at > now() - $2 * interval '1 millisecond'
         - CASE limit_name WHEN 'minute' THEN interval '1 minute' WHEN 'hour' THEN interval '1 hour'
                           ELSE interval '1 day' END)
       GROUP BY 1`,
      [bucket, REACH_MS],
    );
    return new Map(rows.map(({ name, taken }) => [name, taken]));
  }
}

/** Nobody can spend the blocks of an earlier memory any more: what was left of them counts as spent. */
async function closeOlder(q: Queryable, values: [string, string, string, number]): Promise<void> {
  await q.query(
    `UPDATE budget_blocks SET closed_at = now()
     WHERE bucket = $1 AND limit_name = $2 AND method = $3 AND closed_at IS NULL AND epoch < $4`,
    values,
  );
}

function columnsOf(limit: string): [string, string] {
  const method = methodOf(limit);
  return method === undefined ? [limit, ''] : ['day', method];
}
