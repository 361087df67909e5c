import { Server, type CustomTransportStrategy } from '@nestjs/microservices';
import type { Positions } from '@sociograph/contracts';
import { SystemClock, type Clock } from '@sociograph/kernel';
import { runWithCorrelation, type Logger, type Metrics } from '@sociograph/observability';
import type { Consumer, EachBatchPayload, Kafka } from 'kafkajs';
import { backoffMs, pause } from './backoff';
import { batchFnOf, batchPattern } from './batch-handler';
import { BatchProcessor, type BatchFn, type EventBatch } from './batch-processor';
import { batchMetrics, type BatchMetrics } from './batch-metrics';
import { ConsumeSpans } from './consume-spans';
import { coPartitionAssigner } from './co-partition-assigner';
import { nameOf, parseRecord, type ParsedRecord, type TopicRef } from './event-record';
import { FetchWatchdog } from './fetch-watchdog';
import { KAFKA_RETRY } from './kafka';
import { KafkaDeadLetters } from './kafka-dead-letters';
import { kafkaAnswers } from './kafka-probe';
import { PartitionTurn } from './partition-turn';
import { SharedCommits } from './shared-commits';

export interface KafkaBatchServerOptions {
  kafka: Kafka;
  groupId: string;
  /** Co-partitioned: partition p of all of them goes to the same member. A batch holds them in this order. */
  topics: readonly TopicRef[];
  logger: Logger;
  metrics?: Metrics;
  clock?: Clock;
  /** Records that one call of the handler gets at most (500). */
  maxBatchRecords?: number;
  /** Partition numbers whose batches may be in the handler at once (1). */
  partitionsInParallel?: number;
  /** No movement of the fetch loop for this long (ms, 10,000) while Kafka answers: `fail` is called. */
  onProgressTimeoutMs?: number;
  /** One call of the handler may take this long (ms, 60,000); `batch.heartbeat()` begins it anew. */
  handlerTimeoutMs?: number;
  /** The consumer is beyond help: end the process, the supervisor restarts it. Default: exit code 1. */
  fail?: (reason: string) => void;
  /** Called on each movement, for a liveness beat. */
  onProgress?: () => void;
}

/** Waits of DESIGN 2: with kafkajs' usual 30 s a killed member is missed for 28 s. */
const SESSION_TIMEOUT_MS = 6_000;
const HEARTBEAT_MS = 1_000;
const MAX_WAIT_MS = 500;

interface Gathered {
  payload: EachBatchPayload;
  resolve(): void;
  reject(error: unknown): void;
}

/**
 * Transport strategy of @nestjs/microservices: hands each partition number's new records of all co-partitioned
 * topics to one @BatchHandler, and commits after it. kafkajs calls back once per topic-partition of a fetch, all
 * in one tick; they are gathered within that tick, so nothing waits on a timer.
 */
