import type { VirtualTime } from './virtual-time';

/** Where a process can stand still: before this step. */
export type Step = 'ask' | 'reply' | 'check' | 'wire' | 'stamp' | 'answer' | 'settle';

export const STEPS: readonly Step[] = ['ask', 'reply', 'check', 'wire', 'stamp', 'answer', 'settle'];

/** One process' own doing: nothing of it happens while it stands still (SIGSTOP), or any more once it was killed. */
export class Standstill {
  alive = true;
  readonly #time: VirtualTime;
  #frozenUntil = 0;
  #held: (() => void)[] = [];
  #armed: { step: Step; micros: number } | undefined;

  constructor(time: VirtualTime) {
    this.#time = time;
  }

  kill(): void {
    this.alive = false;
  }

  freeze(micros: number): void {
    this.#frozenUntil = Math.max(this.#frozenUntil, this.#time.micros + micros);
  }

  /** The next time that it comes to this step. */
  freezeBefore(step: Step, micros: number): void {
    this.#armed = { step, micros };
  }

  at(micros: number, step: Step | undefined, run: () => void): void {
    this.#time.at(micros, () => this.#step(step, run));
  }

  after(micros: number, step: Step | undefined, run: () => void): void {
    this.at(this.#time.micros + micros, step, run);
  }

  #step(step: Step | undefined, run: () => void): void {
    if (!this.alive) return;
    if (step !== undefined && this.#armed?.step === step) {
      this.freeze(this.#armed.micros);
      this.#armed = undefined;
    }
    if (this.#frozenUntil <= this.#time.micros && this.#held.length === 0) return run();
    this.#held.push(run);
    if (this.#held.length === 1) this.#thaw();
  }

  /** What came while the process stood still happens in its order when it goes on. */
  #thaw(): void {
    this.#time.at(this.#frozenUntil, () => {
      if (!this.alive) return;
      if (this.#frozenUntil > this.#time.micros) return this.#thaw();
      const held = this.#held;
      this.#held = [];
      for (const run of held) run();
    });
  }
}
