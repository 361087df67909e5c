import type { KeyId, WorkspaceId } from '@sociograph/kernel';
import type { Postgres } from '@sociograph/postgres';
import { ApiKey, type KeyState } from '../domain/api-key';
import type { KeyLimits } from '../domain/key-settings';
import type { KeyKind } from '../domain/networks';
import { DataKeys, KeyCatalogue, PoolEpochs, type StoredKey, type WrappedDataKey } from '../domain/ports';

interface KeyRow {
  id: string;
  workspace_id: string;
  network: string;
  kind: string;
  label: string | null;
  status: string;
  status_reason: string | null;
  token_encrypted: Uint8Array;
  data_key_id: string;
  token_version: number;
  rate_limit: KeyLimits;
  weight: number;
  bucket: string;
  egress: string | null;
  owner_id: string | null;
  scopes: string[];
  shared_with: string[];
  consent_given_by: string;
  consent_at: Date;
  consent_ended_at: Date | null;
  replaces: string | null;
  replaced_by: string | null;
  last_used_at: Date | null;
  version: number;
  revision: number;
  refreshable: boolean;
  created_at: Date;
  updated_at: Date;
}

/** Revisions are drawn before their transaction commits: so many are read again for those that came late. */
const OVERLAP = 200;

/** All keys of the fleet, with the worker's rights. */
export class PostgresKeyCatalogue extends KeyCatalogue {
  constructor(private readonly postgres: Postgres) {
    super();
  }

  async changedSince(since: number): Promise<{ keys: StoredKey[]; next: number }> {
    const { rows } = await this.postgres.query<KeyRow>(
      `SELECT id, workspace_id, network, kind, label, status, status_reason, token_encrypted, data_key_id,
              token_version, rate_limit, weight, bucket, egress, owner_id, scopes, shared_with, consent_given_by,
              consent_at, consent_ended_at, replaces, replaced_by, last_used_at, version, revision, created_at,
              updated_at,
              EXISTS (SELECT 1 FROM refresh_tokens r WHERE r.key_id = api_keys.id) AS refreshable
       FROM api_keys WHERE revision > $1 ORDER BY revision`,
      [since],
    );
    const last = rows.at(-1)?.revision;
    return { keys: rows.map(restore), next: last === undefined ? since : Math.max(since, last - OVERLAP) };
  }
}

function restore(row: KeyRow): StoredKey {
  const key = ApiKey.restore({
    id: row.id as KeyId,
    workspaceId: row.workspace_id as WorkspaceId,
    network: row.network,
    kind: row.kind as KeyKind,
    label: row.label,
    state: row.status as KeyState,
    reason: row.status_reason,
    limits: row.rate_limit,
    weight: row.weight,
    bucket: row.bucket,
    egress: row.egress,
    ownerId: row.owner_id,
    scopes: row.scopes,
    sharedWith: row.shared_with,
    consent: {
      givenBy: row.consent_given_by,
      at: row.consent_at.getTime(),
      endedAt: row.consent_ended_at?.getTime() ?? null,
    },
    replaces: row.replaces as KeyId | null,
    replacedBy: row.replaced_by as KeyId | null,
    lastUsedAt: row.last_used_at?.getTime() ?? null,
    version: row.version,
    tokenVersion: row.token_version,
    refreshable: row.refreshable,
    createdAt: row.created_at.getTime(),
    updatedAt: row.updated_at.getTime(),
  });
  return { key, token: { dataKeyId: row.data_key_id, bytes: row.token_encrypted } };
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
