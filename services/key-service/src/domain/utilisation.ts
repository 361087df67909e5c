const BUCKET_MS = 1_000;
const BUCKETS = 60;

/** Calls of the last minute in buckets of a second each. Times in milliseconds of any one clock. */
export class Utilisation {
  readonly #calls = new Array<number>(BUCKETS).fill(0);
  readonly #second = new Array<number>(BUCKETS).fill(-1);

  add(calls: number, now: number): void {
    const second = Math.floor(now / BUCKET_MS);
    const at = second % BUCKETS;
    if (!(at >= 0)) return;
    if (this.#second[at] !== second) this.#calls[at] = 0;
    this.#second[at] = second;
    this.#calls[at] = (this.#calls[at] ?? 0) + calls;
  }

  /** Calls of the 59 whole seconds before this one over what `perMs` allows in that time; 0 where nothing is allowed. */
  share(perMs: number, now: number): number {
    const present = Math.floor(now / BUCKET_MS);
    let calls = 0;
    for (let at = 0; at < BUCKETS; at += 1) {
      const second = this.#second[at] as number;
      if (second >= 0 && second < present && second > present - BUCKETS) calls += this.#calls[at] as number;
    }
    const allowed = perMs * BUCKET_MS * (BUCKETS - 1);
    return allowed > 0 ? calls / allowed : 0;
  }
}
