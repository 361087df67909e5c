/**
 * Finds the first completed unit of work after a moment, from a counter that is looked at again and again. `base` is what
 * the counter had at that moment; without one its first answer is. A counter that falls began anew with its process.
 */
export class FirstWork {
  #base: number | undefined;

  constructor(base?: number) {
    this.#base = base;
  }

  /** True when this count shows a unit completed since; undefined is no answer. */
  saw(count: number | undefined): boolean {
    if (count === undefined) return false;
    if (this.#base === undefined) this.#base = count;
    else if (count < this.#base) this.#base = 0;
    return count > this.#base;
  }
}
