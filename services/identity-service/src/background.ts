import type { HostContext } from '@sociograph/service-host';
import type { IdentityMetrics } from './metrics';

/** Work that is looked for again and again; a failure is logged, counted, and the work looked for again. */
export class Background {
  #stopped = false;

  constructor(
    private readonly ctx: HostContext,
    private readonly metrics: IdentityMetrics,
  ) {
    ctx.shutdown.add('stop-taking', 'background work', async () => {
      this.#stopped = true;
    });
  }

  /** `once` answers true when there is more to do at once. Rounds of one kind never overlap. */
  every(ms: number, work: string, once: () => Promise<boolean | void>): void {
    let running: Promise<void> = Promise.resolve();
    const round = async (): Promise<void> => {
      try {
        while (!this.#stopped && (await once()) === true);
      } catch (error) {
        this.failed(work, error);
      }
      if (!this.#stopped) setTimeout(start, ms).unref();
    };
    const start = (): void => {
      if (!this.#stopped) running = round();
    };
    this.ctx.shutdown.add('finish', work, () => running);
    start();
  }

  failed(work: string, error: unknown): void {
    this.metrics.workerErrors.inc({ work });
    this.ctx.logger.warn({ work, err: error }, 'background work failed and is tried again');
  }
}
