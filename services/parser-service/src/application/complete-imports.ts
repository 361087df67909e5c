import { Clock } from '@sociograph/kernel';
import { DeadRecords, Imports, ViewProgress } from '../domain/ports';

/**
 * Completes the settling imports whose observations can be read in every view (DESIGN 3.6). What the graph store could
 * not take is read first: it is a gap of the certificate before the import is called complete.
 */
export class CompleteImports {
  constructor(
    private readonly imports: Imports,
    private readonly views: ViewProgress,
    private readonly deadRecords: DeadRecords,
    private readonly clock: Clock,
  ) {}

  /** Returns how many imports it completed; several processes may check at once. */
  async check(): Promise<number> {
    const readable = (await this.imports.settling()).filter(({ positions }) => this.views.reached(positions));
    if (readable.length > 0) await this.deadRecords.sweep();
    let completed = 0;
    for (const { job } of readable) {
      const { workspaceId, id, revision } = job.snapshot;
      await this.imports.change(workspaceId, id, (current) => {
        // Another revision: it was tried again meanwhile, and may have published more than was looked at.
        if (current.snapshot.state !== 'settling' || current.snapshot.revision !== revision) return current;
        completed += 1;
        return current.step('complete', this.clock.nowMs());
      });
    }
    return completed;
  }
}
