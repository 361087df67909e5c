import type { Logger } from '@sociograph/observability';
import type { Kafka } from 'kafkajs';
import { backoffMs, pause } from './backoff';
import { nameOf, type EventRecord, type ParsedRecord, type TopicRef } from './event-record';
import { batchFateOf, describeFailure } from './fate';
import { LogReader, logBounds } from './log-reader';

export interface TailOptions {
  kafka: Kafka;
  topic: TopicRef;
  /** True: all that is kept, then what comes. False: only what comes after the start. */
  fromBeginning: boolean;
  /** Next offset by partition; others begin as `fromBeginning` says. What is no longer kept is passed over. */
  from?: ReadonlyMap<number, number>;
  /** One record at a time, in offset order per partition. An unreachable server is waited for; after any other failure the record is skipped. */
  onRecord(record: EventRecord): Promise<void> | void;
  logger: Logger;
  /** First part of the reader's group name; access rights are given by it. */
  reader?: string;
  onProgress?: () => void;
  /** After each batch: how many records of its partition were beyond it when it was read. */
  onLag?: (partition: number, records: number) => void;
}

export interface Tail {
  /** Resolves when all that was in the topic at the start has been delivered. */
  readonly caughtUp: Promise<void>;
  stop(): Promise<void>;
}

/**
 * Follows a topic without group and without committing: every process sees every record. It starts in the
 * background and begins again where it was when Kafka comes back.
 */
export function tailTopic(options: TailOptions): Tail {
  const stopping = new AbortController();
  let stopCurrent: () => Promise<void> = async () => undefined;
  let onCaughtUp: () => void = () => undefined;
  const caughtUp = new Promise<void>((resolve) => (onCaughtUp = resolve));
  const next = new Map<number, number>();
  const targets = new Map<number, number>();

  const noteProgress = (): void => {
    if ([...targets].every(([partition, target]) => (next.get(partition) ?? 0) >= target)) onCaughtUp();
  };

  const deliver = async (partition: number, items: ParsedRecord[]): Promise<void> => {
    for (const item of items) {
      if (stopping.signal.aborted) return;
      if (item.offset < (next.get(partition) ?? 0)) continue;
      if (item.kind === 'event') await deliverOne(options, item.record, stopping.signal);
      else
        options.logger.warn(
          { code: item.rejected.code, topic: item.topic, offset: item.offset },
          'a record is skipped',
        );
      if (stopping.signal.aborted) return;
      next.set(partition, item.offset + 1);
    }
    noteProgress();
  };

  const once = async (): Promise<void> => {
    const bounds = await logBounds(options.kafka, nameOf(options.topic));
    if (stopping.signal.aborted) return;
    if (next.size === 0) {
      for (const { partition, low, high } of bounds) {
        const begin = options.fromBeginning ? low : high;
        next.set(partition, Math.max(low, options.from?.get(partition) ?? begin));
        targets.set(partition, high);
      }
      noteProgress();
    }
    await new Promise<void>((resolve, reject) => {
      const reader = new LogReader({
        kafka: options.kafka,
        topic: options.topic,
        reader: options.reader ?? 'sociograph',
        onRecords: deliver,
        onRefused: reject,
        onLost: reject,
        // Offsets below a target may be gone: compaction took them, or they are markers of transactions.
        onQuiet: onCaughtUp,
        ...(options.onProgress === undefined ? {} : { onFetch: options.onProgress }),
        ...(options.onLag === undefined ? {} : { onLag: options.onLag }),
      });
      stopCurrent = async () => {
        await reader.stop();
        resolve();
      };
      reader.start(next).catch(reject);
    });
  };

  const running = (async () => {
    for (let attempt = 1; !stopping.signal.aborted; attempt += 1) {
      try {
        await once();
      } catch (error) {
        options.logger.warn(
          { ...describeFailure(error), topic: nameOf(options.topic) },
          'the tail begins again',
        );
        await stopCurrent();
        await pause(backoffMs(Math.min(attempt, 5), 200, 2_000), stopping.signal);
      }
    }
  })();

  return {
    caughtUp,
    async stop() {
      stopping.abort();
      await stopCurrent();
      await running;
    },
  };
}

async function deliverOne(options: TailOptions, record: EventRecord, signal: AbortSignal): Promise<void> {
  for (let attempt = 1; !signal.aborted; attempt += 1) {
    try {
      await options.onRecord(record);
      return;
    } catch (error) {
      const fields = { ...describeFailure(error), topic: record.topic, offset: record.offset, attempt };
      if (batchFateOf(error) === 'poison') {
        options.logger.error({ ...fields, err: error }, 'a record cannot be processed and is skipped');
        return;
      }
      options.logger.warn(fields, 'a record is tried again');
      await pause(backoffMs(attempt), signal);
    }
  }
}
