import { Alarm } from '../domain/ports';

/** One timer of the event loop; waits longer than an hour are cut short, ringing early does no harm. */
export class TimerAlarm extends Alarm {
  #timer: NodeJS.Timeout | undefined;

  set(inMs: number, ring: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(ring, Math.min(inMs, 3_600_000));
  }

  clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
