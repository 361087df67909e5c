import type { Clock, FieldFault, Ids, WriteAudit } from '@sociograph/kernel';
import { requestedExport, type Export, type ExportFormat, type ExportSubject } from '../domain/export';
import { exportTooCostly, tooManyBytes, tooManyExports } from '../domain/export-errors';
import { bytesOf, ExportLimits, ExportMeter, ExportRecords } from '../domain/export-ports';
import type { ReadPerson } from './read-person';

export const EXPORT_MAX_DEPTH = 6;
export const EXPORT_MAX_NODES = 10_000;

export interface ExportRequest {
  workspaceId: string;
  network: string;
  subject: ExportSubject;
  format: ExportFormat;
}

export class RequestExport {
  /** The last request of a workspace in this process: they take turns. */
  readonly #turns = new Map<string, Promise<unknown>>();

  constructor(
    private readonly records: ExportRecords,
    private readonly people: ReadPerson,
    private readonly meter: ExportMeter,
    private readonly limits: ExportLimits,
    private readonly audit: WriteAudit,
    private readonly clock: Clock,
    private readonly ids: Ids,
  ) {}

  /**
   * Notes the wish; a process makes the file. Throws `GRAPH.PERSON_UNKNOWN`, `EXPORT.TOO_COSTLY`, `EXPORT.TOO_MANY` and
   * `EXPORT.QUOTA_STORED_BYTES`.
   */
  async execute(wish: ExportRequest, by: string): Promise<Export> {
    const { workspaceId, network, subject } = wish;
    if (subject.kind === 'surroundings') {
      insistOnLimits(subject);
      await this.people.friends({ workspaceId, network, id: subject.person }, { limit: 1, after: undefined });
    }
    const wanted = await this.#inTurn(workspaceId, () => this.#add(wish, by));
    this.meter.requested(wanted.format);
    return wanted;
  }

  async #add({ workspaceId, network, subject, format }: ExportRequest, by: string): Promise<Export> {
    const now = this.clock.nowMs();
    const [most, mostBytes] = await Promise.all([
      this.limits.exports(workspaceId),
      this.limits.bytes(workspaceId),
    ]);
    const page = { limit: most + 1, after: undefined, now };
    const kept = await this.records.page(workspaceId, page);
    if (kept.length >= most) throw tooManyExports(most);
    if (bytesOf(kept) >= mostBytes) throw tooManyBytes(mostBytes);
    const wanted = requestedExport({ id: this.ids.next(), workspaceId, network, subject, format }, now);
    const deed = { workspaceId, by, action: 'export.create', target: `export/${wanted.id}` };
    return this.audit.around(deed, async () => {
      await this.records.add(wanted);
      // Another process may have added one at the same moment: who sees too many then takes its own back, both if need be.
      if ((await this.records.page(workspaceId, page)).length > most) {
        await this.records.remove(wanted.id);
        throw tooManyExports(most);
      }
      return wanted;
    });
  }

  async #inTurn<R>(workspaceId: string, work: () => Promise<R>): Promise<R> {
    const turn = (this.#turns.get(workspaceId) ?? Promise.resolve()).catch(() => undefined).then(work);
    this.#turns.set(workspaceId, turn);
    try {
      return await turn;
    } finally {
      if (this.#turns.get(workspaceId) === turn) this.#turns.delete(workspaceId);
    }
  }
}

function insistOnLimits({ depth, nodes }: { depth: number; nodes: number }): void {
  const faults: FieldFault[] = [];
  if (depth > EXPORT_MAX_DEPTH)
    faults.push({ field: 'of.depth', message: `must be at most ${EXPORT_MAX_DEPTH}` });
  if (nodes > EXPORT_MAX_NODES)
    faults.push({ field: 'of.nodes', message: `must be at most ${EXPORT_MAX_NODES}` });
  if (faults.length > 0) throw exportTooCostly(faults);
}
