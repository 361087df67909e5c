import type { OnApplicationBootstrap } from '@nestjs/common';
import { describeFailure } from '@sociograph/messaging';
import type { Logger } from '@sociograph/observability';
import type { ErasePerson } from '../application/erase-person';

/** While erasures are open, and else: another process may have taken one up. */
const OPEN_MS = 1_000;
const IDLE_MS = 5_000;

export interface ErasureRunnerOptions {
  erase: Pick<ErasePerson, 'round'>;
  /** Marks are known: what is removed is not brought back by this process. */
  ready: Promise<void>;
  logger: Logger;
  onRound: (open: number) => void;
}

/** Works on open erasures, round after round. Every process may: the receipts' revisions decide who goes on. */
export class ErasureRunner implements OnApplicationBootstrap {
  #stopped = false;
  #running: Promise<void> | undefined;
  #wake: () => void = () => undefined;
  #asked = false;

  constructor(private readonly options: ErasureRunnerOptions) {}

  onApplicationBootstrap(): void {
    this.#running = this.#run();
  }

  wake(): void {
    this.#asked = true;
    this.#wake();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#wake();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { erase, ready, logger, onRound } = this.options;
    await Promise.race([ready, this.#pause(undefined)]);
    while (!this.#stopped) {
      this.#asked = false;
      let open = 1;
      try {
        open = await erase.round();
        onRound(open);
      } catch (error) {
        if (this.#stopped) return;
        // A server that is away, or writers that were faster: the receipts say how far it has come.
        logger.warn({ ...describeFailure(error), err: error }, 'erasures are tried again');
      }
      await this.#pause(open > 0 ? OPEN_MS : IDLE_MS);
    }
  }

  /** Ends early when something is asked for; without a duration only then. */
  async #pause(ms: number | undefined): Promise<void> {
    if (this.#asked || this.#stopped) return;
    await new Promise<void>((resolve) => {
      const timer = ms === undefined ? undefined : setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        // Before the marks are known only the end of the process is worth waking for.
        if (ms !== undefined || this.#stopped) resolve();
      };
    });
  }
}
