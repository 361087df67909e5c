import { createHash } from 'node:crypto';
import type { Postgres } from '@sociograph/postgres';
import { type AttemptLimit, Attempts } from '../domain/attempts';

/** First half of the advisory lock under which the attempts of a name are counted one after the other. */
const LOCKS = 0x61747470;

/**
 * As the worker. Names are stored as their SHA-256, so that nobody reads the addresses of those who only tried; who has a list
 * of addresses can find out which of them are among these. Rows live as long as the longest limit looks back.
 */
export class PgAttempts extends Attempts {
  constructor(private readonly worker: Postgres) {
    super();
  }

  override async take(name: string, { most, withinMs }: AttemptLimit, nowMs: number): Promise<number> {
    const now = Math.floor(nowMs);
    const digest = createHash('sha256').update(name).digest('hex');
    return this.worker.tx(async (q) => {
      await q.query('SELECT pg_advisory_xact_lock($1, hashtext($2))', [LOCKS, digest]);
      const { rows } = await q.query<{ count: number; oldest: Date | null }>(
        'SELECT count(*) AS count, min(at) AS oldest FROM attempts WHERE name = $1 AND at > $2',
        [digest, new Date(now - withinMs)],
      );
      const [found] = rows;
      if (found !== undefined && found.oldest !== null && found.count >= most)
        return found.oldest.getTime() + withinMs - now;
      await q.query('INSERT INTO attempts (name, at) VALUES ($1, $2)', [digest, new Date(now)]);
      return 0;
    });
  }

  /** Those that no window reaches back to. */
  async forgetOld(nowMs: number, longestMs: number): Promise<void> {
    await this.worker.query('DELETE FROM attempts WHERE at <= $1', [new Date(nowMs - longestMs)]);
  }
}
