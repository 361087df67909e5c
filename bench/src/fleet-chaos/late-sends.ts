import type { DrillStand } from '../fleet/drill-stand';
import { pause } from '../fleet/endless-imports';

const EVERY_MS = 500;
const PARSER = 'parser-service-0';

/**
 * Calls that left after their slot because the process was frozen between check and wire: it recognises them afterwards
 * by its own stamps. Counted over all processes of that name, since a counter ends with its process.
 */
export class LateSends {
  readonly #most = new Map<number, number>();
  #running = true;
  #loop: Promise<void> = Promise.resolve();

  constructor(private readonly stand: DrillStand) {}

  start(): this {
    this.#loop = this.#run();
    return this;
  }

  async stop(): Promise<number> {
    this.#running = false;
    await this.#loop;
    return [...this.#most.values()].reduce((sum, count) => sum + count, 0);
  }

  async #run(): Promise<void> {
    do {
      const pid = this.stand.pidOf(PARSER);
      const count = await this.stand.metric(PARSER, 'slots_sent_late_total');
      if (pid !== undefined && count !== undefined && this.stand.pidOf(PARSER) === pid)
        this.#most.set(pid, Math.max(count, this.#most.get(pid) ?? 0));
      await pause(EVERY_MS);
    } while (this.#running);
  }
}
