import type { Logger } from './logger';

const stages = ['stop-taking', 'finish', 'flush', 'close'] as const;
export type ShutdownStage = (typeof stages)[number];

/** When each stage must be over, in milliseconds after the signal. What one stage saves, the next ones have. */
const deadlines = { 'stop-taking': 1000, finish: 3500, flush: 4300, close: 4800 } satisfies Record<
  ShutdownStage,
  number
>;

export interface ShutdownOptions {
  logger: Logger;
  /** Ends the process; replaced in specs. */
  exit?: (code: number) => void;
}

interface Step {
  stage: ShutdownStage;
  name: string;
  fn: () => Promise<void> | void;
}

/**
 * The way out of a process: stop taking work, finish what is under way (give leases back), flush, close. Steps of
 * a stage run side by side; one that fails or overruns is logged and does not hold up the rest. The process is gone
 * within 5 s (DESIGN 9), with code 0 only if every step ended well.
 */
export class ShutdownSequence {
  private readonly steps: Step[] = [];
  private running: Promise<boolean> | undefined;

  constructor(private readonly options: ShutdownOptions) {}

  add(stage: ShutdownStage, name: string, fn: () => Promise<void> | void): void {
    this.steps.push({ stage, name, fn });
  }

  /** Runs the sequence and exits at the first of these signals; later ones change nothing. */
  install(signals: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGINT']): void {
    for (const signal of signals) {
      process.on(signal, () => {
        void this.exit(signal);
      });
    }
  }

  /** Runs the sequence, then ends the process. */
  async exit(reason: string): Promise<void> {
    const clean = await this.run(reason);
    (this.options.exit ?? process.exit)(clean ? 0 : 1);
  }

  /** Runs the sequence once, however often it is asked; true when every step ended well. */
  run(reason: string): Promise<boolean> {
    this.running ??= this.runStages(reason);
    return this.running;
  }

  private async runStages(reason: string): Promise<boolean> {
    const startedAt = performance.now();
    const elapsed = (): number => performance.now() - startedAt;
    this.options.logger.info({ reason }, 'shutting down');
    let clean = true;
    for (const stage of stages) {
      const steps = this.steps.filter((step) => step.stage === stage);
      const ends = await Promise.all(steps.map((step) => this.runStep(step, deadlines[stage] - elapsed())));
      clean &&= ends.every(Boolean);
    }
    this.options.logger.info({ reason, clean, durationMs: Math.round(elapsed()) }, 'shut down');
    return clean;
  }

  private async runStep(step: Step, limitMs: number): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const overrun = new Promise<'overrun'>((resolve) => {
      timer = setTimeout(() => resolve('overrun'), Math.max(limitMs, 0));
    });
    try {
      const end = await Promise.race([Promise.resolve(step.fn()), overrun]);
      if (end !== 'overrun') return true;
      this.options.logger.warn(
        { stage: step.stage, step: step.name },
        'a step of the shutdown took too long',
      );
    } catch (error) {
      this.options.logger.warn(
        { stage: step.stage, step: step.name, err: error },
        'a step of the shutdown failed',
      );
    } finally {
      clearTimeout(timer);
    }
    return false;
  }
}
