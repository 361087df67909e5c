import type { Prisma } from '../../generated/prisma';
import type { AuditNote } from '../domain/audit';
import type { SealedKey } from '../domain/ports';
import { historyRowOf } from './key-announcements';
import { firstColumnsOf } from './key-rows';

type Transaction = Pick<Prisma.TransactionClient, '$queryRawUnsafe' | '$executeRawUnsafe'>;

/**
 * Many keys in one statement each for rows and history. Not through Prisma's models: its query compiler needs a second
 * for 500 rows, PostgreSQL 20 ms. Rows whose token is known are left out; answers the ids of the others.
 */
export async function addKeysInBulk(
  tx: Transaction,
  keys: readonly SealedKey[],
  note: AuditNote,
): Promise<ReadonlySet<string>> {
  const inserted = await tx.$queryRawUnsafe<{ id: string }[]>(
    `INSERT INTO api_keys (id, workspace_id, network, kind, label, status, token_encrypted, data_key_id, fingerprint,
       token_version, owner_id, scopes, rate_limit, weight, bucket, egress, shared_with, consent_given_by, consent_at,
       version, created_at, updated_at)
     SELECT id, workspace_id, network, kind, label, status, decode(token, 'hex'), data_key_id, fingerprint,
       token_version, owner_id, scopes, rate_limit, weight, bucket, egress, '{}', consent_given_by, consent_at,
       version, created_at, created_at
     FROM jsonb_to_recordset($1::jsonb) AS given (id uuid, workspace_id text, network text, kind text, label text,
       status text, token text, data_key_id uuid, fingerprint text, token_version integer, owner_id text,
       scopes text[], rate_limit jsonb, weight integer, bucket text, egress text, consent_given_by text,
       consent_at timestamptz, version integer, created_at timestamptz)
     ON CONFLICT (network, fingerprint) WHERE status IN ('active', 'paused', 'invalid') AND consent_ended_at IS NULL
     DO NOTHING
     RETURNING id::text`,
    JSON.stringify(keys.map(rowOf)),
  );
  const added = new Set(inserted.map(({ id }) => id));
  const history = keys
    .filter(({ key }) => added.has(key.id))
    .map(({ key }) => historyRowOf(undefined, key, note));
  await tx.$executeRawUnsafe(
    `INSERT INTO key_history (key_id, version, workspace_id, at, actor_kind, actor_id, action, changes, correlation_id)
     SELECT "keyId", version, "workspaceId", at, "actorKind", "actorId", action, changes, "correlationId"
     FROM jsonb_to_recordset($1::jsonb) AS given ("keyId" uuid, version integer, "workspaceId" text, at timestamptz,
       "actorKind" text, "actorId" text, action text, changes jsonb, "correlationId" text)`,
    JSON.stringify(history),
  );
  return added;
}

function rowOf(sealed: SealedKey): object {
  const row = firstColumnsOf(sealed);
  return {
    id: row.id,
    workspace_id: row.workspaceId,
    network: row.network,
    kind: row.kind,
    label: row.label,
    status: row.status,
    token: Buffer.from(row.tokenEncrypted).toString('hex'),
    data_key_id: row.dataKeyId,
    fingerprint: row.fingerprint,
    token_version: row.tokenVersion,
    owner_id: row.ownerId,
    scopes: row.scopes,
    rate_limit: row.rateLimit,
    weight: row.weight,
    bucket: row.bucket,
    egress: row.egress,
    consent_given_by: row.consentGivenBy,
    consent_at: row.consentAt,
    version: row.version,
    created_at: row.createdAt,
  };
}
