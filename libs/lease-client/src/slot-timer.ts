/** Timers of Node fire up to a millisecond late: the last stretch is spent in turns of the event loop. */
const SPIN_MS = 1.5;
/**
 * Turns that do nothing but look at the clock would keep a core busy for those 1.5 ms, half of it at 300 slots a second.
 * So the thread sleeps between them, for so long that answers are still stamped as they come, and not in the last
 * stretch: the system wakes a sleeper some 0.06 ms late.
 */
const NAP_MS = 0.25;
const AWAKE_MS = 0.15;
/** Before a slot its request is made ready; a slot that a late timer finds is made ready as it fires. */
const READY_MS = 3;
/** The mapping of the pool's clock moves a little with each exchange: timers are set anew after at most so long. */
const LONGEST_TIMER_MS = 50;

export interface SlotAlarm {
  /** Called once, some milliseconds before `fire` or directly before it. */
  ready(): void;
  fire(): void;
}

interface Planned {
  at: number;
  alarm: SlotAlarm;
  isReady: boolean;
}

/**
 * Fires at moments of the pool's clock, in their order, within microseconds when the machine is idle: one timer for
 * all, set early, then turns of the event loop, so that answers are read meanwhile. A clock that is not mapped (NaN)
 * fires everything at once: whoever sends looks at the clock itself.
 */
export class SlotTimer {
  readonly #now: () => number;
  readonly #planned: Planned[] = [];
  /** Nobody ever wakes it: it is slept on until the time is over. */
  readonly #bed = new Int32Array(new SharedArrayBuffer(4));
  #timer: NodeJS.Timeout | undefined;
  #timerAt = Infinity;
  #spinning = false;

  constructor(poolNow: () => number) {
    this.#now = poolNow;
  }

  at(poolMs: number, alarm: SlotAlarm): void {
    let place = this.#planned.length;
    while (place > 0 && (this.#planned[place - 1] as Planned).at > poolMs) place -= 1;
    this.#planned.splice(place, 0, { at: poolMs, alarm, isReady: false });
    if (place === 0) this.#turn();
  }

  #turn(): void {
    let first = this.#planned[0];
    // Written so that NaN fires.
    while (first !== undefined && !(this.#now() < first.at)) {
      this.#planned.shift();
      if (!first.isReady) first.alarm.ready();
      first.alarm.fire();
      first = this.#planned[0];
    }
    if (first === undefined) return;
    this.#makeReady();
    const left = first.at - this.#now();
    if (left > SPIN_MS) this.#wakeIn(Math.min(LONGEST_TIMER_MS, Math.max(1, Math.floor(left - 1))));
    else this.#spin(left);
  }

  /** All that come soon, so that one does not delay the next. */
  #makeReady(): void {
    for (const planned of this.#planned) {
      if (planned.at - this.#now() > READY_MS) return;
      if (planned.isReady) continue;
      planned.isReady = true;
      planned.alarm.ready();
    }
  }

  #spin(left: number): void {
    if (this.#spinning) return;
    this.#spinning = true;
    if (left > AWAKE_MS) Atomics.wait(this.#bed, 0, 0, Math.min(NAP_MS, left - AWAKE_MS));
    setImmediate(() => {
      this.#spinning = false;
      this.#turn();
    });
  }

  #wakeIn(ms: number): void {
    const at = performance.now() + ms;
    if (this.#timer !== undefined && this.#timerAt <= at) return;
    clearTimeout(this.#timer);
    this.#timerAt = at;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#turn();
    }, ms);
  }
}
