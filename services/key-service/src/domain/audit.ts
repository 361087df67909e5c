import type { ApiKey } from './api-key';

/** Tells owners what only they can mend, through the event log and the audit trail. Never waits. */
export abstract class OwnerNotices {
  abstract tell(key: ApiKey, notice: { change: string; reason: string }): void;
}

/** Who asked for a change, for the audit trail. */
export interface AuditNote {
  actor: { kind: 'person' | 'service'; id: string };
  action: string;
  correlationId?: string | undefined;
}

export interface Refusal {
  workspaceId: string | undefined;
  service: string;
  /** Who asked, when it was not the service itself. */
  actor?: AuditNote['actor'] | undefined;
  action: string;
  /** What it was asked of; the pool unless told. */
  target?: string | undefined;
  reason: string;
}

/** What was refused, to whom and why. */
export abstract class AuditTrail {
  abstract refused(note: Refusal): void;
  /** An operator's deed that no change of a row tells of. Without a workspace it was of the whole platform. */
  abstract done(note: AuditNote & { workspaceId: string | undefined; target: string }): Promise<void>;
}
