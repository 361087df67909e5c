import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { AppLogger } from '@sociograph/service-host';
import { RemoveExports } from '../application/remove-exports';
import { RunExports } from '../application/run-exports';

/** Wakes the makers of exports: by request, by looking now and then, and by what others left behind. */
const LOOK_EVERY_MS = 2_000;
/** A sixth of the time after which a silent process is taken for dead, or more often. */
const BEAT_EVERY_MS = 2_000;
const TIDY_EVERY_MS = 60_000;

/** Anything else that is kept for a time only. */
export type Tidying = () => Promise<unknown>;

@Injectable()
export class ExportWorker implements OnApplicationBootstrap {
  readonly #timers: NodeJS.Timeout[] = [];
  #stopped = false;

  constructor(
    private readonly runs: RunExports,
    private readonly removals: RemoveExports,
    private readonly logger: AppLogger,
    private readonly alsoTidy: Tidying,
    /** Hears of each round that failed. */
    private readonly onFailed: () => void,
  ) {}

  onApplicationBootstrap(): void {
    if (this.#stopped) return;
    this.#every(LOOK_EVERY_MS, 'exports could not be looked for', () => this.#work());
    this.#every(BEAT_EVERY_MS, 'an export could not be kept', () => this.runs.beat());
    this.#every(TIDY_EVERY_MS, 'what is over could not be removed', () => this.#tidy());
  }

  /** An export was requested: it is begun without waiting for the next look. */
  nudge(): void {
    void this.#guarded('exports could not be looked for', () => this.#work());
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    for (const timer of this.#timers) clearInterval(timer);
    await this.runs.stop();
  }

  async #work(): Promise<void> {
    for (;;) {
      const run = await this.runs.next();
      if (run.kind === 'idle') return;
      const { id: exportId, end, error } = run;
      if (error === undefined) this.logger.info({ exportId, end }, 'an export ended');
      else this.logger.warn({ exportId, end, err: error }, 'an export ended');
    }
  }

  async #tidy(): Promise<void> {
    const expired = await this.removals.expired();
    if (expired > 0) this.logger.info({ expired }, 'exports expired');
    await this.alsoTidy();
  }

  #every(ms: number, complaint: string, task: () => Promise<void>): void {
    let busy = false;
    const timer = setInterval(() => {
      if (busy) return;
      busy = true;
      void this.#guarded(complaint, task).finally(() => (busy = false));
    }, ms);
    this.#timers.push(timer.unref());
  }

  /** A store that is away is told by its own requests and by health; here it only means: later. */
  async #guarded(complaint: string, task: () => Promise<void>): Promise<void> {
    try {
      await task();
    } catch (err) {
      if (this.#stopped) return;
      this.onFailed();
      this.logger.warn({ err }, complaint);
    }
  }
}
