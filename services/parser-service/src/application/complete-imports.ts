import { Clock } from '@sociograph/kernel';
import { Imports, ViewProgress } from '../domain/ports';

/** Completes the settling imports whose observations can be read in every view (DESIGN 3.6). */
export class CompleteImports {
  constructor(
    private readonly imports: Imports,
    private readonly views: ViewProgress,
    private readonly clock: Clock,
  ) {}

  /** Returns how many imports it completed; several processes may check at once. */
  async check(): Promise<number> {
    const readable = (await this.imports.settling()).filter(({ positions }) => this.views.reached(positions));
    let completed = 0;
    for (const { job } of readable) {
      const { workspaceId, id } = job.snapshot;
      await this.imports.change(workspaceId, id, (current) => {
        if (current.snapshot.state !== 'settling') return current;
        completed += 1;
        return current.step('complete', this.clock.nowMs());
      });
    }
    return completed;
  }
}
