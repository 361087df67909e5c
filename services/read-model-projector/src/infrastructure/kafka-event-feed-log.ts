import { type EventRecord, logBounds, replayTopic, tailTopic } from '@sociograph/messaging';
import type { Logger } from '@sociograph/observability';
import type { Kafka } from 'kafkajs';
import { EventFeedLog, type FeedRecord, type Offsets } from '../projections/event-feed';

/** Thrown out of a replay that has given enough. */
const ENOUGH = new Error('enough was read');

/** The feed's topics in reader groups of their own, one for each topic of each reader, which commit nothing. */
export class KafkaEventFeedLog extends EventFeedLog {
  constructor(private readonly options: { kafka: Kafka; reader: string; logger: Logger }) {
    super();
  }

  bounds(topic: string): Promise<{ partition: number; low: number; high: number }[]> {
    return logBounds(this.options.kafka, topic);
  }

  async read(
    topic: string,
    from: Offsets,
    to: Offsets,
    take: (record: FeedRecord) => boolean,
  ): Promise<void> {
    const { kafka, reader } = this.options;
    try {
      await replayTopic({
        ...{ kafka, reader, topic, from: { [topic]: from }, to: { [topic]: to } },
        onBatch: async ({ records }) => {
          for (const record of records) if (!take(recordOf(record))) throw ENOUGH;
        },
      });
    } catch (error) {
      if (error !== ENOUGH) throw error;
    }
  }

  follow(
    topic: string,
    from: Offsets,
    take: (record: FeedRecord) => Promise<void>,
  ): { stop(): Promise<void> } {
    const offsets = new Map(Object.entries(from).map(([partition, offset]) => [Number(partition), offset]));
    return tailTopic({
      ...{ ...this.options, topic, from: offsets, fromBeginning: false },
      onRecord: (record) => take(recordOf(record)),
    });
  }
}

function recordOf(record: EventRecord): FeedRecord {
  const { topic, partition, offset, message, value, id, source, timestampMs } = record;
  return { topic, partition, offset, message, value, id, source, timestampMs };
}
