import { isDomainError, type Clock, type Ids } from '@sociograph/kernel';
import {
  failedExport,
  fileOf,
  finishedExport,
  isDue,
  isHeldBy,
  nextExport,
  postponedExport,
  progressedExport,
  startedOverExport,
  takenExport,
  type Export,
  type ExportFault,
} from '../domain/export';
import { tooManyBytes } from '../domain/export-errors';
import {
  bytesOf,
  ExportFiles,
  ExportLimits,
  ExportMeter,
  ExportRecords,
  type ExportEnd,
} from '../domain/export-ports';
import type { ExportProgress, MakeExportFile } from './make-export-file';

export type ExportRun = { kind: 'idle' } | { kind: 'ended'; id: string; end: ExportEnd; error?: unknown };

/** More than the quota of exports lets any workspace have. */
const ALL = 1_000_000_000;

interface Held {
  id: string;
  by: string;
  progress: ExportProgress;
}

/** Why a run is ended from outside; it is no fault. */
class Interrupted extends Error {
  constructor(readonly end: 'given-back' | 'lost') {
    super(end);
  }
}

/** Makes exports, one at a time; any number of processes may do so side by side. */
export class RunExports {
  #held: Held | undefined;
  #abort = new AbortController();
  #making: Promise<ExportRun> | undefined;
  #stopped = false;

  constructor(
    private readonly records: ExportRecords,
    private readonly files: ExportFiles,
    private readonly make: MakeExportFile,
    private readonly meter: ExportMeter,
    private readonly clock: Clock,
    private readonly ids: Ids,
    /** How many a workspace may have in the making at once, over all processes (looked at before each is taken). */
    private readonly perWorkspace: number,
    private readonly limits: ExportLimits,
  ) {}

  /** Takes the next one that is due and makes it; `idle` when there is none or this process makes one already. */
  async next(): Promise<ExportRun> {
    if (this.#stopped || this.#making) return { kind: 'idle' };
    this.#abort = new AbortController();
    this.#making = this.#next().finally(() => (this.#making = undefined));
    return this.#making;
  }

  /** Says that the export in the making goes on, and how far it is; notices when it was taken away. */
  async beat(): Promise<void> {
    const held = this.#held;
    if (!held) return;
    const known = await this.records.change(held.id, (one) =>
      isHeldBy(one, held.by) ? progressedExport(one, held.progress, this.clock.nowMs()) : undefined,
    );
    if (!known && this.#held === held) this.#abort.abort(new Interrupted('lost'));
  }

  /** Gives the export in the making back; nothing is taken any more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#abort.abort(new Interrupted('given-back'));
    await this.#making?.catch(() => undefined);
  }

  async #next(): Promise<ExportRun> {
    const wanted = nextExport(await this.records.unfinished(), this.perWorkspace, this.clock.nowMs());
    const by = this.ids.next();
    const taken = wanted && (await this.#take(wanted.id, by));
    if (!taken) return { kind: 'idle' };
    if (taken.state.kind !== 'running') {
      this.meter.ended(taken.format, 'failed', 0, 0);
      return { kind: 'ended', id: taken.id, end: 'failed' };
    }
    const held: Held = { id: taken.id, by, progress: { people: 0, friendships: 0 } };
    this.#held = held;
    try {
      return await this.#run(taken, taken.state, held);
    } finally {
      this.#held = undefined;
    }
  }

  /** An attempt before this one may have left a file behind. */
  async #take(id: string, by: string): Promise<Export | undefined> {
    let left: string | undefined;
    const taken = await this.records.change(id, (one) => {
      const now = this.clock.nowMs();
      if (!isDue(one, now)) return undefined;
      left = fileOf(one);
      return takenExport(one, by, now);
    });
    if (taken && left !== undefined) await this.files.remove(left);
    return taken;
  }

  async #run(
    taken: Export,
    state: { file: string; startedAt: number },
    { id, by, progress }: Held,
  ): Promise<ExportRun> {
    const { signal } = this.#abort;
    let end: ExportEnd;
    let bytes = 0;
    let error: unknown;
    try {
      const result = await this.make.execute(taken, state, progress, signal);
      await this.#insistOnRoom(taken, result.bytes);
      const saved = await this.#settle(id, by, (one) => finishedExport(one, result, this.clock.nowMs()));
      end = saved ? 'ready' : 'lost';
      bytes = result.bytes;
    } catch (fault) {
      const reason: unknown = signal.reason;
      if (reason instanceof Interrupted) end = reason.end === 'lost' ? 'lost' : await this.#giveBack(id, by);
      else {
        error = fault;
        end = await this.#fail(id, by, fault);
      }
    }
    if (end !== 'ready') await this.files.remove(state.file);
    const seconds = (this.clock.nowMs() - state.startedAt) / 1000;
    this.meter.ended(taken.format, end, seconds, end === 'ready' ? bytes : 0);
    return { kind: 'ended', id, end, ...(error !== undefined && { error }) };
  }

  /** How large a file is shows when it is made; one that is too large is not kept. */
  async #insistOnRoom({ workspaceId }: Export, bytes: number): Promise<void> {
    const most = await this.limits.bytes(workspaceId);
    const page = { limit: ALL, after: undefined, now: this.clock.nowMs() };
    const kept = bytesOf(await this.records.page(workspaceId, page));
    if (kept + bytes > most) throw tooManyBytes(most);
  }

  async #giveBack(id: string, by: string): Promise<ExportEnd> {
    const saved = await this.#settle(id, by, (one) => startedOverExport(one, this.clock.nowMs()));
    return saved ? 'given-back' : 'lost';
  }

  async #fail(id: string, by: string, error: unknown): Promise<ExportEnd> {
    const passes = isDomainError(error) && error.kind === 'unavailable';
    const now = this.clock.nowMs();
    const saved = await this.#settle(id, by, (one) =>
      passes ? postponedExport(one, faultOf(error), now) : failedExport(one, faultOf(error), now),
    );
    if (!saved) return 'lost';
    return saved.state.kind === 'waiting' ? 'postponed' : 'failed';
  }

  #settle(id: string, by: string, change: (one: Export) => Export): Promise<Export | undefined> {
    return this.records.change(id, (one) => (isHeldBy(one, by) ? change(one) : undefined));
  }
}

/** What the caller may know: sentences of ours, never those of a driver. */
function faultOf(error: unknown): ExportFault {
  if (isDomainError(error) && error.kind !== 'bug') return { code: error.code, message: error.message };
  return {
    code: 'EXPORT.FAILED',
    message: 'The file could not be made; the log of the service has the details.',
  };
}
