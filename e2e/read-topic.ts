import { randomUUID } from 'node:crypto';
import { Kafka, logLevel } from 'kafkajs';
import { fromStack } from './fleet';

export interface ReadRecord {
  key: string;
  value: string;
  headers: Record<string, string>;
}

/** The broker of the test stack as its super user. */
export function kafka(): Kafka {
  return new Kafka({
    clientId: 'e2e',
    brokers: fromStack('KAFKA_BROKERS').split(','),
    logLevel: logLevel.NOTHING,
    sasl: {
      mechanism: 'scram-sha-512',
      username: fromStack('ADMIN_KAFKA_USERNAME'),
      password: fromStack('ADMIN_KAFKA_PASSWORD'),
    },
  });
}

/** Everything that a topic holds at this moment. */
export async function readWholeTopic(topic: string): Promise<ReadRecord[]> {
  const client = kafka();
  const admin = client.admin();
  await admin.connect();
  const ends = await admin.fetchTopicOffsets(topic);
  await admin.disconnect();
  const missing = new Map(
    ends.filter((end) => Number(end.high) > Number(end.low)).map((end) => [end.partition, Number(end.high)]),
  );
  const records: ReadRecord[] = [];
  if (missing.size === 0) return records;

  const consumer = client.consumer({ groupId: `e2e-${randomUUID()}`, maxWaitTimeInMs: 100 });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await new Promise<void>((done, fail) => {
    consumer.on(consumer.events.CRASH, ({ payload }) => fail(payload.error));
    consumer
      .run({
        eachBatch: ({ batch }) => {
          for (const { key, value, headers } of batch.messages) {
            records.push({
              key: key?.toString() ?? '',
              value: value?.toString() ?? '',
              headers: Object.fromEntries(
                Object.entries(headers ?? {}).map(([name, content]) => [name, String(content)]),
              ),
            });
          }
          if (Number(batch.lastOffset()) + 1 >= (missing.get(batch.partition) ?? 0))
            missing.delete(batch.partition);
          if (missing.size === 0) done();
          return Promise.resolve();
        },
      })
      .catch(fail);
  });
  await consumer.disconnect();
  return records;
}
