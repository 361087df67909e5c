import type { Clock, Ids } from '@sociograph/kernel';
import { peopleQuotaReached } from '../domain/errors';
import type { Imports } from '../domain/ports';

/** How many people a workspace may have stored, where it has as many or more; undefined where it has room. */
export type PeopleLimitReached = (workspaceId: string) => Promise<number | undefined>;

/**
 * The quota `people`: nothing is begun or resumed in a workspace that has as many people stored as it may have, and what
 * runs there is paused by this service, with the reason in the audit trail. How many are stored is told every 10 s by who
 * counts them, so that an import may pass the quota by what it brings in that time.
 */
export class PauseAtQuota {
  constructor(
    private readonly imports: Imports,
    private readonly limitReached: PeopleLimitReached,
    private readonly clock: Clock,
    private readonly ids: Ids,
  ) {}

  /** Throws IMPORTS.QUOTA_PEOPLE where nothing may be begun. */
  async insistOnRoom(workspaceId: string): Promise<void> {
    const most = await this.limitReached(workspaceId);
    if (most !== undefined) throw peopleQuotaReached(most);
  }

  /** Looks at all running imports once; answers how many were paused. */
  async look(): Promise<number> {
    const running = await this.imports.running();
    const full = new Set<string>();
    for (const workspaceId of new Set(running.map((each) => each.workspaceId)))
      if ((await this.limitReached(workspaceId)) !== undefined) full.add(workspaceId);
    let paused = 0;
    for (const { workspaceId, importId } of running.filter((each) => full.has(each.workspaceId))) {
      const at = this.clock.nowMs();
      const act = {
        actor: { kind: 'service' as const, id: 'parser-service' },
        action: 'import.pause',
        auditId: this.ids.next(),
        at,
        reason: 'quota people',
      };
      let isStep = false;
      await this.imports.change(
        workspaceId,
        importId,
        (job) => {
          // Its owner, or an end, may have been faster.
          isStep = job.snapshot.state === 'running';
          return isStep ? job.step('pause', at) : job;
        },
        act,
      );
      if (isStep) paused += 1;
    }
    return paused;
  }
}
