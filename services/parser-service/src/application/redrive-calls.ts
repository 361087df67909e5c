import { Clock, Ids } from '@sociograph/kernel';
import { actOf, type Requester } from '../domain/audit';
import { deadCallUnknown } from '../domain/errors';
import { CallLedger, type DeadCall, DeadCalls, Imports } from '../domain/ports';

export interface Redriven {
  redriven: number;
  /** Dead calls whose import does not go on (cancelled, deleted): they stay where they are. */
  refused: number;
}

/**
 * The dead calls of all workspaces, for those who mend what killed them. A redriven call whose items are gaps by now
 * is no call any more: its items are opened again, and come in calls of their own.
 */
export class RedriveCalls {
  constructor(
    private readonly dead: DeadCalls,
    private readonly ledger: CallLedger,
    private readonly imports: Imports,
    private readonly clock: Clock,
    private readonly ids: Ids,
  ) {}

  list(limit: number): Promise<DeadCall[]> {
    return this.dead.list(limit);
  }

  async one(deadCallId: string, requester: Requester): Promise<void> {
    const taken = await this.dead.redrive([deadCallId], (call) => this.reopen(call, requester));
    if (taken === 0) throw deadCallUnknown(deadCallId);
  }

  async all(requester: Requester): Promise<Redriven> {
    let refused = 0;
    const redriven = await this.dead.redrive('all', async (call) => {
      try {
        await this.reopen(call, requester);
        return true;
      } catch (error) {
        if ((error as { kind?: unknown }).kind !== 'conflict') throw error;
        refused += 1;
        return false;
      }
    });
    return { redriven, refused };
  }

  private async reopen({ task }: DeadCall, requester: Requester): Promise<true> {
    if (task === undefined) return true;
    const call = await this.ledger.find(task.callId);
    if (call === undefined) return true;
    const now = this.clock.nowMs();
    await this.imports.retry(
      call.workspaceId,
      call.importId,
      ['gave-up'],
      (job, reopened) => job.retry(reopened, now),
      actOf('import.redrive', requester, this.ids, now),
      call.people,
    );
    return true;
  }
}
