import { appendRevocation, REVOCATION_STREAM, REVOCATIONS_KEPT_MS } from '@sociograph/auth';
import type { Postgres } from '@sociograph/postgres';
import type { Redis } from 'ioredis';
import { TakenBack } from '../domain/ports';

/** The year 3000: no token is accepted. */
const NEVER = 32_503_680_000;

/** Kept in PostgreSQL, told through a stream in redis-pool that every service reads once a second. */
export class RedisTakenBack extends TakenBack {
  constructor(
    private readonly worker: Postgres,
    private readonly redis: Redis,
  ) {
    super();
  }

  override shutOut(subject: string, nowMs: number): Promise<void> {
    return this.#tell(subject, NEVER, nowMs);
  }

  override letIn(subject: string, earliestIat: number, nowMs: number): Promise<void> {
    return this.#tell(subject, earliestIat, nowMs);
  }

  /** A Redis that lost its memory gets the last day again. */
  async refill(nowMs: number): Promise<void> {
    if ((await this.redis.xlen(REVOCATION_STREAM)) > 0) return;
    const { rows } = await this.worker.query<{ subject: string; earliest_iat: number }>(
      'SELECT subject, earliest_iat FROM revocations WHERE noted_at > $1 ORDER BY noted_at LIMIT 100000',
      [new Date(nowMs - REVOCATIONS_KEPT_MS)],
    );
    for (const { subject, earliest_iat: earliestIat } of rows)
      await appendRevocation(this.redis, { subject, earliestIat }, nowMs);
  }

  async forgetOld(nowMs: number): Promise<void> {
    await this.worker.query('DELETE FROM revocations WHERE noted_at < $1', [
      new Date(nowMs - 2 * REVOCATIONS_KEPT_MS),
    ]);
  }

  async #tell(subject: string, earliestIat: number, nowMs: number): Promise<void> {
    await this.worker.query(
      `INSERT INTO revocations (subject, earliest_iat, noted_at) VALUES ($1, $2, $3)
       ON CONFLICT (subject) DO UPDATE SET earliest_iat = EXCLUDED.earliest_iat, noted_at = EXCLUDED.noted_at`,
      [subject, earliestIat, new Date(nowMs)],
    );
    await appendRevocation(this.redis, { subject, earliestIat }, nowMs);
  }
}
