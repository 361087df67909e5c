import type { Postgres } from '@sociograph/postgres';
import { SealedStore, type SealedToken, type StoredToken, type WrappedDataKey } from '../domain/sealing';

interface DataKeyRow {
  id: string;
  workspace_id: string;
  wrapped: Uint8Array;
  created_at: Date;
}

interface TokenRow {
  place: 'api_keys' | 'refresh_tokens';
  key_id: string;
  workspace_id: string;
  token_version: number;
  token_encrypted: Uint8Array;
  data_key_id: string;
}

/** Where tokens lie: the table and the name of the key's id in it. */
const PLACES = { api_keys: 'id', refresh_tokens: 'key_id' } as const;

/** Everything sealed, with the worker's rights: it may write sealed bytes and nothing else of a key. */
export class PostgresSealedStore extends SealedStore {
  constructor(private readonly postgres: Postgres) {
    super();
  }

  async dataKeys(after: string | undefined, limit: number): Promise<WrappedDataKey[]> {
    const { rows } = await this.postgres.query<DataKeyRow>(
      `SELECT id, workspace_id, wrapped, created_at FROM data_keys
       WHERE $1::uuid IS NULL OR id > $1 ORDER BY id LIMIT $2`,
      [after ?? null, limit],
    );
    return rows.map(({ id, workspace_id: workspaceId, wrapped, created_at: createdAt }) => ({
      ...{ id, workspaceId, wrapped },
      createdAt: createdAt.getTime(),
    }));
  }

  async rewrap(id: string, from: Uint8Array, to: Uint8Array): Promise<boolean> {
    const { rowCount } = await this.postgres.query(
      'UPDATE data_keys SET wrapped = $3 WHERE id = $1 AND wrapped = $2',
      [id, Buffer.from(from), Buffer.from(to)],
    );
    return rowCount === 1;
  }

  async tokensNotUnder(workspaceId: string, dataKeyId: string, limit: number): Promise<StoredToken[]> {
    const { rows } = await this.postgres.query<TokenRow>(
      `SELECT 'api_keys' AS place, id AS key_id, workspace_id, token_version, token_encrypted, data_key_id
       FROM api_keys WHERE workspace_id = $1 AND data_key_id <> $2 AND length(token_encrypted) > 0
       UNION ALL
       SELECT 'refresh_tokens', key_id, workspace_id, token_version, token_encrypted, data_key_id
       FROM refresh_tokens WHERE workspace_id = $1 AND data_key_id <> $2
       ORDER BY key_id, place LIMIT $3`,
      [workspaceId, dataKeyId, limit],
    );
    return rows.map((row) => ({
      place: row.place,
      sealed: { dataKeyId: row.data_key_id, bytes: row.token_encrypted },
      binding: {
        workspaceId: row.workspace_id,
        keyId: row.key_id,
        tokenVersion: row.token_version,
        ...(row.place === 'refresh_tokens' && { part: 'refresh' as const }),
      },
    }));
  }

  async reseal(token: StoredToken, to: SealedToken): Promise<boolean> {
    const { place, id } = placeOf(token);
    const { rowCount } = await this.postgres.query(
      `UPDATE ${place} SET token_encrypted = $3, data_key_id = $4 WHERE ${id} = $1 AND token_encrypted = $2`,
      [token.binding.keyId, Buffer.from(token.sealed.bytes), Buffer.from(to.bytes), to.dataKeyId],
    );
    return rowCount === 1;
  }

  async read(token: StoredToken): Promise<SealedToken | undefined> {
    const { place, id } = placeOf(token);
    const { rows } = await this.postgres.query<Pick<TokenRow, 'token_encrypted' | 'data_key_id'>>(
      `SELECT token_encrypted, data_key_id FROM ${place} WHERE ${id} = $1 AND length(token_encrypted) > 0`,
      [token.binding.keyId],
    );
    const row = rows[0];
    return row === undefined ? undefined : { dataKeyId: row.data_key_id, bytes: row.token_encrypted };
  }
}

/** Names of SQL come out of a table of ours, never out of a row. */
function placeOf(token: StoredToken): { place: keyof typeof PLACES; id: string } {
  const place = token.place === 'refresh_tokens' ? 'refresh_tokens' : 'api_keys';
  return { place, id: PLACES[place] };
}
