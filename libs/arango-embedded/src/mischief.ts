import type { TestModeConfig } from './config';

/**
 * Test mode: unordered results come shuffled and some writes answer a conflict, so that code which is right by
 * luck fails. Deterministic from the seed as long as requests come in the same order.
 */
export class Mischief {
  #state: number;

  constructor(private readonly config: TestModeConfig | undefined) {
    this.#state = (config?.seed ?? 0) >>> 0;
  }

  get on(): boolean {
    return this.config !== undefined;
  }

  /** True when this write shall answer 1200. */
  conflict(): boolean {
    return (
      this.config !== undefined && this.config.conflictRate > 0 && this.#next() < this.config.conflictRate
    );
  }

  /** The same elements in another order; the very array when test mode is off. */
  shuffled<T>(items: T[]): T[] {
    if (this.config === undefined) return items;
    for (let i = items.length - 1; i > 0; i--) {
      const j = Math.floor(this.#next() * (i + 1));
      [items[i], items[j]] = [items[j] as T, items[i] as T];
    }
    return items;
  }

  /** Mulberry32: small, seeded, good enough to shuffle. */
  #next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }
}
