import type { Prisma } from '../../generated/prisma';
import type { SealedKey } from '../domain/ports';

/** The refresh tokens of new keys, in the transaction that makes the keys; one statement for any number. */
export async function keepRefreshTokens(
  tx: Pick<Prisma.TransactionClient, '$executeRawUnsafe'>,
  keys: readonly SealedKey[],
): Promise<void> {
  const rows = keys.flatMap(({ key, refresh }) => {
    if (refresh === undefined) return [];
    const { id, workspaceId, tokenVersion } = key.details;
    return [
      {
        key_id: id,
        workspace_id: workspaceId,
        token: Buffer.from(refresh.token.bytes).toString('hex'),
        data_key_id: refresh.token.dataKeyId,
        token_version: tokenVersion,
        client_id: refresh.clientId,
        device_id: refresh.deviceId ?? null,
        expires_at: isoOf(refresh.expiresAt),
        due_at: isoOf(refresh.dueAt),
      },
    ];
  });
  if (rows.length === 0) return;
  await tx.$executeRawUnsafe(
    `INSERT INTO refresh_tokens (key_id, workspace_id, token_encrypted, data_key_id, token_version, client_id, device_id,
       expires_at, due_at)
     SELECT key_id, workspace_id, decode(token, 'hex'), data_key_id, token_version, client_id, device_id,
       expires_at, due_at
     FROM jsonb_to_recordset($1::jsonb) AS given (key_id uuid, workspace_id text, token text, data_key_id uuid,
       token_version integer, client_id text, device_id text, expires_at timestamptz, due_at timestamptz)`,
    JSON.stringify(rows),
  );
}

function isoOf(at: number | undefined): string | null {
  return at === undefined ? null : new Date(at).toISOString();
}
