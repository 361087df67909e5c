import type { Postgres } from '@sociograph/postgres';
import { KeyCatalogue, PoolEpochs, type StoredKey } from '../domain/ports';
import { DataKeys, type WrappedDataKey } from '../domain/sealing';
import { type KeyColumns, keyOf } from './key-rows';

interface PoolRow extends KeyColumns {
  tokenEncrypted: Uint8Array;
  dataKeyId: string;
  revision: number;
  refreshable: boolean;
}

/** Revisions are drawn before their transaction commits: so many are read again for those that came late. */
const OVERLAP = 200;

/** All keys of the fleet, with the worker's rights. */
export class PostgresKeyCatalogue extends KeyCatalogue {
  constructor(private readonly postgres: Postgres) {
    super();
  }

  async changedSince(since: number): Promise<{ keys: StoredKey[]; next: number }> {
    const { rows } = await this.postgres.query<PoolRow>(
      `SELECT id, workspace_id AS "workspaceId", network, kind, label, status, status_reason AS "statusReason",
              token_encrypted AS "tokenEncrypted", data_key_id AS "dataKeyId", token_version AS "tokenVersion",
              rate_limit AS "rateLimit", weight, bucket, egress, owner_id AS "ownerId", scopes,
              shared_with AS "sharedWith", consent_given_by AS "consentGivenBy", consent_at AS "consentAt",
              consent_ended_at AS "consentEndedAt", replaces, replaced_by AS "replacedBy",
              last_used_at AS "lastUsedAt", version, revision, created_at AS "createdAt",
              updated_at AS "updatedAt",
              EXISTS (SELECT 1 FROM refresh_tokens r WHERE r.key_id = api_keys.id) AS refreshable
       FROM api_keys WHERE revision > $1 ORDER BY revision`,
      [since],
    );
    const last = rows.at(-1)?.revision;
    return {
      keys: rows.map(storedKeyOf),
      next: last === undefined ? since : Math.max(since, last - OVERLAP),
    };
  }
}

function storedKeyOf(row: PoolRow): StoredKey {
  return { key: keyOf(row), token: { dataKeyId: row.dataKeyId, bytes: row.tokenEncrypted } };
}

interface DataKeyRow {
  id: string;
  workspace_id: string;
  wrapped: Uint8Array;
  created_at: Date;
}

export class PostgresDataKeys extends DataKeys {
  constructor(private readonly postgres: Postgres) {
    super();
  }

  oldest(workspaceId: string): Promise<WrappedDataKey | undefined> {
    return this.#one('workspace_id = $1 ORDER BY created_at, id', workspaceId);
  }

  newest(workspaceId: string): Promise<WrappedDataKey | undefined> {
    return this.#one('workspace_id = $1 ORDER BY created_at DESC, id DESC', workspaceId);
  }

  byId(id: string): Promise<WrappedDataKey | undefined> {
    return this.#one('id = $1', id);
  }

  async add(key: WrappedDataKey): Promise<void> {
    await this.postgres.query(
      'INSERT INTO data_keys (id, workspace_id, wrapped, created_at) VALUES ($1, $2, $3, $4)',
      [key.id, key.workspaceId, Buffer.from(key.wrapped), new Date(key.createdAt)],
    );
  }

  async #one(where: string, value: string): Promise<WrappedDataKey | undefined> {
    const { rows } = await this.postgres.query<DataKeyRow>(
      `SELECT id, workspace_id, wrapped, created_at FROM data_keys WHERE ${where} LIMIT 1`,
      [value],
    );
    const row = rows[0];
    if (row === undefined) return undefined;
    return {
      id: row.id,
      workspaceId: row.workspace_id,
      wrapped: row.wrapped,
      createdAt: row.created_at.getTime(),
    };
  }
}

export class PostgresPoolEpochs extends PoolEpochs {
  constructor(private readonly postgres: Postgres) {
    super();
  }

  async current(): Promise<number> {
    const { rows } = await this.postgres.query<{ epoch: number }>('SELECT epoch FROM pool_epochs');
    return rows[0]?.epoch ?? 0;
  }

  async advance(from: number): Promise<number | undefined> {
    const { rows } = await this.postgres.query<{ epoch: number }>(
      'UPDATE pool_epochs SET epoch = epoch + 1, begun_at = now() WHERE epoch = $1 RETURNING epoch',
      [from],
    );
    return rows[0]?.epoch;
  }
}
