import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { EachBatchPayload, IHeaders, KafkaMessage } from 'kafkajs';
import type { KafkaConnection, TopicSpec } from '../servers/kafka-admin';
import { boundsOf, isCompacted, kafkaOf, type RecordLine } from './kafka-log';
import { LinesFile } from './lines-file';
import type { PartitionBounds } from './manifest';

/** After so long without a record the end of a compacted topic is taken for gone: compaction took its last records. */
const QUIET_MS = 10_000;
/** Answers of the broker that must have come meanwhile: silence of a broker that is away says nothing. */
const QUIET_ANSWERS = 8;
/** A topic that keeps its records must give them. */
const STUCK_MS = 60_000;

/**
 * Writes what stands in these topics now, each into `<topic>.jsonl.gz` with the offsets that the records have; a topic
 * without records has no file. Answers where the partitions began and ended.
 */
export async function dumpTopics(
  connection: KafkaConnection,
  topics: readonly Pick<TopicSpec, 'name' | 'config'>[],
  folder: string,
): Promise<Record<string, PartitionBounds[]>> {
  const kafka = kafkaOf(connection);
  const bounds = await boundsOf(
    kafka,
    topics.map(({ name }) => name),
  );
  const compacted = new Set(topics.filter(isCompacted).map(({ name }) => name));
  const open = new Map<string, number>();
  for (const [topic, partitions] of Object.entries(bounds))
    for (const { partition, low, high } of partitions)
      if (low < high) open.set(`${topic} ${partition}`, high);
  const wanted = [...new Set([...open.keys()].map((place) => place.split(' ')[0] as string))];
  if (wanted.length === 0) return bounds;

  const next = new Map<string, number>();
  const files = new Map(wanted.map((topic) => [topic, new LinesFile(join(folder, `${topic}.jsonl.gz`))]));
  const groupId = `backup.reader.${randomUUID()}`;
  const consumer = kafka.consumer({
    groupId,
    sessionTimeout: 10_000,
    heartbeatInterval: 1_000,
    maxWaitTimeInMs: 250,
    maxBytes: 8 * 1024 * 1024,
    allowAutoTopicCreation: false,
  });
  let timer: NodeJS.Timeout | undefined;
  let heardAt = performance.now();
  let answers = 0;
  const read = async ({ batch, heartbeat, resolveOffset }: EachBatchPayload): Promise<void> => {
    const place = `${batch.topic} ${batch.partition}`;
    const end = open.get(place);
    if (end === undefined) return;
    for (const [at, message] of batch.messages.entries()) {
      const offset = Number(message.offset);
      // A member that had to join again begins anew: what stands in the file already is passed over.
      if (offset < end && offset >= (next.get(place) ?? 0)) {
        await files.get(batch.topic)?.write(lineOf(batch.partition, message));
        next.set(place, offset + 1);
      }
      if (at % 500 === 499) await heartbeat();
    }
    resolveOffset(batch.lastOffset());
    heardAt = performance.now();
    answers = 0;
    if (Number(batch.lastOffset()) + 1 < end) return;
    open.delete(place);
    consumer.pause([{ topic: batch.topic, partitions: [batch.partition] }]);
  };

  try {
    await consumer.connect();
    await consumer.subscribe({ topics: wanted, fromBeginning: true });
    await new Promise<void>((resolve, reject) => {
      consumer.on(consumer.events.CRASH, ({ payload }) => {
        if (!payload.restart) reject(payload.error);
      });
      consumer.on(consumer.events.REQUEST, ({ payload }) => {
        if (payload.apiName === 'Fetch') answers += 1;
      });
      timer = setInterval(() => {
        const silentMs = performance.now() - heardAt;
        const rest = [...open.keys()].map((place) => place.split(' ')[0] as string);
        const gone =
          silentMs > QUIET_MS && answers >= QUIET_ANSWERS && rest.every((name) => compacted.has(name));
        if (rest.length === 0 || gone) resolve();
        else if (silentMs > STUCK_MS)
          reject(new Error(`Kafka does not give the records of ${rest.join(', ')}`));
      }, 100);
      consumer.run({ autoCommit: false, eachBatchAutoResolve: false, eachBatch: read }).catch(reject);
    });
  } finally {
    clearInterval(timer);
    await consumer.disconnect();
    await forget(kafka.admin(), groupId);
  }
  for (const file of files.values()) await file.close();
  return bounds;
}

function lineOf(partition: number, { offset, timestamp, key, value, headers }: KafkaMessage): RecordLine {
  const named = pairsOf(headers);
  return {
    p: partition,
    o: Number(offset),
    t: timestamp,
    k: key?.toString('base64') ?? null,
    v: value?.toString('base64') ?? null,
    ...(named.length > 0 && { h: named }),
  };
}

function pairsOf(headers: IHeaders | undefined): [string, string][] {
  return Object.entries(headers ?? {}).flatMap(([name, values]) =>
    [values ?? []].flat().map((value): [string, string] => [name, Buffer.from(value).toString('base64')]),
  );
}

/** The group was of this one reading; Kafka would forget it by itself after some days. */
async function forget(
  admin: {
    connect(): Promise<void>;
    disconnect(): Promise<void>;
    deleteGroups(ids: string[]): Promise<unknown>;
  },
  groupId: string,
): Promise<void> {
  try {
    await admin.connect();
    await admin.deleteGroups([groupId]);
  } catch {
    // Still known for some days then, without a member.
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}
