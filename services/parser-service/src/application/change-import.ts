import { Clock } from '@sociograph/kernel';
import { importUnknown } from '../domain/errors';
import { Imports, type ImportRecord } from '../domain/ports';

export interface ChangeImportCommand {
  workspaceId: string;
  importId: string;
  step: 'pause' | 'resume' | 'cancel';
}

/**
 * Pauses, resumes or cancels. Calls that were dispatched but not begun are put back by the worker that meets
 * them; the ones being made are finished, and what they saw counts.
 */
export class ChangeImport {
  constructor(
    private readonly imports: Imports,
    private readonly clock: Clock,
  ) {}

  async handle({ workspaceId, importId, step }: ChangeImportCommand): Promise<ImportRecord> {
    const now = this.clock.nowMs();
    const changed = await this.imports.change(workspaceId, importId, (job) => {
      const next = job.step(step, now);
      return step === 'resume' ? next.settleIfDone(now) : next;
    });
    if (changed === undefined) throw importUnknown(importId);
    return changed;
  }
}
