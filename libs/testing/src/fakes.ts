import { Clock, Ids, Randomness } from '@sociograph/kernel';

/** A clock that moves only when told; both of its hands move together, unless the wall clock is made to jump. */
export class FakeClock extends Clock {
  #wallMs: number;
  #monotonicMs = 0;

  constructor(startMs = 1_795_000_000_000) {
    super();
    this.#wallMs = startMs;
  }

  nowMs(): number {
    return this.#wallMs;
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  advance(ms: number): void {
    this.#wallMs += ms;
    this.#monotonicMs += ms;
  }

  /** The wall clock is set (NTP, an operator); time itself goes on as before. */
  jumpWallClock(ms: number): void {
    this.#wallMs += ms;
  }
}

export function fakeClock(startMs?: number): FakeClock {
  return new FakeClock(startMs);
}

/** `<prefix>-1`, `<prefix>-2`, ... */
export function sequentialIds(prefix = 'id'): Ids {
  return new SequentialIds(prefix);
}

class SequentialIds extends Ids {
  #last = 0;

  constructor(private readonly prefix: string) {
    super();
  }

  next(): string {
    this.#last += 1;
    return `${this.prefix}-${this.#last}`;
  }
}

/** Chance that repeats: the same seed gives the same sequence (mulberry32). */
export function seeded(seed: number): SeededRandomness {
  return new SeededRandomness(seed);
}

/** The same sequence for whoever takes chance as a function. */
export function seededChance(seed: number): () => number {
  const chance = seeded(seed);
  return () => chance.next();
}

export class SeededRandomness extends Randomness {
  #state: number;

  constructor(seed: number) {
    super();
    this.#state = seed | 0;
  }

  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** A whole number from 0 to `bound` - 1. */
  below(bound: number): number {
    return Math.floor(this.next() * bound);
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new Error('nothing to pick from');
    return item;
  }

  /** The same items in another order; the argument stays as it is. */
  shuffle<T>(items: readonly T[]): T[] {
    const order = [...items];
    for (let last = order.length - 1; last > 0; last -= 1) {
      const other = this.below(last + 1);
      [order[last], order[other]] = [order[other] as T, order[last] as T];
    }
    return order;
  }
}
