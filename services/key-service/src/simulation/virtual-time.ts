interface Planned {
  at: number;
  order: number;
  run: () => void;
}

/** What must come to rest after an event before the next one may happen. */
export interface Settling {
  readonly busy: boolean;
  /** Resolves when it is busy no more. */
  idle(): Promise<void>;
}

/** Microseconds; far enough from zero that they look like the clock of a server. */
const START = 1_800_000_000_000_000;

/**
 * Events in the order of a clock that nothing but the next event moves. After an event that woke promises the loop
 * waits until they, and the real commands that they sent, have come to rest: so a seed always gives the same run.
 */
export class VirtualTime {
  micros = START;
  readonly #heap: Planned[] = [];
  readonly #settling: Settling;
  #order = 0;
  #woken = false;

  constructor(settling: Settling) {
    this.#settling = settling;
  }

  /** Events of the same moment happen in the order in which they were planned. */
  at(micros: number, run: () => void): void {
    if (Number.isNaN(micros)) throw new Error('an event was planned for no time at all');
    const planned = { at: Math.max(this.micros, Math.ceil(micros)), order: (this.#order += 1), run };
    const heap = this.#heap;
    let index = heap.push(planned) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!before(planned, heap[parent] as Planned)) break;
      heap[index] = heap[parent] as Planned;
      index = parent;
    }
    heap[index] = planned;
  }

  after(micros: number, run: () => void): void {
    this.at(this.micros + micros, run);
  }

  /** Says that the present event resolved promises. */
  woke(): void {
    this.#woken = true;
  }

  /** Runs events until `done` or nothing is left; false in the latter case. */
  async runUntil(done: () => boolean): Promise<boolean> {
    await this.#rest();
    while (!done()) {
      const next = this.#pop();
      if (next === undefined) return false;
      this.micros = next.at;
      next.run();
      if (this.#woken) await this.#rest();
    }
    return true;
  }

  async #rest(): Promise<void> {
    this.#woken = false;
    do {
      if (this.#settling.busy) await this.#settling.idle();
      // Node comes to the next tick when every promise that can go on has gone on: sooner than the event loop comes round.
      await new Promise<void>((resolve) => process.nextTick(resolve));
    } while (this.#settling.busy);
  }

  #pop(): Planned | undefined {
    const heap = this.#heap;
    const top = heap[0];
    const last = heap.pop();
    if (top === undefined || last === undefined || heap.length === 0) return top;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1] as Planned, heap[child] as Planned)) child += 1;
      if (!before(heap[child] as Planned, last)) break;
      heap[index] = heap[child] as Planned;
      index = child;
    }
    heap[index] = last;
    return top;
  }
}

function before(one: Planned, other: Planned): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order);
}
