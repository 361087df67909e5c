import { actionAudited } from '@sociograph/contracts';
import type { Clock, Ids } from '@sociograph/kernel';
import { Outbox } from '@sociograph/messaging';
import { currentPeer } from '@sociograph/observability';
import type { Postgres } from '@sociograph/postgres';
import { type AuditNote, AuditTrail, type Refusal } from '../domain/audit';
import type { PoolLogger } from './scripted-pool';

interface Refusals extends Refusal {
  workspaceId: string;
  count: number;
}

/** Workspace of what was refused before a workspace could be believed. */
const NOBODY = 'unknown';
/** Workspace of what is done to the whole fleet. */
const PLATFORM = 'platform';
const MAX_KINDS = 200;

/**
 * Refusals, written once per flush and kind with their number: whoever forges requests by the thousand cannot fill
 * the database. What is not written when the process is killed is lost; the log line of each is not.
 */
export class OutboxAuditTrail extends AuditTrail {
  readonly #pending = new Map<string, Refusals>();

  constructor(
    private readonly postgres: Postgres,
    private readonly clock: Clock,
    private readonly ids: Ids,
    private readonly logger: PoolLogger,
  ) {
    super();
  }

  refused(note: Refusal): void {
    const workspaceId = note.workspaceId ?? NOBODY;
    this.logger.warn({ ...note, workspaceId }, 'a request was refused');
    const who = note.actor?.id ?? note.service;
    const name = [workspaceId, who, note.action, note.target, note.reason].join(' ');
    const known = this.#pending.get(name);
    if (known !== undefined) known.count += 1;
    else if (this.#pending.size < MAX_KINDS) this.#pending.set(name, { ...note, workspaceId, count: 1 });
  }

  async done(note: AuditNote & { workspaceId: string | undefined; target: string }): Promise<void> {
    const { workspaceId = PLATFORM, actor, action, target, correlationId } = note;
    const peer = currentPeer();
    const row = Outbox.event(actionAudited, workspaceId, {
      auditId: this.ids.next(),
      workspaceId,
      actor,
      action,
      target,
      at: Math.floor(this.clock.nowMs()),
      ...(correlationId !== undefined && { correlationId }),
      ...(peer !== undefined && { peer }),
      result: 'done',
    });
    await this.postgres.tx((q) => Outbox.add(q, [row], this.ids));
  }

  async flush(): Promise<void> {
    const taken = [...this.#pending];
    if (taken.length === 0) return;
    this.#pending.clear();
    const at = Math.floor(this.clock.nowMs());
    const rows = taken.map(([, refusal]) =>
      Outbox.event(actionAudited, refusal.workspaceId, {
        auditId: this.ids.next(),
        workspaceId: refusal.workspaceId,
        actor: refusal.actor ?? { kind: 'service', id: refusal.service },
        action: refusal.action,
        target: refusal.target ?? 'pool',
        at,
        result: 'refused',
        reason: `${refusal.reason}, ${refusal.count} times`,
      }),
    );
    try {
      await this.postgres.tx((q) => Outbox.add(q, rows, this.ids));
    } catch (error) {
      for (const [name, refusal] of taken) {
        const since = this.#pending.get(name);
        this.#pending.set(name, { ...refusal, count: refusal.count + (since?.count ?? 0) });
      }
      throw error;
    }
  }
}
