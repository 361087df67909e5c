import { actionAudited, keyChanged } from '@sociograph/contracts';
import type { Ids } from '@sociograph/kernel';
import { Outbox, type OutboxRow } from '@sociograph/messaging';
import { currentPeer } from '@sociograph/observability';
import type { Prisma } from '../../generated/prisma';
import type { ApiKey, KeyDetails } from '../domain/api-key';
import type { KeyHistoryEntry } from '../domain/api-keys';
import type { AuditNote } from '../domain/audit';

/** Fields of a key whose changes its history tells. */
const TOLD = [
  'state',
  'reason',
  'label',
  'limits',
  'weight',
  'bucket',
  'egress',
  'ownerId',
  'scopes',
  'sharedWith',
  'consent',
  'replaces',
  'replacedBy',
  'tokenVersion',
] as const satisfies readonly (keyof KeyDetails)[];

/** What the log of keys and the audit trail hear of a change; neither a label nor a name goes into the log. */
export function announcementsOf(key: ApiKey, note: AuditNote, ids: Ids): OutboxRow[] {
  const { id, workspaceId, network, kind, state, reason, version, updatedAt, limits, weight } = key.details;
  const { egress, sharedWith, replaces, replacedBy, consent } = key.details;
  const peer = currentPeer();
  return [
    Outbox.event(keyChanged, id, {
      keyId: id,
      workspaceId,
      network,
      kind,
      state,
      ...(reason !== null && { reason }),
      at: updatedAt,
      version,
      change: note.action,
      limits,
      weight,
      ...(egress !== null && { egress }),
      ...(sharedWith.length > 0 && { sharedWith: [...sharedWith] }),
      ...(replaces !== null && { replaces }),
      ...(replacedBy !== null && { replacedBy }),
      ...(consent.endedAt !== null && { consentEndedAt: consent.endedAt }),
    }),
    Outbox.event(actionAudited, workspaceId, {
      auditId: ids.next(),
      workspaceId,
      actor: note.actor,
      action: note.action,
      target: `key/${id}`,
      at: updatedAt,
      ...(note.correlationId !== undefined && { correlationId: note.correlationId }),
      ...(peer !== undefined && { peer }),
      result: 'done',
    }),
  ];
}

/** The row of a version: every told field that differs from the version before. */
export function historyRowOf(known: ApiKey | undefined, next: ApiKey, note: AuditNote) {
  const { id, workspaceId, version, updatedAt, reason } = next.details;
  const before = known?.details;
  const changes: Record<string, { from: unknown; to: unknown }> = {};
  for (const field of TOLD) {
    const from = before?.[field] ?? null;
    const to = next.details[field] ?? null;
    if (JSON.stringify(from) !== JSON.stringify(to)) changes[field] = { from, to };
  }
  return {
    keyId: id,
    version,
    workspaceId,
    at: new Date(updatedAt),
    actorKind: note.actor.kind,
    actorId: note.actor.id,
    action: note.action,
    changes: changes as Prisma.InputJsonObject,
    reason,
    correlationId: note.correlationId ?? null,
  };
}

interface HistoryRow {
  version: number;
  at: Date;
  actorKind: string;
  actorId: string;
  action: string;
  changes: unknown;
  reason: string | null;
  correlationId: string | null;
}

export function entryOf(row: HistoryRow): KeyHistoryEntry {
  return {
    version: row.version,
    at: row.at.getTime(),
    actor: { kind: row.actorKind as KeyHistoryEntry['actor']['kind'], id: row.actorId },
    action: row.action,
    changes: row.changes as KeyHistoryEntry['changes'],
    reason: row.reason,
    correlationId: row.correlationId,
  };
}
