import { isDomainError } from '@sociograph/kernel';
import type { EventRecord } from '@sociograph/messaging';
import type { Suppressions } from '@sociograph/suppression';
import { rowsOfRecords } from './rows-of-records';
import type { OneAtATime } from './one-at-a-time';
import { stopping, type Pause, type Warehouse } from './warehouse';

/** Waits before the three repeats of a write: exponential from 2 s. */
export const RETRY_WAITS_MS: readonly number[] = [2_000, 4_000, 8_000];

export interface StoreTelemetry {
  /** A write failed and is tried again after that wait. */
  repeated(error: unknown, waitMs: number): void;
  stored(records: number, rows: number): void;
}

/**
 * Writes batches of events. A write that fails is repeated three times. After that, the batch processor behind us halves
 * a batch that was refused until the record to blame stands alone and dead-letters that one; a warehouse that is away it
 * waits for, because then no record is to blame and dead-lettering would move the whole log.
 */
export class StoreEvents {
  /** Records of the batch whose repeats are spent: its halves are tried once each. */
  #spent = new Set<string>();

  constructor(
    private readonly warehouse: Warehouse,
    private readonly known: { suppressions: Suppressions; caughtUp: Promise<void> },
    private readonly turns: OneAtATime,
    private readonly pause: Pause,
    private readonly telemetry: StoreTelemetry,
  ) {}

  async execute(records: readonly EventRecord[]): Promise<void> {
    if (records.length === 0) return;
    await this.known.caughtUp;
    const repeats = records.every((record) => this.#spent.has(placeOf(record))) ? [] : RETRY_WAITS_MS;
    for (const [attempt, waitMs] of [...repeats, undefined].entries()) {
      try {
        await this.turns.run(() => this.#write(records));
        return;
      } catch (error) {
        if (waitMs === undefined) {
          if (attempt > 0) this.#spent = new Set(isRefusal(error) ? records.map(placeOf) : []);
          throw error;
        }
        this.telemetry.repeated(error, waitMs);
        // Not as it comes: what is no server's failure would have the record to blame looked for.
        await this.pause.wait(waitMs).catch(() => Promise.reject(stopping()));
      }
    }
  }

  async #write(records: readonly EventRecord[]): Promise<void> {
    const batch = rowsOfRecords(records);
    for (const { scope, people, posts } of batch.removals) {
      if (people.length > 0) await this.warehouse.erase(scope, people);
      if (posts.length > 0) await this.warehouse.removePosts(scope, posts);
    }
    const rows = batch.remaining(this.known.suppressions);
    if (rows.size > 0) await this.warehouse.write(rows);
    this.telemetry.stored(
      records.length,
      [...rows.values()].reduce((sum, { length }) => sum + length, 0),
    );
  }
}

function isRefusal(error: unknown): boolean {
  return !isDomainError(error) || error.kind !== 'unavailable';
}

function placeOf({ topic, partition, offset }: EventRecord): string {
  return `${topic}/${partition}/${offset}`;
}
