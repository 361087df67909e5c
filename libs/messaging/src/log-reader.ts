import { randomUUID } from 'node:crypto';
import { DomainError } from '@sociograph/kernel';
import type { Consumer, EachBatchPayload, Kafka } from 'kafkajs';
import type { ParsedRecord, TopicRef } from './event-record';
import { nameOf, parseRecord } from './event-record';
import { KAFKA_RETRY } from './kafka';
import { PartitionTurn } from './partition-turn';
import { QuietFetches } from './quiet-fetches';

export interface LogReaderOptions {
  kafka: Kafka;
  topic: TopicRef;
  /** First part of the group's name, which access rights are given by: the service. */
  reader: string;
  /** Records of one partition in offset order; the next ones wait for it. A throw is passed to `onRefused`. */
  onRecords(partition: number, items: ParsedRecord[], heartbeat: () => Promise<void>): Promise<void>;
  /** What `onRecords` threw: those records were not taken. */
  onRefused(error: unknown): void;
  /** The connection to Kafka broke: begin anew with another reader where this one was. */
  onLost(error: unknown): void;
  onFetch?: () => void;
  /** After each batch: how many records of its partition were beyond it when it was read. */
  onLag?: (partition: number, records: number) => void;
  /**
   * No broker has anything beyond what was given to `onRecords`; said once. Every partition has then a leader that
   * answers: while one has none, its records may be missing, and nothing is said.
   */
  onQuiet?: () => void;
}

/** Where the partitions of a topic begin and end: low is the first offset kept, high the next to be written. */
export interface LogBounds {
  partition: number;
  low: number;
  high: number;
}

/**
 * Reads all partitions of a topic from given offsets without committing anything: a replay, or the tail of a
 * small topic. kafkajs knows only group consumers, so it joins a group of its own and says at each joining
 * where to go on; nobody else ever joins that group, and Kafka forgets it when it is empty.
 */
export class LogReader {
  readonly #options: LogReaderOptions;
  readonly #consumer: Consumer;
  readonly #next = new Map<number, number>();
  readonly #quiet = new QuietFetches();
  #quietness: 'unknown' | 'asked' | 'told' = 'unknown';
  #stopped = false;

