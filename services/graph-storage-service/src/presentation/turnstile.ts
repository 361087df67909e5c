/** How long a waiting batch is silent before it says that it is still there. */
const HEARTBEAT_MS = 1_000;

/** Lets a few batches through at a time; the others wait in order and keep their membership meanwhile. */
export class Turnstile {
  readonly #queue: (() => void)[] = [];
  #inside = 0;

  constructor(
    private readonly places: number,
    private readonly onWaiting: (count: number) => void = () => undefined,
  ) {}

  async pass<R>(work: () => Promise<R>, heartbeat: () => Promise<void>): Promise<R> {
    if (this.#inside < this.places) this.#inside += 1;
    else await this.#turn(heartbeat);
    try {
      return await work();
    } finally {
      this.#leave();
    }
  }

  async #turn(heartbeat: () => Promise<void>): Promise<void> {
    let arrived = false;
    let enter!: () => void;
    const turn = new Promise<void>((resolve) => {
      enter = () => {
        arrived = true;
        resolve();
      };
    });
    this.#queue.push(enter);
    this.onWaiting(this.#queue.length);
    let beat: NodeJS.Timeout | undefined;
    const lost = new Promise<never>((_, reject) => {
      beat = setInterval(() => void heartbeat().catch(reject), HEARTBEAT_MS);
    });
    try {
      await Promise.race([turn, lost]);
    } catch (error) {
      if (arrived) this.#leave();
      else this.#queue.splice(this.#queue.indexOf(enter), 1);
      throw error;
    } finally {
      clearInterval(beat);
      this.onWaiting(this.#queue.length);
    }
  }

  /** The place goes to whoever waits longest. */
  #leave(): void {
    const next = this.#queue.shift();
    if (next) next();
    else this.#inside -= 1;
  }
}
