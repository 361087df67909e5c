import { isDomainError } from '@sociograph/kernel';
import type { Checkpoints, Resumed } from './checkpoints';
import type { ChangeLog, ChangeRecord, Following } from './ports';
import type { FlushReport, ProjectorPorts } from './projector';
import { Projector } from './projector';

/** What the writer tells the outside; bound to metrics and log by whoever starts it. */
export interface WriterObserver {
  became(role: 'standby' | 'replaying' | 'writing', fence?: number): void;
  took(record: ChangeRecord, edges: number): void;
  flushed(report: FlushReport, durationMs: number, sizes: { people: number; friendships: number }): void;
  failed(step: WriterStep, error: unknown): void;
  /** The state was written down, or taken up again: how old it was then. */
  checkpoint(what: 'written' | 'resumed', ageMs: number): void;
}

export type WriterStep = 'acquire' | 'follow' | 'flush' | 'renew' | 'checkpoint';

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
}

/** Pause after a flush while records keep coming, as a multiple of how long it took: writing gets at most a quarter of the time. */
const PAUSE_FACTOR = 3;

/**
 * The life of an instance as far as writing goes: stand by until the lock is free, begin with the newest checkpoint,
 * read graph.changes from there on (without one: from its first record) into memory, write what changed, follow
 * live. A lost lock ends it: the memory is dropped and the instance stands by again.
 */
export class ActiveWriter {
  private readonly stopping = new AbortController();
  private running: Promise<void> | undefined;

  constructor(
    private readonly ports: ProjectorPorts & { log: ChangeLog; checkpoints: Checkpoints },
    private readonly observer: WriterObserver,
    private readonly times: WriterTimes,
  ) {}

  /** Begins to stand by; nothing happens after `stop`. */
  start(): void {
    this.running ??= this.run();
  }

  /** Flushes once more, gives the lock back, and resolves. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  private get stopped(): boolean {
    return this.stopping.signal.aborted;
  }

  private async run(): Promise<void> {
    this.observer.became('standby');
    while (!this.stopped) {
      const fence = await this.tryAcquire();
      if (fence === undefined) {
        await pause(this.times.standbyMs, this.stopping.signal);
        continue;
      }
      this.observer.became('replaying', fence);
      await this.write(fence);
      if (!this.stopped) this.observer.became('standby');
    }
  }

  private async tryAcquire(): Promise<number | undefined> {
    try {
      const fence = await this.ports.lock.acquire(await this.ports.store.highestFence());
      if (fence !== undefined) await this.ports.store.claim(fence);
      return fence;
    } catch (error) {
      this.observer.failed('acquire', error);
      await this.giveBack();
      return undefined;
    }
  }

  /** One term as the writer; resolves when it ends. */
  private async write(fence: number): Promise<void> {
    const term = new AbortController();
    const end = (): void => term.abort();
    this.stopping.signal.addEventListener('abort', end);
    const renewals = this.renewUntil(term);
    const resumed = await this.resume(fence);
    const projector = new Projector(this.ports, fence, resumed);
    const checkpoints = this.checkpointUntil(term.signal, projector);
    const work = new Signal();
    let following: Following | undefined;
    let complete = false;
    try {
      const caughtUp = new Signal();
      following = await this.ports.log.follow(
        (record) => {
          this.observer.took(record, projector.take(record));
          work.raise();
        },
        () => caughtUp.raise(),
        resumed?.from,
      );
      complete = await caughtUp.raised(term.signal);
      if (complete) {
        this.observer.became('writing', fence);
        await this.flushUntil(term.signal, projector, work, fence);
      }
    } catch (error) {
      this.observer.failed('follow', error);
    } finally {
      end();
      this.stopping.signal.removeEventListener('abort', end);
      await following?.stop();
      await Promise.all([renewals, checkpoints]);
      // Half a replay must not overwrite what the former writer left complete.
      if (this.stopped && complete) await this.flush(projector);
      await this.giveBack();
    }
  }

  /** The state to begin with. A checkpoint that is broken or out of reach is no reason to wait: the log has it all. */
  private async resume(fence: number): Promise<Resumed | undefined> {
    try {
      const resumed = await this.ports.checkpoints.load(fence);
      if (resumed !== undefined) this.observer.checkpoint('resumed', resumed.ageMs);
      return resumed;
    } catch (error) {
      this.observer.failed('checkpoint', error);
      return undefined;
    }
  }

  /** Writes the state down from time to time; what fails is tried again the next time. */
  private async checkpointUntil(term: AbortSignal, projector: Projector): Promise<void> {
    let kept = '';
    for (;;) {
      await pause(this.times.checkpointMs, term);
      if (term.aborted) return;
      const snapshot = projector.snapshot();
      const reached = JSON.stringify(snapshot.reached);
      if (reached === kept || !this.ports.lock.held()) continue;
      const started = this.ports.clock.monotonicMs();
      try {
        await this.ports.checkpoints.save(snapshot);
        kept = reached;
        this.observer.checkpoint('written', this.ports.clock.monotonicMs() - started);
      } catch (error) {
        this.observer.failed('checkpoint', error);
      }
    }
  }

  private async flushUntil(
    term: AbortSignal,
    projector: Projector,
    work: Signal,
    fence: number,
  ): Promise<void> {
    let leftovers = true;
    while (!term.aborted) {
      const started = this.ports.clock.monotonicMs();
      const report = await this.flush(projector);
      if (report === undefined || report.outcome === 'suspended') {
        await pause(this.times.retryMs, term);
        continue;
      }
      // The first complete flush wrote every row there is: what still carries an older fence belongs to nobody.
      if (leftovers) leftovers = !(await this.removeLeftovers(fence));
      const spent = this.ports.clock.monotonicMs() - started;
      // Busy when something came while the flush went on; otherwise the next record is flushed at once.
      if (projector.hasPending) await pause(Math.min(this.times.maxPauseMs, PAUSE_FACTOR * spent), term);
      else await work.raised(term);
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

  private async removeLeftovers(fence: number): Promise<boolean> {
    try {
      await this.ports.store.removeOlderThan(fence);
      return true;
    } catch (error) {
      this.observer.failed('flush', error);
      return false;
    }
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

  private async giveBack(): Promise<void> {
    try {
      await this.ports.lock.release();
    } catch (error) {
      if (!isDomainError(error)) throw error; // Unreachable: it expires by itself.
    }
  }
}

/** A flag that one waits for; raising it while nobody waits is remembered once. */
class Signal {
  private up = false;
  private wake: (() => void) | undefined;

  raise(): void {
    this.up = true;
    this.wake?.();
  }

  /** True when it was raised, false when `signal` aborted before; lowers it. */
  raised(signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.wake = undefined;
        signal.removeEventListener('abort', done);
        resolve(this.up);
        this.up = false;
      };
      this.wake = done;
      if (this.up || signal.aborted) done();
      else signal.addEventListener('abort', done);
    });
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted || ms <= 0) return resolve();
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
  });
}
