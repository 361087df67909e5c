import { setTimeout as wait } from 'node:timers/promises';
import { Pause } from '../domain/ports';

export class TimerPause extends Pause {
  async ms(duration: number): Promise<void> {
    await wait(duration);
  }
}
