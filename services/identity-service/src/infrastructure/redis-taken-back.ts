import { appendRevocation, type Revocation, REVOCATIONS_KEPT_MS } from '@sociograph/auth';
import type { Postgres } from '@sociograph/postgres';
import type { Redis } from 'ioredis';
import { TakenBack } from '../domain/ports';

/** The year 3000: no token is accepted. */
const NEVER = 32_503_680_000;

/** Names the run of Redis that was told all of the last day; gone with its memory. */
const FILLED = 'identity:revocations:filled';

/** Kept in PostgreSQL, told through a stream in redis-pool that every service reads once a second. */
export class RedisTakenBack extends TakenBack {
  constructor(
    private readonly worker: Postgres,
    private readonly redis: Pick<Redis, 'xadd' | 'get' | 'set' | 'info'>,
  ) {
    super();
  }

  override shutOut(subject: string, nowMs: number): Promise<void> {
    return this.#tell(subject, NEVER, nowMs);
  }

  override letIn(subject: string, earliestIat: number, nowMs: number): Promise<void> {
    return this.#tell(subject, earliestIat, nowMs);
  }

  /**
   * A Redis that lost its memory, or was started again and may have lost the last second, gets the last day again. What
   * is told meanwhile is newer, and holds wherever it comes in between.
   */
  async refill(nowMs: number): Promise<void> {
    const run = /^run_id:(\S+)/m.exec(await this.redis.info('server'))?.[1] ?? 'unknown';
    if ((await this.redis.get(FILLED)) === run) return;
    const { rows } = await this.worker.query<Row>(
      'SELECT subject, earliest_iat, noted_at FROM revocations WHERE noted_at > $1 ORDER BY noted_at DESC LIMIT 100000',
      [new Date(nowMs - REVOCATIONS_KEPT_MS)],
    );
    for (const row of rows.reverse()) await appendRevocation(this.redis, revocationOf(row));
    await this.redis.set(FILLED, run);
  }

  async forgetOld(nowMs: number): Promise<void> {
    await this.worker.query('DELETE FROM revocations WHERE noted_at < $1', [
      new Date(nowMs - 2 * REVOCATIONS_KEPT_MS),
    ]);
  }

  async #tell(subject: string, earliestIat: number, nowMs: number): Promise<void> {
    // Always later than the one before, whatever the clocks of two instances say.
    const { rows } = await this.worker.query<Row>(
      `INSERT INTO revocations (subject, earliest_iat, noted_at) VALUES ($1, $2, $3)
       ON CONFLICT (subject) DO UPDATE SET earliest_iat = EXCLUDED.earliest_iat,
         noted_at = greatest(EXCLUDED.noted_at, revocations.noted_at + interval '1 millisecond')
       RETURNING subject, earliest_iat, noted_at`,
      [subject, earliestIat, new Date(nowMs)],
    );
    for (const row of rows) await appendRevocation(this.redis, revocationOf(row));
  }
}

interface Row {
  subject: string;
  earliest_iat: number;
  noted_at: Date;
}

function revocationOf({ subject, earliest_iat: earliestIat, noted_at: notedAt }: Row): Revocation {
  return { subject, earliestIat, at: notedAt.getTime() };
}
