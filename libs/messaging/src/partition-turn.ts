import type { BatchTurn } from './batch-processor';

/** Answers of the coordinator after which this member no longer owns its partitions. */
const LOST = new Set([
  'REBALANCE_IN_PROGRESS',
  'ILLEGAL_GENERATION',
  'UNKNOWN_MEMBER_ID',
  'NOT_COORDINATOR_FOR_GROUP',
]);

/**
 * The time between two fetches, during which a member must go on sending heartbeats. A heartbeat that says the
 * partitions are gone aborts the turn; one that fails otherwise does not: the commit will tell.
 */
export class PartitionTurn implements BatchTurn {
  readonly #abort = new AbortController();
  readonly #beat: () => Promise<void>;
  readonly #timer: NodeJS.Timeout;
  readonly #closing: AbortSignal;
  readonly #onClosing = (): void => this.#abort.abort();
  /** What the coordinator said when it took the partitions away. */
  lost: unknown;

  constructor(beat: (() => Promise<void>) | undefined, everyMs: number, closing: AbortSignal) {
    this.#beat = beat ?? (async () => undefined);
    this.#closing = closing;
    this.#timer = setInterval(() => void this.#try(), everyMs);
    if (closing.aborted) this.#abort.abort();
    closing.addEventListener('abort', this.#onClosing, { once: true });
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  readonly heartbeat = async (): Promise<void> => {
    await this.#try();
    if (this.lost !== undefined) throw this.lost;
  };

  end(): void {
    clearInterval(this.#timer);
    this.#closing.removeEventListener('abort', this.#onClosing);
  }

  async #try(): Promise<void> {
    try {
      await this.#beat();
    } catch (error) {
      if (!LOST.has(String((error as { type?: unknown }).type))) return;
      this.lost ??= error;
      this.#abort.abort();
    }
  }
}
