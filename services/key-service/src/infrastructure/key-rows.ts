import type { KeyId, WorkspaceId } from '@sociograph/kernel';
import type { Prisma, PrismaClient } from '../../generated/prisma';
import { ApiKey, type KeyState } from '../domain/api-key';
import type { KeyLimits } from '../domain/key-settings';
import type { KeyKind } from '../domain/networks';
import type { SealedKey } from '../domain/ports';

export type Row = NonNullable<Awaited<ReturnType<PrismaClient['apiKey']['findUnique']>>>;

/** What a key is restored from, whichever client read it. */
export type KeyColumns = Omit<
  Row,
  'tokenEncrypted' | 'dataKeyId' | 'fingerprint' | 'meta' | 'revision' | 'deletedAt'
> & {
  /** Whether a refresh token is kept for it; false where nobody asked. */
  refreshable?: boolean;
};

/** What stands in place of the sealed bytes of a token that is destroyed. */
export const SHREDDED = new Uint8Array(0);

/** All columns of a key that is kept for the first time. */
export function firstColumnsOf({ key, token, fingerprint }: SealedKey) {
  const { details } = key;
  return {
    ...laterColumnsOf(key),
    id: details.id,
    workspaceId: details.workspaceId,
    network: details.network,
    kind: details.kind,
    tokenEncrypted: new Uint8Array(token.bytes),
    dataKeyId: token.dataKeyId,
    fingerprint,
    consentGivenBy: details.consent.givenBy,
    consentAt: new Date(details.consent.at),
    replaces: details.replaces,
    createdAt: new Date(details.createdAt),
  };
}

/** What changes during the life of a key. When it was last used is noted elsewhere, in bulk. */
export function laterColumnsOf(key: ApiKey) {
  const { details } = key;
  return {
    label: details.label,
    status: details.state,
    statusReason: details.reason,
    tokenVersion: details.tokenVersion,
    rateLimit: { ...details.limits } as Prisma.InputJsonObject,
    weight: details.weight,
    bucket: details.bucket,
    egress: details.egress,
    ownerId: details.ownerId,
    scopes: [...details.scopes],
    sharedWith: [...details.sharedWith],
    consentEndedAt: dateOf(details.consent.endedAt),
    replacedBy: details.replacedBy,
    version: details.version,
    updatedAt: new Date(details.updatedAt),
    deletedAt: details.state === 'deleted' ? new Date(details.updatedAt) : null,
  };
}

export function keyOf(row: KeyColumns): ApiKey {
  return ApiKey.restore({
    id: row.id as KeyId,
    workspaceId: row.workspaceId as WorkspaceId,
    network: row.network,
    kind: row.kind as KeyKind,
    label: row.label,
    state: row.status as KeyState,
    reason: row.statusReason,
    limits: row.rateLimit as unknown as KeyLimits,
    weight: row.weight,
    bucket: row.bucket,
    egress: row.egress,
    ownerId: row.ownerId,
    scopes: row.scopes,
    sharedWith: row.sharedWith,
    consent: {
      givenBy: row.consentGivenBy,
      at: row.consentAt.getTime(),
      endedAt: row.consentEndedAt?.getTime() ?? null,
    },
    replaces: row.replaces as KeyId | null,
    replacedBy: row.replacedBy as KeyId | null,
    lastUsedAt: row.lastUsedAt?.getTime() ?? null,
    version: row.version,
    tokenVersion: row.tokenVersion,
    ...(row.refreshable !== undefined && { refreshable: row.refreshable }),
    createdAt: row.createdAt.getTime(),
    updatedAt: row.updatedAt.getTime(),
  });
}

function dateOf(at: number | null): Date | null {
  return at === null ? null : new Date(at);
}
