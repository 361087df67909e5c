import { setTimeout as delay } from 'node:timers/promises';
import { Pause } from '../application/warehouse';

export class TimerPause extends Pause {
  constructor(private readonly ending: AbortSignal) {
    super();
  }

  async wait(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: this.ending });
  }
}
