import { EVENT_HEADERS } from '@sociograph/contracts';
import type { EventRecord } from '@sociograph/messaging';

type Traced = Pick<EventRecord, 'key' | 'headers' | 'trace'>;

interface Noted {
  byKey: ReadonlyMap<string, string>;
  /** A kept one, where there is any. */
  any: string;
}

/**
 * In which trace each change goes on: that of the observation it follows from. Batches of several partitions are stored
 * together, in the span of one of them, so the work at hand does not tell. One batch of a partition is under way at a time.
 */
export class TracesOfChanges {
  readonly #noted = new Map<number, Noted>();

  /** Until the returned function is called, `of` and `any` answer for this batch. */
  note(partition: number, records: readonly Traced[]): () => void {
    const byKey = new Map<string, string>();
    let any = '';
    for (const { key, headers, trace } of records) {
      const traceparent = trace ?? headers[EVENT_HEADERS.traceparent];
      // Of several looks at one vertex, which end in one change, a kept trace goes on.
      if (traceparent !== undefined && (trace !== undefined || !byKey.has(key))) byKey.set(key, traceparent);
      any ||= trace ?? '';
    }
    const noted = { byKey, any };
    this.#noted.set(partition, noted);
    return () => {
      if (this.#noted.get(partition) === noted) this.#noted.delete(partition);
    };
  }

  /** `traceparent` for the change of the vertex with this record key; empty where it has none. */
  of(partition: number, key: string): string {
    return this.#noted.get(partition)?.byKey.get(key) ?? '';
  }

  /** A kept one of the batch's, for a record that stands for all of it; empty where none is kept. */
  any(partition: number): string {
    return this.#noted.get(partition)?.any ?? '';
  }
}
