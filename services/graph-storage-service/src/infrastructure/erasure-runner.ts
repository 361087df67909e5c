import type { OnApplicationBootstrap } from '@nestjs/common';
import { describeFailure } from '@sociograph/messaging';
import type { Logger } from '@sociograph/observability';
import type { ErasePerson } from '../application/erase-person';

/** While erasures are open, and else: another process may have taken one up. */
const OPEN_MS = 1_000;
const IDLE_MS = 5_000;

export interface ErasureRunnerOptions {
  erase: Pick<ErasePerson, 'round' | 'check'>;
  /** Marks are known: what is removed is not brought back by this process. */
  ready: Promise<void>;
  logger: Logger;
  onRound: (open: number) => void;
  /** A round failed and is tried again. */
  onFailed: () => void;
}

/** Works on open erasures, round after round. Every process may: the receipts' revisions decide who goes on. */
export class ErasureRunner implements OnApplicationBootstrap {
  #stopped = false;
  #running: Promise<unknown> | undefined;
  readonly #wakes = new Set<() => void>();
  #asked = false;

  constructor(private readonly options: ErasureRunnerOptions) {}

  onApplicationBootstrap(): void {
    this.#running = Promise.all([
      this.#loop(async () => {
        this.#asked = false;
        const open = await this.options.erase.round();
        this.options.onRound(open);
        return this.#asked ? 0 : open > 0 ? OPEN_MS : IDLE_MS;
      }),
      this.#loop(async () => {
        await this.options.erase.check();
        return OPEN_MS;
      }),
    ]);
  }

  wake(): void {
    this.#asked = true;
    for (const wake of this.#wakes) wake();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.wake();
    await this.#running;
  }

  /** Repeats a step, which says how long to wait for the next one. */
  async #loop(step: () => Promise<number>): Promise<void> {
    const { ready, logger } = this.options;
    while (!this.#stopped) {
      let waitMs = OPEN_MS;
      try {
        if (await this.#within(ready)) waitMs = await step();
      } catch (error) {
        if (this.#stopped) return;
        this.options.onFailed();
        // A server that is away, or writers that were faster: the receipts say how far it has come.
        logger.warn({ ...describeFailure(error), err: error }, 'erasures are tried again');
      }
      if (!this.#stopped && waitMs > 0) await this.#pause(waitMs);
    }
  }

  /** Whether that came about before the process stops. */
  async #within(ready: Promise<void>): Promise<boolean> {
    let wake: () => void = () => undefined;
    const stopped = new Promise<void>((resolve) => {
      wake = () => this.#stopped && resolve();
      this.#wakes.add(wake);
    });
    await Promise.race([ready, stopped]);
    this.#wakes.delete(wake);
    return !this.#stopped;
  }

  async #pause(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const over = (): void => {
        clearTimeout(timer);
        this.#wakes.delete(over);
        resolve();
      };
      const timer = setTimeout(over, ms);
      this.#wakes.add(over);
    });
  }
}