  constructor(options: LogReaderOptions) {
    this.#options = options;
    this.#consumer = options.kafka.consumer({
      groupId: `${options.reader}.reader.${randomUUID()}`,
      sessionTimeout: 6_000,
      rebalanceTimeout: 6_000,
      heartbeatInterval: 1_000,
      maxWaitTimeInMs: 500,
      maxBytes: 8 * 1024 * 1024,
      allowAutoTopicCreation: false,
      // kafkajs would join the old group again and wait there for its own dead member to expire (6 s).
      retry: { ...KAFKA_RETRY, restartOnFailure: async () => false },
    });
  }

  /** Begins at `from` (partition -> offset); partitions that it does not name are not sought: name all. */
  async start(from: ReadonlyMap<number, number>): Promise<void> {
    for (const [partition, offset] of from) this.#next.set(partition, offset);
    const topic = nameOf(this.#options.topic);
    this.#consumer.on(this.#consumer.events.GROUP_JOIN, () => {
      for (const [partition, offset] of this.#next) {
        this.#consumer.seek({ topic, partition, offset: String(offset) });
      }
      this.#quiet.broken();
    });
    this.#consumer.on(this.#consumer.events.START_BATCH_PROCESS, () => this.#quiet.broken());
    this.#consumer.on(this.#consumer.events.FETCH_START, ({ payload }) => {
      if (this.#quiet.begins(payload.nodeId)) void this.#makeSureOfQuiet();
    });
    this.#consumer.on(this.#consumer.events.REQUEST, ({ payload }) => {
      if (payload.apiName === 'Fetch') this.#quiet.answered(payload.broker);
    });
    this.#consumer.on(this.#consumer.events.FETCH, () => this.#options.onFetch?.());
    this.#consumer.on(this.#consumer.events.CRASH, ({ payload }) => {
      if (!this.#stopped) this.#options.onLost(payload.error);
    });
    await this.#consumer.connect();
    // A stop that came meanwhile found nothing to stop yet: kafkajs would connect anew and read for nobody.
    if (this.#stopped) return this.#consumer.disconnect();
    await this.#consumer.subscribe({ topics: [topic], fromBeginning: true });
    if (this.#stopped) return this.#consumer.disconnect();
    await this.#consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      eachBatch: (payload) => this.#read(payload),
    });
    if (this.#stopped) await this.stop();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#consumer.stop().catch(() => undefined);
    await this.#consumer.disconnect().catch(() => undefined);
  }

  /**
   * kafkajs gives nothing, too, when a fetch failed or when nobody leads a partition. The cluster is asked who leads
   * and where the partitions end: whoever leads must have answered the fetches that brought nothing.
   */
  async #makeSureOfQuiet(): Promise<void> {
    const { kafka, topic, onQuiet } = this.#options;
    if (this.#quietness !== 'unknown' || this.#stopped || onQuiet === undefined) return;
    this.#quietness = 'asked';
    try {
      const leaders = await leadersOf(kafka, nameOf(topic), this.#next.keys());
      if (this.#stopped) return;
      if (this.#quiet.holds(leaders)) {
        this.#quietness = 'told';
        return onQuiet();
      }
    } catch {
      // Begun anew below: the next quiet asks again.
    }
    this.#quiet.broken();
    this.#quietness = 'unknown';
  }

  async #read({ batch, heartbeat, resolveOffset }: EachBatchPayload): Promise<void> {
    if (this.#stopped) return;
    const turn = new PartitionTurn(heartbeat, 1_000, new AbortController().signal);
    try {
      const items = batch.messages.map((message) =>
        parseRecord(this.#options.topic, batch.partition, message),
      );
      await this.#options.onRecords(batch.partition, items, turn.heartbeat);
      this.#next.set(batch.partition, Number(batch.lastOffset()) + 1);
      resolveOffset(batch.lastOffset());
      this.#options.onLag?.(
        batch.partition,
        Math.max(0, Number(batch.highWatermark) - Number(batch.lastOffset()) - 1),
      );
    } catch (error) {
      // Not given back to kafkajs, which would try the same batch again and then crash and start over.
      this.#stopped = true;
      this.#options.onRefused(error);
    } finally {
      turn.end();
    }
    if (turn.lost !== undefined) throw turn.lost;
  }
}

/** First and next offsets of all partitions of a topic. */
export async function logBounds(kafka: Kafka, topic: string): Promise<LogBounds[]> {
  const admin = kafka.admin();
  try {
    await admin.connect();
    const offsets = await admin.fetchTopicOffsets(topic);
    return offsets.map(({ partition, low, high }) => ({ partition, low: Number(low), high: Number(high) }));
  } catch (error) {
    throw logUnavailable(topic, error);
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}

/** How many brokers lead these partitions. Throws unless each one has a leader that says where it ends. */
async function leadersOf(kafka: Kafka, topic: string, partitions: Iterable<number>): Promise<number> {
  const ends = new Set((await logBounds(kafka, topic)).map(({ partition }) => partition));
  const admin = kafka.admin();
  try {
    await admin.connect();
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    const leaderOf = new Map(topics[0]?.partitions.map(({ partitionId, leader }) => [partitionId, leader]));
    const leaders = new Set<number>();
    for (const partition of partitions) {
      const leader = leaderOf.get(partition) ?? -1;
      if (leader < 0 || !ends.has(partition))
        throw logUnavailable(topic, new Error(`Nobody leads partition ${partition}.`));
      leaders.add(leader);
    }
    return leaders.size;
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}

export function logUnavailable(topic: string, cause: unknown): DomainError {
  return new DomainError({
    code: 'KAFKA.UNAVAILABLE',
    kind: 'unavailable',
    message: 'The event log cannot be read right now.',
    facts: { topic },
    cause,
  });
}
