import { actionAudited, keyChanged } from '@sociograph/contracts';
import type { Ids } from '@sociograph/kernel';
import { Outbox } from '@sociograph/messaging';
import type { Postgres, Queryable } from '@sociograph/postgres';
import { type DueRefresh, type RefreshOutcome, TokenPairs } from '../domain/token-refresh';

interface DueRow {
  key_id: string;
  workspace_id: string;
  network: string;
  token_version: number;
  tries: number;
  answer_lost: boolean;
  token_encrypted: Uint8Array;
  data_key_id: string;
  client_id: string;
  device_id: string | null;
}

type Renewed = Extract<RefreshOutcome, { kind: 'renewed' }>;

const DUE = `SELECT r.key_id, r.workspace_id, k.network, r.token_version, r.tries, r.answer_lost, r.token_encrypted,
    r.data_key_id, r.client_id, r.device_id
  FROM refresh_tokens r JOIN api_keys k ON k.id = r.key_id
  WHERE r.due_at <= $1 AND k.status IN ('active', 'paused') AND k.token_version = r.token_version`;

/**
 * Refresh tokens in PostgreSQL, with the worker's rights. The row of a pair stays locked while the network is asked:
 * a process that is killed gives it free, one that is merely stopped does not, so the old token is never sent twice
 * at the same time. `answer_lost` is set and committed before the network is asked, and taken back with what came of
 * it: a process that is killed in between leaves it behind. (Of two that come to a key within the same millisecond the
 * second may find the mark of the first: should the network then refuse, an answer is said to be lost that was not.)
 * Each refresh under way costs a connection.
 */
export class PgTokenPairs extends TokenPairs {
  constructor(
    private readonly postgres: Postgres,
    private readonly ids: Ids,
  ) {
    super();
  }

  async want(keyId: string, tokenVersion: number, now: number): Promise<boolean> {
    const { rowCount } = await this.postgres.query(
      `UPDATE refresh_tokens SET due_at = CASE WHEN tries = 0 THEN least(due_at, $3) ELSE due_at END
       WHERE key_id = $1 AND token_version = $2`,
      [keyId, tokenVersion, new Date(now)],
    );
    return rowCount === 1;
  }

  async withDue(
    now: number,
    work: (due: DueRefresh) => Promise<RefreshOutcome>,
  ): Promise<{ due: DueRefresh; outcome: RefreshOutcome } | undefined> {
    for (;;) {
      const marked = await this.#mark(now);
      if (marked === undefined) return undefined;
      const done = await this.postgres.tx(async (q) => {
        const { rows } = await q.query<DueRow>(
          `${DUE} AND r.key_id = $2 AND r.token_version = $3 FOR UPDATE OF r SKIP LOCKED`,
          [new Date(now), marked.key_id, marked.token_version],
        );
        if (rows[0] === undefined) return undefined;
        const due = dueOf({ ...rows[0], answer_lost: marked.answer_lost });
        const outcome = await work(due);
        await this.#store(q, due, outcome, now);
        return { due, outcome };
      });
      // Somebody else was faster between the two: there may be another key.
      if (done !== undefined) return done;
    }
  }

  /** Notes of the next key that its network is about to be asked; answers the row as it was before. */
  #mark(now: number): Promise<DueRow | undefined> {
    return this.postgres.tx(async (q) => {
      const { rows } = await q.query<DueRow>(
        `${DUE} ORDER BY r.due_at, r.key_id LIMIT 1 FOR UPDATE OF r SKIP LOCKED`,
        [new Date(now)],
      );
      if (rows[0] === undefined) return undefined;
      await q.query('UPDATE refresh_tokens SET answer_lost = true WHERE key_id = $1', [rows[0].key_id]);
      return rows[0];
    });
  }

  async #store(q: Queryable, due: DueRefresh, outcome: RefreshOutcome, now: number): Promise<void> {
    if (outcome.kind === 'renewed') return this.#storePair(q, due, outcome, now);
    if (outcome.kind === 'refused') {
      // Of no use to anybody any more.
      await q.query('DELETE FROM refresh_tokens WHERE key_id = $1', [due.keyId]);
      return;
    }
    await q.query(
      `UPDATE refresh_tokens SET due_at = $2, tries = tries + 1, last_failure = $3, answer_lost = $4
       WHERE key_id = $1`,
      [due.keyId, new Date(outcome.dueAt), outcome.cause.slice(0, 200), outcome.answerLost],
    );
  }

  async #storePair(q: Queryable, due: DueRefresh, pair: Renewed, now: number): Promise<void> {
    const next = due.tokenVersion + 1;
    await q.query(
      `UPDATE refresh_tokens SET token_encrypted = $2, data_key_id = $3, token_version = $4, due_at = $5,
              expires_at = $6, tries = 0, last_failure = NULL, answer_lost = false
       WHERE key_id = $1`,
      [
        due.keyId,
        Buffer.from(pair.refreshToken.bytes),
        pair.refreshToken.dataKeyId,
        next,
        dateOf(pair.dueAt),
        dateOf(pair.expiresAt),
      ],
    );
    const { rows } = await q.query<ChangedRow>(
      `UPDATE api_keys SET token_encrypted = $2, data_key_id = $3, fingerprint = $4, token_version = $5,
              version = version + 1, updated_at = $6
       WHERE id = $1 AND token_version = $5 - 1
       RETURNING network, kind, status, version`,
      [due.keyId, Buffer.from(pair.token.bytes), pair.token.dataKeyId, pair.fingerprint, next, new Date(now)],
    );
    const changed = rows[0];
    if (changed === undefined) return;
    await q.query(
      `INSERT INTO key_history (key_id, version, workspace_id, at, actor_kind, actor_id, action, changes)
       VALUES ($1, $2, $3, $4, 'service', 'key-service', 'key.refresh', $5)`,
      [
        due.keyId,
        changed.version,
        due.workspaceId,
        new Date(now),
        JSON.stringify({ tokenVersion: { from: due.tokenVersion, to: next } }),
      ],
    );
    await this.#announce(q, due, changed, now);
  }

  async #announce(q: Queryable, due: DueRefresh, changed: ChangedRow, now: number): Promise<void> {
    const { keyId, workspaceId } = due;
    const at = Math.floor(now);
    const { network, kind, status: state, version } = changed;
    await Outbox.add(
      q,
      [
        Outbox.event(keyChanged, keyId, {
          keyId,
          workspaceId,
          network,
          kind,
          state,
          at,
          version,
          change: 'key.refresh',
        }),
        Outbox.event(actionAudited, workspaceId, {
          auditId: this.ids.next(),
          workspaceId,
          actor: { kind: 'service', id: 'key-service' },
          action: 'key.refresh',
          target: `key/${keyId}`,
          at,
          result: 'done',
        }),
      ],
      this.ids,
    );
  }
}

interface ChangedRow {
  network: string;
  kind: 'user' | 'service' | 'community';
  status: 'active' | 'paused';
  version: number;
}

function dueOf(row: DueRow): DueRefresh {
  return {
    keyId: row.key_id,
    workspaceId: row.workspace_id,
    network: row.network,
    tokenVersion: row.token_version,
    tries: row.tries,
    answerLost: row.answer_lost,
    refresh: {
      token: { dataKeyId: row.data_key_id, bytes: row.token_encrypted },
      clientId: row.client_id,
      deviceId: row.device_id ?? undefined,
    },
  };
}

function dateOf(at: number | undefined): Date | null {
  return at === undefined ? null : new Date(at);
}
