import type { AnalysisRunner, AnalysisStore } from './analyses/analysis';
import { Analyst } from './analyses/analyst';
import type { Checkpoints, Resumed } from './checkpoints';
import { Duties } from './duties';
import type { Job, RecountOutcome } from './jobs';
import type { LiveViews } from './live-views';
import type { AppliedWatch, ChangeLog, ChangeRecord, Following, JobStore } from './ports';
import type { FlushReport, ProjectorPorts } from './projector';
import { Projector } from './projector';
import { brokenOff, Rebuild } from './rebuild';
import { recountBrokenOff, recountGraph } from './recount-graph';
import { pause, Signal } from './waiting';

/** What the writer tells the outside; bound to metrics and log by whoever starts it. */
export interface WriterObserver {
  became(role: 'standby' | 'replaying' | 'writing', fence?: number): void;
  took(record: ChangeRecord, edges: number): void;
  flushed(report: FlushReport, durationMs: number, sizes: { people: number; friendships: number }): void;
  failed(step: WriterStep, error: unknown): void;
  /** The state was written down, or taken up again: how old it was then. */
  checkpoint(what: 'written' | 'resumed', ageMs: number): void;
  /** A recount or rebuild ended. */
  job(job: Job): void;
}

export type WriterStep = 'acquire' | 'follow' | 'flush' | 'renew' | 'checkpoint' | 'job' | 'analysis';

export interface WriterTimes {
  /** Between two tries of a standby to become the writer. */
  standbyMs: number;
  /** Between two renewals of the lock. */
  renewMs: number;
  /** The longest pause between two flushes while records keep coming. */
  maxPauseMs: number;
  /** After a failed flush. */
  retryMs: number;
  /** Between two checkpoints, while there is anything new. */
  checkpointMs: number;
  /** Between two looks for recounts and rebuilds that somebody asked for. */
  jobsMs: number;
}

export type WriterPorts = ProjectorPorts & {
  log: ChangeLog;
  watch: Pick<AppliedWatch, 'highestFence'>;
  checkpoints: Checkpoints;
  jobs: JobStore;
  analyses: AnalysisStore;
  runner: AnalysisRunner;
  live: LiveViews;
};

/** Longest pause after a flush while records keep coming, as a multiple of how long it took: writing then gets a quarter of the time. */
const PAUSE_FACTOR = 3;
/** A flush of so many ms is followed by a pause as long as itself, a shorter one by less: freshness costs the store little then. */
const EVEN_PAUSE_MS = 100;
/** How long a cancelled analysis goes on at most. */
const ANALYSIS_LOOK_MS = 500;

/** One term as the writer, under one fence: from the state it begins with to the loss of the lock or the stop. */
export class WriterTerm {
  private readonly work = new Signal();
  private readonly checkpointDue = new Signal();
  /** Raised by a checkpoint of what is live when they were added, or of later. */
  private readonly waitingForCheckpoint = new Set<Signal>();

  constructor(
    private readonly ports: WriterPorts,
    private readonly observer: WriterObserver,
    private readonly times: WriterTimes,
    private readonly fence: number,
  ) {}

  /** Resolves when the term ends: `stopping` aborts, the lock is lost, or the log cannot be read. */
  async run(stopping: AbortSignal): Promise<void> {
    const term = new AbortController();
    const end = (): void => term.abort();
    stopping.addEventListener('abort', end);
    const renewals = this.renewUntil(term);
    const resumed = await this.resume();
    const projector = new Projector(this.ports, this.fence, resumed);
    const checkpoints = this.checkpointUntil(term.signal, projector);
    let duties: Promise<void> | undefined;
    let analyses: Promise<void> | undefined;
    let following: Following | undefined;
    let complete = false;
    try {
      const caughtUp = new Signal();
      following = await this.ports.log.follow(
        (record) => {
          this.observer.took(record, projector.take(record));
          this.work.raise();
          this.ports.live.advanced();
        },
        () => caughtUp.raise(),
        resumed?.from,
      );
      complete = await caughtUp.raised(term.signal);
      if (complete) {
        this.observer.became('writing', this.fence);
        this.ports.live.open(projector);
        duties = this.lookForJobsUntil(term.signal, projector);
        analyses = this.analyseUntil(term.signal, projector);
        await this.flushUntil(term.signal, projector);
      }
    } catch (error) {
      this.observer.failed('follow', error);
    } finally {
      end();
      // From now on nobody says that the memory is behind.
      this.ports.live.close();
      stopping.removeEventListener('abort', end);
      await following?.stop();
      await Promise.all([renewals, checkpoints, duties, analyses]);
      // Half a replay must not overwrite what the former writer left complete.
      if (stopping.aborted && complete) await this.flush(projector);
    }
  }

  /** The state to begin with. A checkpoint that is broken or out of reach is no reason to wait: the log has it all. */
  private async resume(): Promise<Resumed | undefined> {
    try {
      const resumed = await this.ports.checkpoints.load(this.fence);
      if (resumed !== undefined) this.observer.checkpoint('resumed', resumed.ageMs);
      return resumed;
    } catch (error) {
      this.observer.failed('checkpoint', error);
      return undefined;
    }
  }

