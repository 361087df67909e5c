import type { SlotGuard } from './slot-sender';
import { type KeyChange, KeyNews, type SlotView } from './slot-verdict';

/** What both threads see, in one SharedArrayBuffer of doubles. */
export const SHARED = { poolAheadOfHr: 0, generation: 1, size: 2 } as const;

/** Milliseconds on the clock that all threads of a process share (`performance.now` begins anew in each). */
export function hrNow(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** `performance.now()` of this thread minus `hrNow()`: the tightest of a few readings. */
export function performanceAheadOfHr(): number {
  let best = { width: Infinity, ahead: 0 };
  for (let reading = 0; reading < 10; reading += 1) {
    const before = hrNow();
    const at = performance.now();
    const after = hrNow();
    if (after - before < best.width) best = { width: after - before, ahead: at - (before + after) / 2 };
  }
  return best.ahead;
}

/**
 * What the sending thread knows of the pool: its clock through the mapping that the threads share, and every reason for
 * which a slot may not be used any more.
 */
export class ThreadGuard implements SlotGuard {
  readonly #shared: Float64Array;
  readonly #ownersAheadOfHr: number;
  readonly #hr: () => number;
  readonly #wall: () => number;
  readonly #news = new KeyNews();

  constructor(
    shared: Float64Array,
    /** `performance.now()` of the thread that took the lease minus `hrNow()`. */
    ownersAheadOfHr: number,
    hr: () => number = hrNow,
    wall: () => number = Date.now,
  ) {
    this.#shared = shared;
    this.#ownersAheadOfHr = ownersAheadOfHr;
    this.#hr = hr;
    this.#wall = wall;
  }

  readonly clock = {
    now: (): number => this.#hr() + (this.#shared[SHARED.poolAheadOfHr] ?? NaN),
  };

  keyChanged(change: KeyChange, poolNow: number): void {
    this.#news.note(change, poolNow);
  }

  view(keyId: string): SlotView {
    return {
      generation: this.#shared[SHARED.generation] ?? NaN,
      now: this.clock.now(),
      wallAhead: this.#wall() - (this.#hr() + this.#ownersAheadOfHr),
      news: this.#news.of(keyId),
    };
  }
}
