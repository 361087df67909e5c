import { isDomainError, type Clock } from '@sociograph/kernel';
import {
  afterCheck,
  afterSweep,
  anonymous,
  completed,
  exportsPurged,
  isCheckDue,
  isSweepDue,
  onlyFilesLeft,
  suppressed,
  touching,
  type Erasure,
  type Findings,
  type Retention,
} from '../domain/erasure';
import type { ErasureLog, Erasures, ExportPurge } from '../domain/erasure-ports';
import type { Versioned } from '../domain/ports';
import type { SweepPerson } from './sweep-person';

export interface ErasureTimes {
  /** Between two sweeps, and from the mark to the sweep that counts. */
  settleMs: number;
  /** Between two looks into the logs: one reads the whole change log. */
  checkMs: number;
  /** From the look that found nothing anywhere to the end: what logs let go stays in files that long. */
  filesMs: number;
  retention: Retention;
}

/** Erasures that one round, or one look into the logs, works on. */
const AT_ONCE = 50;

/**
 * Brings every open erasure as far as it can come now. Each step is saved before the next begins and may be repeated:
 * a process that dies in between, or two that work on the same one, do no harm.
 */
export class ErasePerson {
  constructor(
    private readonly erasures: Erasures,
    private readonly log: ErasureLog,
    private readonly sweep: Pick<SweepPerson, 'execute'>,
    private readonly exports: ExportPurge,
    private readonly clock: Clock,
    private readonly times: ErasureTimes,
  ) {}

  /**
   * Sweeps what is due. How many erasures are open, whether or not something could be done about them. One that cannot
   * be swept does not keep the others from it; its fault is thrown afterwards.
   */
  async round(): Promise<number> {
    const faults: unknown[] = [];
    for (const erasure of await this.erasures.erasing(AT_ONCE)) {
      try {
        await this.#sweep(erasure);
      } catch (error) {
        if (isDomainError(error) && error.kind === 'unavailable') throw error;
        faults.push(error);
      }
    }
    if (faults.length > 0) throw faults[0];
    return this.erasures.open();
  }

  async #sweep({ rev, ...stored }: Versioned<Erasure>): Promise<void> {
    let erasure: Erasure = stored;
    let current: string | undefined = rev;
    const { personId, workspaceId, network } = erasure;
    if (personId === undefined) return;
    const save = async (next: Erasure): Promise<boolean> => {
      erasure = next;
      if (current !== undefined) current = await this.erasures.save(next, current);
      return current !== undefined;
    };
    if (erasure.suppressedAt === undefined) {
      await this.log.suppress(erasure);
      if (!(await save(suppressed(erasure, this.clock.nowMs())))) return;
    }
    const began = this.clock.nowMs();
    const { settleMs, retention } = this.times;
    if (!isSweepDue(erasure, began, settleMs)) return;
    const swept = await this.sweep.execute(erasure, personId, (touched) => save(touching(erasure, touched)));
    if (swept === undefined) return;
    const ends = await this.log.ends();
    const after = afterSweep(erasure, swept, { began, now: this.clock.nowMs(), settleMs }, ends, retention);
    if (after.state !== 'waiting') return void (await save(after));
    // Everything made before this sweep's end may hold the person; what is made from now on cannot.
    await this.exports.ofGraph(workspaceId, network);
    await save(exportsPurged(after, this.clock.nowMs()));
  }

  /**
   * Looks after those that wait; it takes as long as reading the logs, so sweeps go on beside it. One look serves all
   * erasures that wait for the logs, one rewriting of the files all that wait for that.
   */
  async check(): Promise<void> {
    const now = this.clock.nowMs();
    const waiting = await this.erasures.waiting(AT_ONCE);
    const due = waiting.filter((erasure) => isCheckDue(erasure, now, this.times.checkMs));
    const found = due.length === 0 ? new Map<string, Findings>() : await this.log.look(due);
    for (const { rev, ...erasure } of due) {
      const findings = found.get(erasure.id);
      if (findings === undefined) continue;
      const checked = afterCheck(erasure, findings, now);
      await this.erasures.save(onlyFilesLeft(checked) ? anonymous(checked) : checked, rev);
    }
    const lingering = due.filter(({ id }) => found.get(id)?.['change-log'] === false);
    if (lingering.length > 0) await this.log.nudge(lingering);
    await this.#finish();
  }

  async #finish(): Promise<void> {
    const since = this.clock.nowMs() - this.times.filesMs;
    const nameless = await this.erasures.nameless(AT_ONCE);
    const last = nameless.filter(({ checkedAt }) => checkedAt === undefined || checkedAt <= since);
    if (last.length === 0) return;
    await this.erasures.compact();
    for (const { rev, ...erasure } of last)
      await this.erasures.save(completed(erasure, this.clock.nowMs()), rev);
  }
}
