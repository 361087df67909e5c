import {
  IdempotencyStore,
  type IdempotencyAnswer,
  type IdempotencyClaim,
  type IdempotencyRequest,
} from '@sociograph/kernel';
import { Postgres } from './postgres';

/** A first request that is not answered after this long gives its key free, whatever became of its process. */
const ABANDONED_AFTER = '1 minute';
/**
 * A first request whose process is dead gives its key free after this long. A process that only lost its connection has that
 * long to come back, counted from the server's start where it was that which ended all of them.
 */
const ORPHANED_AFTER = '5 seconds';
const KEPT_FOR = '24 hours';

interface Row {
  body_hash: string;
  answer: IdempotencyAnswer | null;
  mine: boolean;
  since?: string;
}

/**
 * Answers of creating requests for 24 h, in the table `idempotency_keys` (SQL in the README), row-level
 * security by workspace. Claiming is one statement: of two equal requests at once one is `first`, the other
 * `in-progress`. A claim names its holder by the lock that the holder's process has (`Postgres.lifeNumber`): a key is soon
 * free again when the process dies, and stays taken while it is frozen, for a minute at most, because then it may still have its
 * effect.
 */
export class PostgresIdempotencyStore extends IdempotencyStore {
  readonly #postgres: Postgres;
  /** When a request of this process claimed its key: one that takes it over later is another one. */
  readonly #since = new WeakMap<IdempotencyRequest, string>();

  constructor(postgres: Postgres) {
    super();
    this.#postgres = postgres;
  }

  async claim(request: IdempotencyRequest): Promise<IdempotencyClaim> {
    const { workspaceId, key, operation, bodyHash } = request;
    const holder = await this.#postgres.lifeNumber();
    const row = await this.#postgres.inWorkspace(workspaceId, async (q) => {
      // An expired or abandoned row is taken over; the upsert locks it, so that only one caller can.
      const claimed = await q.query<Row>(
        `INSERT INTO idempotency_keys AS k (workspace_id, operation, key, body_hash, holder)
         VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (workspace_id, operation, key) DO UPDATE
           SET body_hash = EXCLUDED.body_hash, answer = NULL, created_at = now(), holder = EXCLUDED.holder
           WHERE k.created_at < now() - interval '${KEPT_FOR}'
              OR (k.answer IS NULL AND k.created_at < now() - interval '${ABANDONED_AFTER}')
              OR (k.answer IS NULL AND k.created_at < now() - interval '${ORPHANED_AFTER}'
                  AND pg_postmaster_start_time() < now() - interval '${ORPHANED_AFTER}'
                  AND pg_try_advisory_xact_lock(k.holder))
         RETURNING body_hash, answer, true AS mine, created_at::text AS since`,
        [workspaceId, operation, key, bodyHash, holder],
      );
      if (claimed.rows[0] !== undefined) return claimed.rows[0];
      const standing = await q.query<Row>(
        `SELECT body_hash, answer, false AS mine FROM idempotency_keys
         WHERE workspace_id = $1 AND operation = $2 AND key = $3`,
        [workspaceId, operation, key],
      );
      return standing.rows[0];
    });
    if (row === undefined) return { kind: 'in-progress' };
    if (row.mine) {
      if (row.since !== undefined) this.#since.set(request, row.since);
      return { kind: 'first' };
    }
    if (row.body_hash !== bodyHash) return { kind: 'different-body' };
    return row.answer === null ? { kind: 'in-progress' } : { kind: 'repeat', answer: row.answer };
  }

  /** Keeps the answer of the `first` request, unless the claim was taken over. */
  async complete(request: IdempotencyRequest, answer: IdempotencyAnswer): Promise<void> {
    const { workspaceId, key, operation } = request;
    const holder = await this.#postgres.lifeNumber();
    await this.#postgres.inWorkspace(workspaceId, (q) =>
      q.query(
        `UPDATE idempotency_keys SET answer = $4
         WHERE workspace_id = $1 AND operation = $2 AND key = $3 AND holder = $5
           AND ($6::timestamptz IS NULL OR created_at = $6::timestamptz)`,
        [workspaceId, operation, key, JSON.stringify(answer), holder, this.#since.get(request) ?? null],
      ),
    );
  }

  /** Gives the key free again: the first request failed, so a repeat may try. */
  async release(request: IdempotencyRequest): Promise<void> {
    const { workspaceId, key, operation } = request;
    const holder = await this.#postgres.lifeNumber();
    await this.#postgres.inWorkspace(workspaceId, (q) =>
      q.query(
        `DELETE FROM idempotency_keys
         WHERE workspace_id = $1 AND operation = $2 AND key = $3 AND answer IS NULL AND holder = $4
           AND ($5::timestamptz IS NULL OR created_at = $5::timestamptz)`,
        [workspaceId, operation, key, holder, this.#since.get(request) ?? null],
      ),
    );
  }
}
