import type { Clock, WriteAudit } from '@sociograph/kernel';
import { erasureOf, type Erasure } from '../domain/erasure';
import type { Erasures } from '../domain/erasure-ports';
import { erasureUnknown } from '../domain/errors';
import type { PersonRef } from '../domain/observation';

/** Takes erasures up and tells how far they are. */
export class RequestErasure {
  constructor(
    private readonly erasures: Erasures,
    /** The mark under which a person is recognised without being named. */
    private readonly markOf: (person: PersonRef) => string,
    private readonly audit: WriteAudit,
    private readonly clock: Clock,
    /** Somebody waits for a round. */
    private readonly wake: () => void,
  ) {}

  /**
   * The same receipt for the same person however often it is asked for. Also for one whom the graph does not know: from
   * then on nobody may bring them in.
   */
  async execute({ workspaceId, network, id }: PersonRef, requestedBy: string): Promise<Erasure> {
    const mark = this.markOf({ workspaceId, network, id });
    const request = { workspaceId, network, mark, personId: id, requestedBy };
    const wanted = erasureOf(request, this.clock.nowMs());
    const deed = { workspaceId, by: requestedBy, action: 'person.erase', target: `erasure/${wanted.id}` };
    const erasure = await this.audit.around(deed, () => this.erasures.begin(wanted));
    this.wake();
    return erasure;
  }

  /** Throws `GRAPH.ERASURE_UNKNOWN` when the workspace has no such erasure. */
  async read(workspaceId: string, id: string): Promise<Erasure> {
    const erasure = await this.erasures.find(workspaceId, id);
    if (erasure === undefined) throw erasureUnknown(id);
    return erasure;
  }

  async page(
    workspaceId: string,
    { limit, after }: { limit: number; after: string | undefined },
  ): Promise<{ items: Erasure[]; next: string | undefined }> {
    const found = await this.erasures.page(workspaceId, limit + 1, after);
    const items = found.slice(0, limit);
    return { items, next: found.length > limit ? items.at(-1)?.id : undefined };
  }
}
