import type { Clock, FieldFault, Ids } from '@sociograph/kernel';
import { requestedExport, type Export, type ExportFormat, type ExportSubject } from '../domain/export';
import { exportTooCostly, tooManyExports } from '../domain/export-errors';
import { ExportMeter, ExportRecords } from '../domain/export-ports';
import type { ReadPerson } from './read-person';

/** Exports of a workspace in any state: they cost disk until they expire. */
export const EXPORTS_PER_WORKSPACE = 20;
export const EXPORT_MAX_DEPTH = 6;
export const EXPORT_MAX_NODES = 10_000;

export interface ExportRequest {
  workspaceId: string;
  network: string;
  subject: ExportSubject;
  format: ExportFormat;
}

export class RequestExport {
  constructor(
    private readonly records: ExportRecords,
    private readonly people: ReadPerson,
    private readonly meter: ExportMeter,
    private readonly clock: Clock,
    private readonly ids: Ids,
  ) {}

  /**
   * Notes the wish; a process makes the file. Throws `GRAPH.PERSON_UNKNOWN`, `EXPORT.TOO_COSTLY` and
   * `EXPORT.TOO_MANY`; the last is counted before writing, so requests at the same moment may pass it by a few.
   */
  async execute({ workspaceId, network, subject, format }: ExportRequest): Promise<Export> {
    if (subject.kind === 'surroundings') {
      insistOnLimits(subject);
      await this.people.friends({ workspaceId, network, id: subject.person }, { limit: 1, after: undefined });
    }
    const now = this.clock.nowMs();
    const page = { limit: EXPORTS_PER_WORKSPACE, after: undefined, now };
    const kept = await this.records.page(workspaceId, page);
    if (kept.length >= EXPORTS_PER_WORKSPACE) throw tooManyExports(EXPORTS_PER_WORKSPACE);
    const wanted = requestedExport({ id: this.ids.next(), workspaceId, network, subject, format }, now);
    await this.records.add(wanted);
    this.meter.requested(format);
    return wanted;
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
