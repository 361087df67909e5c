import { randomUUID } from 'node:crypto';
import type { Kafka } from 'kafkajs';
import type { Mark } from './erased-people';
import { SUPPRESSIONS_TOPIC } from './kafka-log';

/** Marks as graph-storage tells them (`person-suppressed`, CloudEvents in binary mode), behind those that are there. */
export async function tellSuppressions(
  kafka: Kafka,
  marks: readonly Mark[],
  topic: string = SUPPRESSIONS_TOPIC,
): Promise<void> {
  const producer = kafka.producer({
    idempotent: true,
    maxInFlightRequests: 1,
    allowAutoTopicCreation: false,
  });
  await producer.connect();
  try {
    await producer.send({
      topic,
      acks: -1,
      messages: marks.map(({ workspaceId, network, mark, erasureId, at }) => ({
        key: `${workspaceId}:${network}:${mark}`,
        value: JSON.stringify({ workspaceId, network, mark, erasureId, at }),
        partition: 0,
        headers: {
          ce_specversion: '1.0',
          ce_id: randomUUID(),
          ce_source: 'restore',
          ce_type: 'sociograph.graph.person-suppressed.v1',
          ce_time: new Date(at).toISOString(),
          'content-type': 'application/json',
        },
      })),
    });
  } finally {
    await producer.disconnect();
  }
}
