import { setTimeout as delay } from 'node:timers/promises';
import { Pause } from '../domain/ports';

export class TimerPause extends Pause {
  async wait(ms: number): Promise<void> {
    await delay(ms);
  }
}
