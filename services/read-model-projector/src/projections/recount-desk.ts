import { type Clock, DomainError, type Ids, type WriteAudit } from '@sociograph/kernel';
import { graphKey } from './graph-view';
import type { Job } from './jobs';
import type { JobStore, ViewStore } from './ports';
import { graphUnknown } from './read-views';

/** Where a workspace asks for a recount of its own graph, in any instance; the writer carries it out. */
export class RecountDesk {
  constructor(
    private readonly jobs: JobStore,
    private readonly store: ViewStore,
    private readonly audit: WriteAudit,
    private readonly clock: Clock,
    private readonly ids: Ids,
  ) {}

  /** A recount that waits or runs already is the answer, too: asking again costs nothing. */
  async ask(workspaceId: string, network: string, by: string): Promise<Job> {
    if ((await this.store.summary(graphKey(workspaceId, network))) === undefined) {
      throw graphUnknown();
    }
    const open = await this.jobs.open();
    const same = open.find((job) => isOf(job, workspaceId, network));
    if (same !== undefined) return same;
    const job: Job = {
      id: this.ids.next(),
      kind: 'recount',
      workspaceId,
      network,
      state: 'waiting',
      requestedAt: this.clock.nowMs(),
    };
    const deed = { workspaceId, by, action: 'recount.create', target: `recount/${job.id}` };
    await this.audit.around(deed, () => this.jobs.create(job));
    return job;
  }

  async find(workspaceId: string, network: string, id: string): Promise<Job> {
    const job = await this.jobs.find(id);
    if (job !== undefined && isOf(job, workspaceId, network)) return job;
    throw new DomainError({
      code: 'VIEWS.RECOUNT_UNKNOWN',
      kind: 'not-found',
      message: 'There is no recount of this id, or it is older than 30 days',
    });
  }
}

function isOf(job: Job, workspaceId: string, network: string): boolean {
  return job.kind === 'recount' && job.workspaceId === workspaceId && job.network === network;
}
