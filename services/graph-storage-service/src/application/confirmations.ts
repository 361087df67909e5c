import type { Confirmation } from '../domain/person';

/** About 15 MB at most. */
const CAPACITY = 100_000;

/**
 * Newest stamps of observations that changed nothing. They are not written (an unchanged list costs no write) but
 * still decide that an older, different list arriving later is late. Lost when the process ends: see the README.
 */
export class Confirmations {
  readonly #known = new Map<string, Confirmation>();

  constructor(private readonly capacity = CAPACITY) {}

  of(key: string): Confirmation {
    return this.#known.get(key) ?? {};
  }

  /** The least recently confirmed person is forgotten when there is no room. */
  remember(key: string, confirmation: Confirmation): void {
    this.#known.delete(key);
    this.#known.set(key, confirmation);
    if (this.#known.size <= this.capacity) return;
    const [oldest] = this.#known.keys();
    if (oldest !== undefined) this.#known.delete(oldest);
  }

  /** What is stored now says it itself. */
  forget(key: string): void {
    this.#known.delete(key);
  }
}