  /** Writes the state down from time to time; what fails is tried again the next time, soon when somebody waits. */
  private async checkpointUntil(term: AbortSignal, projector: Projector): Promise<void> {
    let kept = '';
    let unsettled = false;
    for (;;) {
      const { retryMs, checkpointMs } = this.times;
      const soon = unsettled || this.waitingForCheckpoint.size > 0;
      await this.checkpointDue.raised(term, soon ? retryMs : checkpointMs);
      if (term.aborted) return;
      // A successor that begins behind an erasure would not know that results of before are still there.
      unsettled = projector.erasedGraphs().length > 0;
      if (unsettled) continue;
      const waiting = [...this.waitingForCheckpoint];
      const snapshot = projector.snapshot();
      const state = JSON.stringify([snapshot.reached, snapshot.hashes]);
      if (!this.ports.lock.held()) continue;
      if (snapshot.reached.length > 0 && (state !== kept || waiting.length > 0)) {
        const started = this.ports.clock.monotonicMs();
        try {
          await this.ports.checkpoints.save(snapshot);
          kept = state;
          this.observer.checkpoint('written', this.ports.clock.monotonicMs() - started);
        } catch (error) {
          this.observer.failed('checkpoint', error);
          continue;
        }
      }
      for (const saved of waiting) {
        this.waitingForCheckpoint.delete(saved);
        saved.raise();
      }
    }
  }

  /** Resolves when a checkpoint of what is live now, or of later, is kept; throws when the term ends before. */
  private async untilCheckpoint(term: AbortSignal): Promise<void> {
    const saved = new Signal();
    this.waitingForCheckpoint.add(saved);
    this.checkpointDue.raise();
    if (!(await saved.raised(term))) throw brokenOff('the writer stops before a checkpoint is kept');
  }

  private async flushUntil(term: AbortSignal, projector: Projector): Promise<void> {
    let leftovers = true;
    while (!term.aborted) {
      const started = this.ports.clock.monotonicMs();
      const report = await this.flush(projector);
      if (report === undefined || report.outcome === 'suspended') {
        await pause(this.times.retryMs, term);
        continue;
      }
      // The first complete flush wrote every row there is: what still carries an older fence belongs to nobody.
      if (leftovers) leftovers = !(await this.removeLeftovers());
      const spent = this.ports.clock.monotonicMs() - started;
      // Busy when something came while the flush went on; otherwise the next record is flushed at once.
      if (projector.hasPending) {
        const factor = Math.min(PAUSE_FACTOR, spent / EVEN_PAUSE_MS);
        await pause(Math.min(this.times.maxPauseMs, factor * spent), term);
      } else await this.work.raised(term);
    }
  }

  private async flush(projector: Projector): Promise<FlushReport | undefined> {
    const started = this.ports.clock.monotonicMs();
    try {
      const report = await projector.flush();
      this.observer.flushed(report, this.ports.clock.monotonicMs() - started, projector.sizes());
      return report;
    } catch (error) {
      this.observer.failed('flush', error);
      return undefined;
    }
  }

  private async removeLeftovers(): Promise<boolean> {
    try {
      await this.ports.store.removeOlderThan(this.fence);
      return true;
    } catch (error) {
      this.observer.failed('flush', error);
      return false;
    }
  }

  private async lookForJobsUntil(term: AbortSignal, projector: Projector): Promise<void> {
    const duties = new Duties(this.ports.jobs, this.ports.clock, {
      carryOut: (job) => this.carryOut(job, projector, term),
      mayWork: () => this.ports.lock.held(),
      failed: (error) => this.observer.failed('job', error),
      finished: (job) => this.observer.job(job),
    });
    while (!term.aborted) {
      await duties.look(term);
      await pause(this.times.jobsMs, term);
    }
  }

  private async analyseUntil(term: AbortSignal, projector: Projector): Promise<void> {
    const { analyses: store, runner, clock, lock } = this.ports;
    const graphs = {
      copyOf: (workspaceId: string, network: string) => projector.copyOf(workspaceId, network),
      erased: () => projector.erasedGraphs(),
      settled: (graph: string) => projector.settled(graph),
      mayWork: () => lock.held(),
    };
    const failed = (error: unknown): void => this.observer.failed('analysis', error);
    const analyst = new Analyst({ store, runner, clock }, graphs, failed, ANALYSIS_LOOK_MS);
    while (!term.aborted) {
      await analyst.look(term);
      await pause(this.times.jobsMs, term);
    }
  }

  private async carryOut(job: Job, projector: Projector, term: AbortSignal): Promise<Partial<Job>> {
    if (job.kind === 'recount') {
      const recounts: RecountOutcome[] = [];
      const goOn = (): void => {
        if (term.aborted || !this.ports.lock.held()) throw recountBrokenOff();
      };
      for (const view of projector.graphs(job.workspaceId, job.network)) {
        goOn();
        recounts.push(await recountGraph(view, { projector, ...this.ports, goOn }));
      }
      if (recounts.length === 0 && job.workspaceId !== undefined && job.network !== undefined)
        recounts.push(nothingOf(job.workspaceId, job.network));
      this.work.raise();
      return { recounts };
    }
    const rebuild = new Rebuild(this.ports, projector, async () => {
      const report = await this.flush(projector);
      return report !== undefined && report.outcome !== 'suspended';
    });
    const outcome = await rebuild.run(term);
    // What was kept until now may have been wrong: the rebuild is not done while somebody could begin with it again.
    await this.untilCheckpoint(term);
    return { rebuild: outcome };
  }

  /** Renews until the term ends, and ends the term when the lock is lost. */
  private async renewUntil(term: AbortController): Promise<void> {
    while (!term.signal.aborted) {
      await pause(this.times.renewMs, term.signal);
      if (term.signal.aborted) return;
      try {
        if (!(await this.ports.lock.renew())) term.abort();
      } catch (error) {
        // In doubt, not lost: `held` turns false by itself, flushes are suspended until a renewal succeeds.
        this.observer.failed('renew', error);
      }
    }
  }
}

/** There are rows, or nobody could have asked, and nothing in memory. */
function nothingOf(workspaceId: string, network: string): RecountOutcome {
  const differences = [{ what: 'graph', kept: 'rows in the store', counted: 'nothing in memory' }];
  return { workspaceId, network, users: 0, friendships: 0, differences, tookMs: 0 };
}
