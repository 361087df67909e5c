import { Clock, isDomainError } from '@sociograph/kernel';
import type { ImportSnapshot } from '../domain/import-job';
import { DeadRecords, type ImportRecord, Imports, type PeopleOfNetwork, ViewProgress } from '../domain/ports';

/** So often a refresh looks at what came into doubt by its own looks; in a world that stands still a few are enough. */
export const MOST_ROUNDS = 20;

/**
 * Completes the settling imports whose observations can be read in every view (DESIGN 3.6). What the graph store could
 * not take is read first: it is a gap of the certificate before the import is called complete. A refresh goes on while
 * its looks bring friendships into doubt.
 */
export class CompleteImports {
  /** Since when (monotonic ms) what a refresh published is known to be in every view, by import and revision. */
  private readableSince = new Map<string, number>();

  constructor(
    private readonly imports: Imports,
    private readonly views: ViewProgress,
    private readonly deadRecords: DeadRecords,
    private readonly clock: Clock,
    private readonly people?: PeopleOfNetwork,
  ) {}

  /** Returns how many imports it completed; several processes may check at once. */
  async check(): Promise<number> {
    const readable = (await this.imports.settling()).filter(({ positions }) => this.views.reached(positions));
    this.noteRefreshes(readable);
    if (readable.length > 0) await this.deadRecords.sweep();
    let completed = 0;
    // Refreshes last: what is known is read for them, and nobody else waits for that.
    for (const { job } of readable.sort((a, b) => Number(isRefresh(a)) - Number(isRefresh(b)))) {
      const { workspaceId, id, revision } = job.snapshot;
      if (await this.goesOn(job.snapshot)) continue;
      await this.imports.change(workspaceId, id, (current) => {
        // Another revision: it was tried again meanwhile, and may have published more than was looked at.
        if (current.snapshot.state !== 'settling' || current.snapshot.revision !== revision) return current;
        completed += 1;
        return current.step('complete', this.clock.nowMs());
      });
    }
    return completed;
  }

  private noteRefreshes(readable: readonly ImportRecord[]): void {
    const now = this.clock.monotonicMs();
    const since = readable.filter(isRefresh).map(({ job }): [string, number] => {
      const name = lookOf(job.snapshot);
      return [name, this.readableSince.get(name) ?? now];
    });
    this.readableSince = new Map(since);
  }

  /** True also while that cannot be said, or no further import may run: the next check asks again. */
  private async goesOn(job: ImportSnapshot): Promise<boolean> {
    const { id, workspaceId, network, scope, revision, callsLimit, peopleLimit, counters } = job;
    if (scope.refresh === undefined || !scope.include.includes('friends') || this.people === undefined)
      return false;
    // Whoever set a limit of people said how many; one of calls may be reached.
    if (peopleLimit !== null || (callsLimit !== null && counters.callsMade >= callsLimit)) return false;
    try {
      // A reading that began before the looks of this refresh were stored would not know of them.
      const since = this.readableSince.get(lookOf(job));
      const disputed = (await this.people.known(workspaceId, network, since)).disputed();
      if (disputed.length === 0) return false;
      const at = { revision, now: this.clock.nowMs(), mostRounds: MOST_ROUNDS };
      return await this.imports.lookAgain(workspaceId, id, disputed, at);
    } catch (error) {
      if (isDomainError(error) && (error.kind === 'unavailable' || error.kind === 'too-many')) return true;
      throw error;
    }
  }
}

const isRefresh = ({ job }: ImportRecord): boolean => job.snapshot.scope.refresh !== undefined;

const lookOf = ({ id, revision }: ImportSnapshot): string => `${id} ${revision}`;
