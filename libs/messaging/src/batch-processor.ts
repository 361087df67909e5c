import { mergePositions, type Positions } from '@sociograph/contracts';
import type { Logger } from '@sociograph/observability';
import { backoffMs, pause } from './backoff';
import type { EventRecord, ParsedRecord, RejectedRecord } from './event-record';
import { batchFateOf, describeFailure } from './fate';
import type { DeadLetters } from './kafka-dead-letters';

/** Records of ONE partition number across the co-partitioned topics, in offset order per topic. */
export interface EventBatch {
  partition: number;
  /** Parsed and validated; empty when all that arrived was dead-lettered. */
  records: EventRecord[];
  /** Everything below these offsets of this partition is in this or an earlier batch. */
  positions: Positions;
  /** What was written to the dead-letter topics instead: it counts as passed. */
  deadLettered: RejectedRecord[];
  /** Keeps the membership during long work; throws when the partition was taken away, then stop working. */
  heartbeat(): Promise<void>;
}

export type BatchFn = (batch: EventBatch) => Promise<void>;

export interface BatchProcessorOptions {
  handle: BatchFn;
  deadLetters: DeadLetters;
  logger: Logger;
  /** Called before each try of the handler; for a watchdog. */
  onTry?: () => void;
}

/** One piece of work: records and rejects of one partition number, and where it ends. */
export interface BatchPart {
  partition: number;
  items: ParsedRecord[];
  /** Ends of the fetched batches: may lie beyond the last item where the log was compacted. */
  end: Positions;
}

export interface BatchTurn {
  heartbeat(): Promise<void>;
  /** Aborts when the partition is taken away or the process ends. */
  signal: AbortSignal;
}

/**
 * Brings one part through the handler. A failure of a server is waited for; any other failure halves the part
 * until the record to blame stands alone, and that one is dead-lettered. Order is kept throughout.
 */
export class BatchProcessor {
  readonly #options: BatchProcessorOptions;

  constructor(options: BatchProcessorOptions) {
    this.#options = options;
  }

  /** True when all of the part is done; false when the turn was aborted before that: then commit nothing of it. */
  async process(part: BatchPart, turn: BatchTurn): Promise<boolean> {
    const rejected = rejectedOf(part.items);
    if (!(await this.#deadLetter(rejected, turn))) return false;
    return this.#handle(part, turn);
  }

  async #handle(part: BatchPart, turn: BatchTurn): Promise<boolean> {
    const records = part.items.flatMap((item) => (item.kind === 'event' ? [item.record] : []));
    const batch: EventBatch = {
      partition: part.partition,
      records,
      positions: positionsOf(part),
      deadLettered: rejectedOf(part.items),
      heartbeat: turn.heartbeat,
    };
    for (let attempt = 1; ; attempt += 1) {
      if (turn.signal.aborted) return false;
      try {
        this.#options.onTry?.();
        await this.#options.handle(batch);
        return true;
      } catch (error) {
        if (turn.signal.aborted) return false;
        // Without a record there is nothing to blame: the handler is tried again like an unreachable server.
        if (batchFateOf(error) === 'poison' && records.length > 0) return this.#isolate(part, error, turn);
        const fields = {
          ...describeFailure(error),
          partition: part.partition,
          records: records.length,
          attempt,
        };
        this.#options.logger.warn(fields, 'a batch is tried again');
        await pause(backoffMs(attempt), turn.signal);
      }
    }
  }

  async #isolate(part: BatchPart, error: unknown, turn: BatchTurn): Promise<boolean> {
    const events = part.items.flatMap((item, index) => (item.kind === 'event' ? [{ item, index }] : []));
    const first = events[0];
    if (events.length === 1 && first !== undefined) {
      const blamed = rejectedFor(first.item.record, first.item.raw, error);
      this.#options.logger.error(
        {
          code: blamed.code,
          topic: blamed.topic,
          partition: blamed.partition,
          offset: blamed.offset,
          err: error,
        },
        'a record cannot be processed and is dead-lettered',
      );
      if (!(await this.#deadLetter([blamed], turn))) return false;
      const items = [...part.items];
      items[first.index] = { kind: 'rejected', topic: blamed.topic, offset: blamed.offset, rejected: blamed };
      return this.#handle({ ...part, items }, turn);
    }
    const middle = events[Math.floor(events.length / 2)]?.index ?? 1;
    const left = { partition: part.partition, items: part.items.slice(0, middle), end: {} };
    const right = { ...part, items: part.items.slice(middle) };
    return (await this.#handle(left, turn)) && (await this.#handle(right, turn));
  }

  async #deadLetter(rejected: readonly RejectedRecord[], turn: BatchTurn): Promise<boolean> {
    if (rejected.length === 0) return true;
    for (let attempt = 1; ; attempt += 1) {
      if (turn.signal.aborted) return false;
      try {
        await this.#options.deadLetters.add(rejected);
        return true;
      } catch (error) {
        this.#options.logger.warn(
          { ...describeFailure(error), records: rejected.length, attempt },
          'dead letters cannot be written yet',
        );
        await pause(backoffMs(attempt), turn.signal);
      }
    }
  }
}

function rejectedOf(items: readonly ParsedRecord[]): RejectedRecord[] {
  return items.flatMap((item) => (item.kind === 'rejected' ? [item.rejected] : []));
}

function positionsOf({ items, partition, end }: BatchPart): Positions {
  const reached: Positions = {};
  for (const { topic, offset } of items) {
    reached[topic] = { [String(partition)]: Math.max(reached[topic]?.[String(partition)] ?? 0, offset + 1) };
  }
  return mergePositions(reached, end);
}

function rejectedFor(record: EventRecord, raw: RejectedRecord['raw'], error: unknown): RejectedRecord {
  const { topic, partition, offset, key } = record;
  return { topic, partition, offset, key, raw, ...describeFailure(error) };
}
