import { type Clock, isDomainError } from '@sociograph/kernel';
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
    if (attempts > MOST_ATTEMPTS) return this.end({ ...job, state: 'failed', fault: 'VIEWS.JOB_GAVE_UP' });
    await this.jobs.put({ ...job, attempts, state: 'running' });
    let ended: Job;
    try {
      ended = { ...job, attempts, ...(await this.work.carryOut(job)), state: 'done' };
    } catch (error) {
      // The writer's term is over: the job stays open for its successor.
      if (signal.aborted) return;
      this.work.failed(error);
      ended = { ...job, attempts, state: 'failed', fault: isDomainError(error) ? error.code : 'INTERNAL' };
    }
    await this.end(ended);
  }

  private async end(job: Job): Promise<void> {
    const ended = { ...job, finishedAt: this.clock.nowMs() };
    await this.jobs.put(ended);
    this.work.finished(ended);
  }
}
