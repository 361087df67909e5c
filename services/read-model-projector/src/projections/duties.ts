import { type Clock, DomainError, isDomainError } from '@sociograph/kernel';
import type { Job } from './jobs';
import type { JobStore } from './ports';

const DAY_MS = 86_400_000;
/** A recount of every graph is due once a day from this hour on, UTC. */
export const NIGHTLY_HOUR = 3;
export const KEPT_DAYS = 30;
/** A job in which the writer ended so often is not begun again: it may be what ends it. */
export const MOST_ATTEMPTS = 3;

export interface DutyWork {
  /** What a job asks for; what it throws is noted in the job. */
  carryOut(job: Job): Promise<Partial<Job>>;
  /** False while the writer may not write. */
  mayWork(): boolean;
  failed(error: unknown): void;
  finished(job: Job): void;
}

/**
 * What the writer does besides following the log: jobs that somebody asked for, one after the other, oldest first, and
 * every night a recount of all graphs. A job lies in the store from its request on: a writer that takes over begins
 * those anew that its predecessor left running.
 */
export class Duties {
  private nightlyAsked = '';

  constructor(
    private readonly jobs: JobStore,
    private readonly clock: Clock,
    private readonly work: DutyWork,
  ) {}

  /** Looks once for what is due and does it. What fails is told and tried again at the next look. */
  async look(signal: AbortSignal): Promise<void> {
    if (!this.work.mayWork()) return;
    try {
      await this.askForNightly();
      const [next] = await this.jobs.open();
      if (next !== undefined) await this.carryOut(next, signal);
    } catch (error) {
      this.work.failed(error);
    }
  }

  private async askForNightly(): Promise<void> {
    const now = this.clock.nowMs();
    const day = new Date(now - NIGHTLY_HOUR * 3_600_000).toISOString().slice(0, 10);
    if (day === this.nightlyAsked) return;
    await this.jobs.create({ id: `nightly-${day}`, kind: 'recount', state: 'waiting', requestedAt: now });
    await this.jobs.removeRequestedBefore(now - KEPT_DAYS * DAY_MS);
    this.nightlyAsked = day;
  }

  private async carryOut(job: Job, signal: AbortSignal): Promise<void> {
    const attempts = (job.attempts ?? 0) + 1;
    if (attempts > MOST_ATTEMPTS) return this.giveUp(job);
    await this.jobs.put({ ...job, attempts, state: 'running' });
    let ended: Job;
    try {
      ended = { ...job, attempts, ...(await this.work.carryOut(job)), state: 'done' };
    } catch (error) {
      if (signal.aborted || !this.work.mayWork()) return this.leave(job);
      this.work.failed(error);
      ended = { ...job, attempts, state: 'failed', fault: isDomainError(error) ? error.code : 'INTERNAL' };
    }
    // Another writer may have begun it meanwhile: what came of it here must neither be kept nor told.
    if (!this.work.mayWork()) return;
    await this.end(ended);
  }

  /**
   * Leaves a job open for whoever writes next. It counts as an attempt when the lock is gone, for long work may be what
   * kept it from being renewed; not when the writer was stopped and still has it.
   */
  private async leave(job: Job): Promise<void> {
    if (this.work.mayWork()) await this.jobs.put({ ...job, attempts: job.attempts ?? 0, state: 'running' });
  }

  private async giveUp(job: Job): Promise<void> {
    const fault = new DomainError({
      code: 'VIEWS.JOB_GAVE_UP',
      kind: 'bug',
      message: 'Three writers ended in the middle of this job',
    });
    this.work.failed(fault);
    await this.end({ ...job, state: 'failed', fault: fault.code });
  }

  private async end(job: Job): Promise<void> {
    const ended = { ...job, finishedAt: this.clock.nowMs() };
    await this.jobs.put(ended);
    this.work.finished(ended);
  }
}
