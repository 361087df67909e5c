import { type Clock, DomainError, type Ids, type WriteAudit } from '@sociograph/kernel';
import { graphKey } from '../graph-view';
import type { ViewStore } from '../ports';
import { graphUnknown } from '../read-views';
import {
  type Analysis,
  type AnalysisKind,
  type AnalysisStore,
  type CommunityEntry,
  isOpenAnalysis,
  type PersonEntry,
} from './analysis';

/** Where a workspace asks for analyses of its own graphs and reads what they found, in any instance. */
export class AnalysisDesk {
  constructor(
    private readonly analyses: AnalysisStore,
    private readonly store: ViewStore,
    private readonly audit: WriteAudit,
    private readonly clock: Clock,
    private readonly ids: Ids,
  ) {}

  async ask(
    workspaceId: string,
    network: string,
    { kind, seed }: { kind: AnalysisKind; seed: number },
    by: string,
  ): Promise<Analysis> {
    if ((await this.store.summary(graphKey(workspaceId, network))) === undefined) throw graphUnknown();
    const analysis: Analysis = {
      id: this.ids.next(),
      kind,
      workspaceId,
      network,
      seed,
      state: 'waiting',
      progress: 0,
      requestedAt: this.clock.nowMs(),
      attempts: 0,
    };
    const deed = { workspaceId, by, action: 'analysis.create', target: `analysis/${analysis.id}` };
    return this.audit.around(deed, async () => {
      if (await this.analyses.create(analysis)) return analysis;
      throw new DomainError({
        code: 'VIEWS.ANALYSIS_OPEN',
        kind: 'conflict',
        message: 'Another analysis of this workspace waits or runs: wait for it, or cancel it',
      });
    });
  }

  async find(workspaceId: string, network: string, id: string): Promise<Analysis> {
    const found = await this.analyses.find(id);
    if (found?.workspaceId === workspaceId && found.network === network) return found;
    throw unknown('There is no analysis of this id, or it is gone: after seven days, or with an erasure');
  }

  /** Ends one that waits or runs; what it found until then is not kept. */
  async cancel(workspaceId: string, network: string, id: string, by: string): Promise<Analysis> {
    const deed = { workspaceId, by, action: 'analysis.cancel', target: `analysis/${id}` };
    if (!isOpenAnalysis(await this.find(workspaceId, network, id))) throw ended();
    return this.audit.around(deed, () => this.#end(id));
  }

  async #end(id: string): Promise<Analysis> {
    const finishedAt = this.clock.nowMs();
    let open = false;
    const kept = await this.analyses.change(id, (analysis) => {
      open = isOpenAnalysis(analysis);
      return open ? { ...analysis, state: 'cancelled', finishedAt } : undefined;
    });
    if (open && kept !== undefined) return kept;
    throw ended();
  }

  /** A page of everybody with their value, highest first. Not of communities: those have members. */
  people(done: Analysis, from: number, limit: number): Promise<PersonEntry[]> {
    return this.analyses.entries(done, 'people', from, limit);
  }

  communities(done: Analysis, from: number, limit: number): Promise<CommunityEntry[]> {
    return this.analyses.entries(done, 'communities', from, limit);
  }

  /** A page of the members of one community, by id, and how many it has. */
  async members(
    done: Analysis,
    number: number,
    from: number,
    limit: number,
  ): Promise<{ ids: string[]; size: number }> {
    const [community] =
      done.kind === 'communities' ? await this.analyses.entries(done, 'communities', number - 1, 1) : [];
    if (community === undefined) throw unknown('There is no community of this number');
    const [begin, size] = community;
    const count = Math.max(0, Math.min(limit, size - from));
    const page = await this.analyses.entries(done, 'people', begin + from, count);
    return { ids: page.map(([id]) => id), size };
  }

  /** The same as `find`, refused while it is not done. */
  async done(workspaceId: string, network: string, id: string): Promise<Analysis> {
    const found = await this.find(workspaceId, network, id);
    if (found.state === 'done') return found;
    throw new DomainError({
      code: 'VIEWS.ANALYSIS_NOT_DONE',
      kind: 'conflict',
      message: 'This analysis has no result, or not yet',
    });
  }
}

function ended(): DomainError {
  return new DomainError({
    code: 'VIEWS.ANALYSIS_ENDED',
    kind: 'conflict',
    message: 'This analysis has ended',
  });
}

function unknown(message: string): DomainError {
  return new DomainError({ code: 'VIEWS.ANALYSIS_UNKNOWN', kind: 'not-found', message });
}
