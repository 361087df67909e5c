import { certify, type Certificate } from '../domain/certificate';
import { importUnknown } from '../domain/errors';
import { ImportEvents, type ImportFilter, Imports, type ImportRecord, Networks } from '../domain/ports';
import { etaMs } from '../domain/progress';

/** A certificate counts all gaps and names so many of each cause. */
export const PEOPLE_NAMED_PER_GAP = 1_000;

/** Queries: an import, a page of them, and the certificate of one. */
export class ReadImports {
  constructor(
    private readonly imports: Imports,
    private readonly events: ImportEvents,
    private readonly networks: Networks,
  ) {}

  async one(workspaceId: string, importId: string): Promise<ImportRecord> {
    const found = await this.imports.find(workspaceId, importId);
    if (found === undefined) throw importUnknown(importId);
    return found;
  }

  /** Milliseconds until an import of the caller's completes; undefined where nothing can be said. */
  async eta({ job }: ImportRecord): Promise<number | undefined> {
    const { id, state, network, peopleLimit } = job.snapshot;
    if (state !== 'running' && state !== 'settling') return undefined;
    return etaMs(await this.events.recent(id), {
      peopleLimit,
      profilesPerCall: this.networks.profilesPerCall(network),
    });
  }

  /** `next` is what to give as `after` for the page that follows; absent on the last page. */
  async page(
    workspaceId: string,
    limit: number,
    after?: string,
    filter: ImportFilter = {},
  ): Promise<{ items: ImportRecord[]; next?: string }> {
    const found = await this.imports.page(workspaceId, limit + 1, after, filter);
    const items = found.slice(0, limit);
    const last = items.at(-1);
    return found.length > limit && last !== undefined ? { items, next: last.job.snapshot.id } : { items };
  }

  async certificate(workspaceId: string, importId: string): Promise<Certificate> {
    const { job } = await this.one(workspaceId, importId);
    const tallies = await this.imports.tally(workspaceId, importId, PEOPLE_NAMED_PER_GAP);
    return certify(job.snapshot, tallies);
  }
}
