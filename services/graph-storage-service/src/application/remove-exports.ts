import type { Clock, WriteAudit } from '@sociograph/kernel';
import { EXPORT_KEPT_MS, fileOf, startedOverExport, type Export } from '../domain/export';
import { exportUnknown } from '../domain/export-errors';
import { ExportDrafts, ExportFiles, ExportRecords } from '../domain/export-ports';

/** A file that no record names is left alone this much longer: its record may be written yet. */
const SWEEP_AFTER_MS = EXPORT_KEPT_MS + 60 * 60 * 1000;

/** The ways in which exports go: by request, by age, because the graph lost someone. Records go before their files. */
export class RemoveExports {
  constructor(
    private readonly records: ExportRecords,
    private readonly files: ExportFiles,
    private readonly drafts: ExportDrafts,
    private readonly audit: WriteAudit,
    private readonly clock: Clock,
  ) {}

  /** Whoever is making it finds out when it next speaks up, and leaves nothing behind. Throws `EXPORT.UNKNOWN`. */
  async one(workspaceId: string, id: string, by: string): Promise<void> {
    const now = this.clock.nowMs();
    const own = (one: Export | undefined): boolean => one?.workspaceId === workspaceId && one.expiresAt > now;
    if (!own(await this.records.find(id))) throw exportUnknown();
    const deed = { workspaceId, by, action: 'export.delete', target: `export/${id}` };
    await this.audit.around(deed, async () => {
      const removed = await this.records.remove(id, own);
      if (!removed) throw exportUnknown();
      await this.#removeFile(removed);
    });
  }

  /** Answers how many were over. What died between record and file is found by age. */
  async expired(): Promise<number> {
    const now = this.clock.nowMs();
    let count = 0;
    for (const { id } of await this.records.expired(now)) {
      const removed = await this.records.remove(id, ({ expiresAt }) => expiresAt <= now);
      if (!removed) continue;
      await this.#removeFile(removed);
      count += 1;
    }
    await this.files.sweep(now - SWEEP_AFTER_MS);
    await this.drafts.sweep(now - SWEEP_AFTER_MS);
    return count;
  }

  /**
   * For the erasure of a person, after the person has left the graph: files go, what is being made is begun anew.
   * Surroundings go as a whole, because they may be those of the person. Repeating it is harmless.
   */
  async ofGraph(workspaceId: string, network: string): Promise<{ removed: number; startedOver: number }> {
    const counts = { removed: 0, startedOver: 0 };
    for (const { id } of await this.records.ofGraph(workspaceId, network)) {
      const removed = await this.records.remove(id, mayHoldSomeone);
      if (removed) {
        await this.#removeFile(removed);
        counts.removed += 1;
      } else if (await this.#startOver(id)) counts.startedOver += 1;
    }
    return counts;
  }

  async #startOver(id: string): Promise<boolean> {
    let left: string | undefined;
    const changed = await this.records.change(id, (one) => {
      if (one.state.kind !== 'running') return undefined;
      left = one.state.file;
      return startedOverExport(one, this.clock.nowMs());
    });
    if (changed && left !== undefined) await this.files.remove(left);
    return changed !== undefined;
  }

  async #removeFile(one: Export): Promise<void> {
    const file = fileOf(one);
    if (file !== undefined) await this.files.remove(file);
  }
}

function mayHoldSomeone({ state, subject }: Export): boolean {
  return state.kind === 'ready' || subject.kind === 'surroundings';
}
