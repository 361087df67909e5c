import { inputMarked, TOPICS, vertexChanged } from '@sociograph/contracts';
import type { EventRecord } from '@sociograph/messaging';
import { inputPositionsOf, isEvent, tailTopic } from '@sociograph/messaging';
import type { Logger } from '@sociograph/observability';
import type { Kafka } from 'kafkajs';
import type { ChangeRecord, Following } from '../projections/ports';
import { ChangeLog } from '../projections/ports';

/** graph.changes from its first record on, in a reader group of this instance alone that commits nothing. */
export class KafkaChangeLog extends ChangeLog {
  constructor(
    private readonly kafka: Kafka,
    private readonly reader: string,
    private readonly logger: Logger,
    private readonly onProgress: () => void = () => undefined,
  ) {
    super();
  }

  async follow(take: (record: ChangeRecord) => void, caughtUp: () => void): Promise<Following> {
    const tail = tailTopic({
      kafka: this.kafka,
      topic: TOPICS.graphChanges,
      fromBeginning: true,
      reader: this.reader,
      logger: this.logger,
      onProgress: this.onProgress,
      onRecord: (record) => take(changeOf(record)),
    });
    void tail.caughtUp.then(caughtUp);
    return { stop: () => tail.stop() };
  }
}

/** What a record of graph.changes says; a marker says only how far the input is done. */
export function changeOf(record: EventRecord): ChangeRecord {
  const source = inputPositionsOf(record);
  const at = { partition: record.partition, offset: record.offset, ...(source === undefined ? {} : { source }) };
  if (isEvent(record, vertexChanged)) return { ...at, change: record.value };
  if (record.value === null && record.message !== inputMarked) return { ...at, erased: record.key };
  return at;
}
