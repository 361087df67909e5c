import { createHash } from 'node:crypto';

/** Statements that one process prepares; what comes after them is planned each time. Services have some dozens. */
export const MOST_NAMES = 200;
const NAME_LENGTH = 16;

/**
 * Names for statements that come again. PostgreSQL parses a named statement once a connection, and from its sixth time on
 * plans it no more: under load planning took a millisecond of each. A text that is met once stays without a name, and so
 * does all that comes after the first `MOST_NAMES`: texts that are put together must not fill the server's memory.
 */
export class StatementNames {
  readonly #names = new Map<string, string>();
  /** Texts that were met once. */
  #seen = new Set<string>();
  #edition = 0;

  /** The name of a text that was met before; the same for every connection. */
  nameOf(text: string): string | undefined {
    const known = this.#names.get(text);
    if (known !== undefined || this.#names.size >= MOST_NAMES) return known;
    if (!this.#seen.delete(text)) {
      if (this.#seen.size >= MOST_NAMES) this.#seen = new Set();
      this.#seen.add(text);
      return undefined;
    }
    const name = `s${this.#edition}_${createHash('sha256').update(text).digest('hex').slice(0, NAME_LENGTH)}`;
    this.#names.set(text, name);
    return name;
  }

  /** Every text gets another name: what connections prepared under the old ones does not count any more. */
  renew(): void {
    this.#edition += 1;
    this.#seen = new Set([...this.#seen, ...this.#names.keys()]);
    this.#names.clear();
  }
}
