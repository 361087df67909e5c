import { setTimeout as wait } from 'node:timers/promises';
import { Pause } from '../domain/ports';

export class TimerPause extends Pause {
  async ms(duration: number, ended?: AbortSignal): Promise<void> {
    await wait(duration, undefined, ended === undefined ? {} : { signal: ended }).catch((error: unknown) => {
      if (ended?.aborted !== true) throw error;
    });
  }
}
