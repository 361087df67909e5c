import { friendListObserved, TOPICS, userObserved } from '@sociograph/contracts';
import { DomainError } from '@sociograph/kernel';
import { isEvent, replayTopic, type EventRecord } from '@sociograph/messaging';
import type { Kafka } from 'kafkajs';
import { ImportLog, type ImportSightings } from '../domain/export-ports';

/** How far the clocks of whoever made the import's id and of whoever wrote the records may be apart. */
const CLOCKS_MS = 60_000;

export interface KafkaImportLogOptions {
  kafka: Kafka;
  /** First part of the reader's group name; access rights are given by it. */
  reader: string;
  replay?: typeof replayTopic;
}

/**
 * Reads the logs of profiles and friend lists from the import's beginning to their ends, so what it costs depends on
 * what was observed since then. What retention took (14 days) is not found any more.
 */
export class KafkaImportLog extends ImportLog {
  constructor(private readonly options: KafkaImportLogOptions) {
    super();
  }

  async sightings(
    { workspaceId, network, importId }: { workspaceId: string; network: string; importId: string },
    signal: AbortSignal,
  ): Promise<ImportSightings> {
    const [people, lists] = [new Set<string>(), new Set<string>()];
    const note = (record: EventRecord): void => {
      if (!isEvent(record, userObserved) && !isEvent(record, friendListObserved)) return;
      const { value } = record;
      const ours = value.workspaceId === workspaceId && value.network === network;
      if (!ours || value.source.importId !== importId) return;
      if (isEvent(record, userObserved)) people.add(value.userId);
      else lists.add(value.userId);
    };
    const { kafka, reader, replay = replayTopic } = this.options;
    const begin = beginOf(importId);
    for (const topic of [TOPICS.users, TOPICS.friendLists]) {
      signal.throwIfAborted();
      await replay({
        kafka,
        topic,
        from: begin === undefined ? 'earliest' : { [topic.name]: await this.#offsetsAt(topic.name, begin) },
        to: 'end',
        reader,
        onBatch: async ({ records }) => {
          signal.throwIfAborted();
          records.forEach(note);
        },
      });
    }
    return { people, lists };
  }

  async #offsetsAt(topic: string, ms: number): Promise<Record<string, number>> {
    const admin = this.options.kafka.admin();
    try {
      await admin.connect();
      const offsets = await admin.fetchTopicOffsetsByTimestamp(topic, ms);
      return Object.fromEntries(
        offsets
          .filter(({ offset }) => Number(offset) >= 0)
          .map(({ partition, offset }) => [String(partition), Number(offset)]),
      );
    } catch (cause) {
      throw new DomainError({
        code: 'KAFKA.UNAVAILABLE',
        kind: 'unavailable',
        message: 'The event log cannot be read right now.',
        cause,
      });
    } finally {
      await admin.disconnect().catch(() => undefined);
    }
  }
}

/** When the id was made, less what clocks differ: ours are UUIDs of version 7 (RFC 9562), which begin with the time. */
function beginOf(importId: string): number | undefined {
  const hex = importId.replaceAll('-', '');
  return hex[12] === '7' ? Math.max(0, Number.parseInt(hex.slice(0, 12), 16) - CLOCKS_MS) : undefined;
}
