import type { Logger } from '@sociograph/observability';

export interface LoopOptions {
  name: string;
  run: () => Promise<unknown>;
  /** The longest rest when nobody wakes it; asked after each run. */
  everyMs: () => number;
  /** Rest between two runs: wakes that come meanwhile are one. */
  restMs: number;
  logger: Pick<Logger, 'warn'>;
  onRun?: () => void;
  /** Counts runs that failed, by the loop's name. */
  errors?: { inc(labels: { work: string }): void };
}

/** Runs a function when woken and at intervals, never twice at a time. A run that fails is logged; the next one comes. */
export class WakeableLoop {
  private running: Promise<void> = Promise.resolve();
  private stopped = false;
  private woken = false;
  private wakeUp: (() => void) | undefined;

  constructor(private readonly options: LoopOptions) {}

  start(): void {
    this.running = this.loop();
  }

  wake(): void {
    this.woken = true;
    this.wakeUp?.();
  }

  /** Resolves when the run under way, if any, has ended. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.wakeUp?.();
    await this.running;
  }

  private async loop(): Promise<void> {
    const { run, name, logger, everyMs, restMs, onRun, errors } = this.options;
    while (!this.stopped) {
      this.woken = false;
      await run().catch((error: unknown) => {
        errors?.inc({ work: name });
        logger.warn({ err: error, loop: name }, 'a run failed and is repeated');
      });
      onRun?.();
      await this.sleep(restMs, false);
      if (!this.woken) await this.sleep(everyMs(), true);
    }
  }

  private async sleep(ms: number, wakeable: boolean): Promise<void> {
    if (this.stopped) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.wakeUp = () => {
        if (!wakeable && !this.stopped) return;
        clearTimeout(timer);
        resolve();
      };
    });
    this.wakeUp = undefined;
  }
}
