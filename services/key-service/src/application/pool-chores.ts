import { PoolReport } from '../domain/pool-report';

/** Something that is done again and again; `failure` is the sentence of the log when it could not be. */
export interface Chore {
  readonly failure: string;
  run(): Promise<void> | void;
}

/** The pool's regular work, one chore after the other: a failing one keeps none of the others from being done. */
export class PoolChores {
  #running = false;

  constructor(
    private readonly chores: readonly Chore[],
    private readonly report: PoolReport,
  ) {}

  /** A round that is still going on is not joined by a second one. */
  async run(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    for (const chore of this.chores) {
      try {
        await chore.run();
      } catch (error) {
        this.report.failed(chore.failure, error);
      }
    }
    this.#running = false;
  }
}
