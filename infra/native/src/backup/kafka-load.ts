import { randomUUID } from 'node:crypto';
import type { Kafka, Message, Producer } from 'kafkajs';
import { PlainFault } from '../servers/server';
import { CHANGES_TOPIC, type RecordLine } from './kafka-log';
import { readLines } from './lines-file';
import type { PartitionBounds } from './manifest';

export interface TopicCopy {
  readonly topic: string;
  readonly compacted: boolean;
  /** Undefined where no record was kept: the partitions then only get their length. */
  readonly file: string | undefined;
  readonly bounds: readonly PartitionBounds[];
}

const MOST_RECORDS = 10_000;
const MOST_BYTES = 400_000;

/**
 * Writes records into an empty topic so that each has the OFFSET that it had: imports, headers of graph.changes, committed
 * offsets and tokens of readers name offsets. Where compaction or retention took records, fillers stand in for them, which
 * every consumer passes over; those before the first record kept are deleted again.
 */
export async function loadTopic(kafka: Kafka, { topic, compacted, file, bounds }: TopicCopy): Promise<void> {
  const producer = kafka.producer({
    idempotent: true,
    maxInFlightRequests: 1,
    allowAutoTopicCreation: false,
  });
  await producer.connect();
  try {
    const writers = new Map(
      bounds.map(({ partition }) => [partition, new PartitionWriter(producer, topic, partition)]),
    );
    if (file !== undefined)
      for await (const line of readLines<RecordLine>(file)) {
        const writer = writers.get(line.p);
        if (writer === undefined) throw new Error(`${topic} has no partition ${line.p}`);
        await writer.fillUpTo(line.o);
        await writer.add(messageOf(line));
      }
    for (const { partition, high } of bounds) await writers.get(partition)?.fillUpTo(high);
    for (const writer of writers.values()) await writer.flush();
  } finally {
    await producer.disconnect();
  }
  // Kafka refuses to cut off a topic that is compacted only; there the fillers go when it is compacted next.
  const cut = compacted ? [] : bounds.filter(({ low }) => low > 0);
  if (cut.length > 0) await deleteBefore(kafka, topic, cut);
}

/** Appends records to one partition in their order, and makes sure of the offset that each gets. */
class PartitionWriter {
  #next = 0;
  #waiting: Message[] = [];
  #bytes = 0;

  constructor(
    private readonly producer: Producer,
    private readonly topic: string,
    private readonly partition: number,
  ) {}

  async add(message: Message): Promise<void> {
    const bytes = bytesOf(message);
    // Before, not after: what waits and a large record must not be more together than the topic takes.
    if (this.#waiting.length > 0 && this.#bytes + bytes > MOST_BYTES) await this.flush();
    this.#waiting.push({ ...message, partition: this.partition });
    this.#bytes += bytes;
    if (this.#waiting.length >= MOST_RECORDS) await this.flush();
  }

  /** Fillers until the next record gets this offset. */
  async fillUpTo(offset: number): Promise<void> {
    if (offset < this.#next + this.#waiting.length)
      throw new PlainFault(
        `${this.topic}, partition ${this.partition}: the backup has offset ${offset} twice, or not in its order.`,
      );
    while (this.#next + this.#waiting.length < offset) await this.add(fillerOf(this.topic, this.partition));
  }

  async flush(): Promise<void> {
    if (this.#waiting.length === 0) return;
    const messages = this.#waiting;
    this.#waiting = [];
    this.#bytes = 0;
    const [answer] = await this.producer.send({ topic: this.topic, acks: -1, messages });
    if (Number(answer?.baseOffset) !== this.#next)
      throw new PlainFault(
        `${this.topic}, partition ${this.partition}: a record was to get offset ${this.#next} and got ` +
          `${String(answer?.baseOffset)}. Somebody else writes to this Kafka, or it was not empty: begin anew with empty servers.`,
      );
    this.#next += messages.length;
  }
}

function bytesOf({ key, value, headers = {} }: Message): number {
  const ofHeaders = Object.entries(headers).flatMap(([name, values]) =>
    [values ?? []].flat().map((each) => name.length + each.length + 10),
  );
  return (key?.length ?? 0) + (value?.length ?? 0) + 100 + ofHeaders.reduce((sum, bytes) => sum + bytes, 0);
}

/**
 * A record that means nothing. In graph.changes a tombstone would end somebody, hence a marker there; it has a key of its own,
 * or compaction would keep it in place of the last marker that says something.
 */
export function fillerOf(topic: string, partition: number): Message {
  if (topic !== CHANGES_TOPIC) return { key: 'restored', value: null };
  return {
    key: 'marker:restored',
    value: JSON.stringify({ partition }),
    headers: {
      ce_specversion: '1.0',
      ce_id: randomUUID(),
      ce_source: 'restore',
      ce_type: 'sociograph.graph.input-marked.v1',
      'content-type': 'application/json',
    },
  };
}

function messageOf({ t, k, v, h = [] }: RecordLine): Message {
  const headers: Record<string, Buffer | Buffer[]> = {};
  for (const [name, value] of h) {
    const known = headers[name];
    const bytes = Buffer.from(value, 'base64');
    headers[name] = known === undefined ? bytes : [known, bytes].flat();
  }
  return {
    key: k === null ? null : Buffer.from(k, 'base64'),
    value: v === null ? null : Buffer.from(v, 'base64'),
    timestamp: t,
    headers,
  };
}

async function deleteBefore(kafka: Kafka, topic: string, cut: readonly PartitionBounds[]): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    // kafkajs knows who leads the partitions only of topics that it was asked for before.
    await admin.fetchTopicOffsets(topic);
    await admin.deleteTopicRecords({
      topic,
      partitions: cut.map(({ partition, low }) => ({ partition, offset: String(low) })),
    });
  } finally {
    await admin.disconnect();
  }
}
