import { Clock, Ids } from '@sociograph/kernel';
import { actOf, type Requester } from '../domain/audit';
import { importUnknown } from '../domain/errors';
import { RETRIED_CAUSES } from '../domain/retry';
import { Imports, type ImportRecord } from '../domain/ports';
import type { PauseAtQuota } from './pause-at-quota';

export interface ImportCommand extends Requester {
  workspaceId: string;
  importId: string;
  /** The revision that the caller saw, from If-Match. */
  ifRevision?: number | undefined;
}

export interface ChangeImportCommand extends ImportCommand {
  step: 'pause' | 'resume' | 'cancel' | 'delete';
}

/**
 * The steps of an import's life that its owner takes. Calls that were dispatched but not begun have no effect after a
 * pause or a cancel; the ones being made are finished, and what they saw counts.
 */
export class ChangeImport {
  constructor(
    private readonly imports: Imports,
    private readonly clock: Clock,
    private readonly ids: Ids,
    private readonly quota?: Pick<PauseAtQuota, 'insistOnRoom'>,
  ) {}

  async handle({ step, ...command }: ChangeImportCommand): Promise<ImportRecord> {
    if (step === 'resume') await this.quota?.insistOnRoom(command.workspaceId);
    const now = this.clock.nowMs();
    return this.known(
      command,
      await this.imports.change(
        command.workspaceId,
        command.importId,
        (job) => {
          const next = job.expect(command.ifRevision).step(step, now);
          return step === 'resume' ? next.settleIfDone(now) : next;
        },
        actOf(`import.${step}`, command, this.ids, now),
      ),
    );
  }

  /** Gaps that a further try may fill are open again; an import that had ended runs until it settles anew. */
  async retry(command: ImportCommand): Promise<ImportRecord> {
    await this.quota?.insistOnRoom(command.workspaceId);
    const now = this.clock.nowMs();
    return this.known(
      command,
      await this.imports.retry(
        command.workspaceId,
        command.importId,
        RETRIED_CAUSES,
        (job, reopened) => job.expect(command.ifRevision).retry(reopened, now),
        actOf('import.retry', command, this.ids, now),
      ),
    );
  }

  private known({ importId }: ImportCommand, changed: ImportRecord | undefined): ImportRecord {
    if (changed === undefined) throw importUnknown(importId);
    return changed;
  }
}
