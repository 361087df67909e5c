import type { SimulatorClock } from './simulator-clock';

interface Planned {
  at: number;
  run: (at: number) => void;
}

/**
 * Runs things at planned moments, in the order of those moments. A timer that fires late runs everything that has
 * become due, each with the moment it was PLANNED for: the event loop's lateness never reaches the limiter.
 */
export class TimedLine {
  /** Latest first, so that the next one is popped off the end. */
  private readonly planned: Planned[] = [];
  private timer: NodeJS.Timeout | undefined;
  private timerFor = Number.POSITIVE_INFINITY;

  constructor(private readonly clock: SimulatorClock) {}

  /** Plans `run`; what is due already runs at once, unless something earlier is still waiting. */
  plan(at: number, run: (at: number) => void): void {
    let position = this.planned.length;
    while (position > 0 && (this.planned[position - 1] as Planned).at <= at) position -= 1;
    this.planned.splice(position, 0, { at, run });
    this.runDue();
  }

  /** The clock was put forward: what became due by that runs now. */
  hurry(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.timerFor = Number.POSITIVE_INFINITY;
    this.runDue();
  }

  clear(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.timerFor = Number.POSITIVE_INFINITY;
    this.planned.length = 0;
  }

  private runDue(): void {
    const now = this.clock.now();
    for (let next = this.planned.at(-1); next !== undefined && next.at <= now; next = this.planned.at(-1)) {
      this.planned.pop();
      next.run(next.at);
    }
    this.arm(now);
  }

  private arm(now: number): void {
    const next = this.planned.at(-1);
    if (next === undefined || (this.timer !== undefined && this.timerFor <= next.at)) return;
    clearTimeout(this.timer);
    this.timerFor = next.at;
    // Rounded up: a timer that fires a fraction early would have to be set a second time.
    this.timer = setTimeout(
      () => {
        this.timer = undefined;
        this.timerFor = Number.POSITIVE_INFINITY;
        this.runDue();
      },
      Math.ceil(next.at - now),
    );
  }
}
