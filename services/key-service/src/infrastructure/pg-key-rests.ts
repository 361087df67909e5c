import type { Postgres } from '@sociograph/postgres';
import { type KeyRest, KeyRests, type StoredRest } from '../domain/key-rests';

interface RestRow {
  key_id: string;
  kind: KeyRest['kind'];
  name: string;
  token_version: number;
  until: Date;
  length_ms: number;
  code: number;
  barred: boolean;
}

const KEPT_AFTER_MS = 2 * 86_400_000;

/** Rests in PostgreSQL, with the worker's rights. A rest of a key that is not there is not kept. */
export class PgKeyRests extends KeyRests {
  constructor(private readonly postgres: Postgres) {
    super();
  }

  async write(changes: {
    kept: StoredRest[];
    gone: Pick<StoredRest, 'keyId' | 'kind' | 'name'>[];
  }): Promise<void> {
    const { kept, gone } = changes;
    await this.postgres.tx(async (q) => {
      if (gone.length > 0) {
        await q.query(
          `DELETE FROM key_rests r USING unnest($1::uuid[], $2::text[], $3::text[]) AS g (key_id, kind, name)
           WHERE r.key_id = g.key_id AND r.kind = g.kind AND r.name = g.name`,
          [gone.map(({ keyId }) => keyId), gone.map(({ kind }) => kind), gone.map(({ name }) => name)],
        );
      }
      if (kept.length === 0) return;
      await q.query(
        `INSERT INTO key_rests (key_id, kind, name, workspace_id, token_version, until, length_ms, code, barred)
         SELECT n.key_id, n.kind, n.name, k.workspace_id, n.token_version, n.until, n.length_ms, n.code, n.barred
         FROM unnest($1::uuid[], $2::text[], $3::text[], $4::int[], $5::timestamptz[], $6::bigint[], $7::int[],
                     $8::bool[])
              AS n (key_id, kind, name, token_version, until, length_ms, code, barred)
         JOIN api_keys k ON k.id = n.key_id
         ON CONFLICT (key_id, kind, name) DO UPDATE SET token_version = excluded.token_version,
           until = excluded.until, length_ms = excluded.length_ms, code = excluded.code, barred = excluded.barred`,
        [
          kept.map(({ keyId }) => keyId),
          kept.map(({ kind }) => kind),
          kept.map(({ name }) => name),
          kept.map(({ tokenVersion }) => tokenVersion),
          kept.map(({ untilAt }) => new Date(untilAt)),
          kept.map(({ lengthMs }) => Math.round(lengthMs)),
          kept.map(({ code }) => code),
          kept.map(({ barred }) => barred),
        ],
      );
    });
  }

  async all(now: number): Promise<StoredRest[]> {
    await this.postgres.query('DELETE FROM key_rests WHERE until < $1', [new Date(now - KEPT_AFTER_MS)]);
    const { rows } = await this.postgres.query<RestRow>(
      `SELECT key_id, kind, name, token_version, until, length_ms, code, barred
       FROM key_rests ORDER BY key_id, kind, name`,
    );
    return rows.map((row) => ({
      keyId: row.key_id,
      kind: row.kind,
      name: row.name,
      tokenVersion: row.token_version,
      untilAt: row.until.getTime(),
      lengthMs: row.length_ms,
      code: row.code,
      barred: row.barred,
    }));
  }
}