export class KafkaBatchServer extends Server implements CustomTransportStrategy {
  readonly #options: KafkaBatchServerOptions & {
    clock: Clock;
    maxBatchRecords: number;
    partitionsInParallel: number;
  };
  readonly #watchdog: FetchWatchdog;
  readonly #deadLetters: KafkaDeadLetters;
  readonly #metrics: BatchMetrics | undefined;
  readonly #closing = new AbortController();
  readonly #joined: Promise<void>;
  #onJoined: () => void = () => undefined;
  #processor: BatchProcessor | undefined;
  #consumer: Consumer | undefined;
  #gathered: Gathered[] = [];
  #flushing = false;

  constructor(options: KafkaBatchServerOptions) {
    super();
    const { kafka, groupId, metrics, onProgressTimeoutMs = 10_000 } = options;
    this.#options = {
      clock: new SystemClock(),
      maxBatchRecords: 500,
      partitionsInParallel: 1,
      ...options,
    };
    this.#deadLetters = new KafkaDeadLetters(kafka, groupId, this.#options.clock);
    this.#metrics = metrics === undefined ? undefined : batchMetrics(metrics, groupId, this.#options.clock);
    this.#watchdog = new FetchWatchdog({
      clock: this.#options.clock,
      timeoutMs: onProgressTimeoutMs,
      probe: () => kafkaAnswers(kafka),
      onStuck: (silentMs) =>
        this.#fail(`the fetch loop of ${groupId} made no progress for ${Math.round(silentMs)} ms`),
    });
    this.#joined = new Promise((resolve) => (this.#onJoined = resolve));
  }

  /** Called by Nest once the handlers are known. The connection is made in the background: Kafka may still be away. */
  listen(callback: (error?: unknown) => void): void {
    const handler = this.messageHandlers.get(batchPattern(this.#options.topics));
    if (handler === undefined) {
      callback(new Error(`no @BatchHandler for ${batchPattern(this.#options.topics)}`));
      return;
    }
    const handle = batchFnOf((batch) => handler(batch) as Promise<unknown>);
    this.#processor = new BatchProcessor({
      handle: (batch) => this.#observed(batch, handle),
      deadLetters: this.#deadLetters,
      logger: this.#options.logger,
      onTry: () => this.#watchdog.progress(this.#options.handlerTimeoutMs ?? 60_000),
    });
    void this.#connect();
    callback();
  }

  /** Resolves when the member has its partitions for the first time. */
  joined(): Promise<void> {
    return this.#joined;
  }

  /** Finishes the handler call under way, commits it, leaves the group. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#watchdog.stop();
    await this.#consumer?.stop().catch(() => undefined);
    await this.#consumer?.disconnect().catch(() => undefined);
    await this.#deadLetters.close();
  }

  override on(): never {
    throw new Error('events of this transport are not exposed');
  }

  override unwrap<T>(): T {
    return this.#consumer as T;
  }

  async #connect(): Promise<void> {
    const { kafka, groupId, topics, logger } = this.#options;
    for (let attempt = 1; !this.#closing.signal.aborted; attempt += 1) {
      const consumer = this.#makeConsumer(kafka, groupId);
      try {
        await consumer.connect();
        await consumer.subscribe({ topics: topics.map(nameOf), fromBeginning: true });
        if (this.#closing.signal.aborted) return await consumer.disconnect();
        this.#consumer = consumer;
        this.#watchdog.start();
        await consumer.run({
          autoCommit: false,
          eachBatchAutoResolve: false,
          partitionsConsumedConcurrently: 256,
          eachBatch: (payload) => this.#gather(payload),
        });
        return;
      } catch (error) {
        logger.warn({ groupId, err: error, attempt }, 'the consumer cannot start yet');
        await consumer.disconnect().catch(() => undefined);
        await pause(backoffMs(attempt, 200, 2_000), this.#closing.signal);
      }
    }
  }

  #makeConsumer(kafka: Kafka, groupId: string): Consumer {
    const consumer = kafka.consumer({
      groupId,
      partitionAssigners: [coPartitionAssigner],
      sessionTimeout: SESSION_TIMEOUT_MS,
      rebalanceTimeout: SESSION_TIMEOUT_MS,
      heartbeatInterval: HEARTBEAT_MS,
      maxWaitTimeInMs: MAX_WAIT_MS,
      minBytes: 1,
      maxBytes: 4 * 1024 * 1024,
      maxBytesPerPartition: 1024 * 1024,
      allowAutoTopicCreation: false,
      retry: KAFKA_RETRY,
    });
    consumer.on(consumer.events.FETCH, () => this.#progress());
    consumer.on(consumer.events.REBALANCING, () => this.#progress());
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      this.#progress();
      this.#metrics?.reassigned();
      this.#options.logger.info(
        { groupId, assignment: payload.memberAssignment },
        'partitions were assigned',
      );
      this.#onJoined();
    });
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      if (payload.restart) {
        this.#options.logger.warn({ groupId, err: payload.error }, 'the consumer starts again');
      } else if (!this.#closing.signal.aborted) {
        this.#fail(`the consumer of ${groupId} gave up: ${payload.error.message}`);
      }
    });
    return consumer;
  }

  #progress(): void {
    this.#watchdog.progress();
    this.#options.onProgress?.();
  }

  #gather(payload: EachBatchPayload): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#gathered.push({ payload, resolve, reject });
      if (this.#flushing) return;
      this.#flushing = true;
      void this.#flush().finally(() => (this.#flushing = false));
    });
  }

  async #flush(): Promise<void> {
    // The other topic-partitions of this fetch call back in the same tick.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#gathered.length > 0) {
      const byPartition = new Map<number, Gathered[]>();
      for (const gathered of this.#gathered.splice(0)) {
        const { partition } = gathered.payload.batch;
        byPartition.set(partition, [...(byPartition.get(partition) ?? []), gathered]);
      }
      const all = [...byPartition.values()].flat();
      const turn = new PartitionTurn(all[0]?.payload.heartbeat, HEARTBEAT_MS, this.#closing.signal);
      const commits = new SharedCommits(async (topics) => {
        await all[0]?.payload.commitOffsetsIfNecessary({ topics });
      });
      const waiting = [...byPartition].sort(([a], [b]) => a - b).values();
      const lane = async (): Promise<void> => {
        for (const [partition, group] of waiting) await this.#consume(partition, group, turn, commits);
      };
      await Promise.all(Array.from({ length: this.#options.partitionsInParallel }, lane));
      turn.end();
    }
  }

  /** All of one partition number, chunk by chunk; each chunk is committed before the next begins. */
  async #consume(
    partition: number,
    group: readonly Gathered[],
    turn: PartitionTurn,
    commits: SharedCommits,
  ): Promise<void> {
    try {
      const order = this.#options.topics.map(nameOf);
      const items = [...group]
        .sort((a, b) => order.indexOf(a.payload.batch.topic) - order.indexOf(b.payload.batch.topic))
        .flatMap(({ payload: { batch } }) => this.#parse(batch));
      const size = this.#options.maxBatchRecords;
      for (let from = 0; from < items.length && turn.lost === undefined; from += size) {
        const last = from + size >= items.length;
        const chunk = { partition, items: items.slice(from, from + size), end: last ? endOf(group) : {} };
        const done = await this.#processor?.process(chunk, turn);
        if (done !== true) break;
        await commit(chunk.items, chunk.end, group, commits);
        this.#progress();
      }
      for (const { payload, resolve, reject } of group) {
        if (turn.lost === undefined) {
          this.#metrics?.done(payload.batch.topic, partition);
          resolve();
        } else reject(turn.lost);
      }
    } catch (error) {
      for (const { reject } of group) reject(error);
    }
  }

  #parse(batch: EachBatchPayload['batch']): ParsedRecord[] {
    const topic = this.#options.topics.find((known) => nameOf(known) === batch.topic) ?? batch.topic;
    this.#metrics?.fetched({
      topic: batch.topic,
      partition: batch.partition,
      beyond: Number(batch.highWatermark) - Number(batch.lastOffset()) - 1,
      oldestMs: Number(batch.messages.at(0)?.timestamp),
      newestMs: Number(batch.messages.at(-1)?.timestamp),
    });
    return batch.messages.map((message) => parseRecord(topic, batch.partition, message));
  }

  /** The correlation of the batch is that of its first record; each record keeps its own in its headers. */
  async #observed(batch: EventBatch, handle: BatchFn): Promise<void> {
    const { groupId } = this.#options;
    const [first] = batch.records;
    const spans = new ConsumeSpans(`consume ${groupId}`, batch.records, {
      'messaging.system': 'kafka',
      'messaging.consumer.group.name': groupId,
      'messaging.destination.partition.id': String(batch.partition),
    });
    const startedMs = this.#options.clock.monotonicMs();
    // Measured inside the span, so that a slow batch names its trace.
    const work = (): Promise<void> =>
      spans.run(async () => {
        await handle(batch);
        this.#metrics?.handled(batch, this.#options.clock.monotonicMs() - startedMs);
      });
    try {
      await (first?.correlationId === undefined ? work() : runWithCorrelation(first.correlationId, work));
      spans.end();
    } catch (error) {
      spans.end(error);
      this.#metrics?.failed();
      throw error;
    }
  }

  #fail(reason: string): void {
    this.#options.logger.fatal({ reason }, 'the consumer is stuck, the process ends');
    if (this.#options.fail !== undefined) this.#options.fail(reason);
    else process.exit(1);
  }
}

/** Offset after the last of each fetched batch; compaction may have taken the records before it. */
function endOf(group: readonly Gathered[]): Positions {
  return Object.fromEntries(
    group.map(({ payload: { batch } }) => [
      batch.topic,
      { [String(batch.partition)]: Number(batch.lastOffset()) + 1 },
    ]),
  );
}

/** Commits one chunk per topic-partition and tells kafkajs, so that the next fetch begins after it. */
async function commit(
  items: readonly ParsedRecord[],
  end: Positions,
  group: readonly Gathered[],
  commits: SharedCommits,
): Promise<void> {
  const done = group.flatMap(({ payload }) => {
    const { topic, partition } = payload.batch;
    const offsets = items.filter((item) => item.topic === topic).map(({ offset }) => offset + 1);
    const next = Math.max(0, end[topic]?.[String(partition)] ?? 0, ...offsets);
    return next === 0 ? [] : [{ payload, topic, partition, next }];
  });
  const topics = done.map(({ topic, partition, next }) => ({
    topic,
    partitions: [{ partition, offset: String(next) }],
  }));
  await commits.add(topics);
  for (const { payload, next } of done) payload.resolveOffset(String(next - 1));
}
