import {
  EVENT_HEADERS,
  mergePositions,
  messageType,
  type MessageDefinition,
  partitionOf,
  type PayloadOf,
  type Positions,
} from '@sociograph/contracts';
import {
  DomainError,
  isDomainError,
  SystemClock,
  TimeOrderedIds,
  type Clock,
  type Ids,
} from '@sociograph/kernel';
import { currentCorrelationId } from '@sociograph/observability';
import type { Kafka, Message, Producer } from 'kafkajs';
import { within } from './backoff';
import { nameOf, topicByName, topicOfMessage, type TopicRef } from './event-record';
import { KAFKA_RETRY } from './kafka';
import { PublishSpans } from './publish-spans';

/** One event to publish. Its topic follows from the message; `topic` is for specs and for messages of several topics. */
export interface OutgoingEvent<M extends MessageDefinition = MessageDefinition> {
  message: M;
  key: string;
  /** null is a tombstone: on a compacted topic it ends the key. */
  value: PayloadOf<M> | null;
  topic?: TopicRef;
  /** Instead of the partitioner's choice; for records that belong to a partition, not to a key (markers). */
  partition?: number;
  /** CloudEvents subject: what the event is about. */
  subject?: string;
  /** CloudEvents id; a relay repeats the id of its outbox row. A new one by default. */
  id?: string;
  /**
   * Added last, so they win over the publisher's own. A `traceparent` names the work that the event comes from, where that
   * is not the work at hand; an empty one: none.
   */
  headers?: Record<string, string>;
}

export interface EventPublisherOptions {
  kafka: Kafka;
  /** CloudEvents source: the service. */
  source: string;
  clock?: Clock;
  ids?: Ids;
  /** An event not acknowledged by then (ms, 10,000) is reported as unavailable; it may still arrive. */
  timeoutMs?: number;
}

/** Records are at most 512 KB (DESIGN 2). */
export const MAX_RECORD_BYTES = 512 * 1024;
/** One request stays below the topics' max.message.bytes (1 MiB), which holds for a whole batch of a partition. */
const MAX_REQUEST_BYTES = 900 * 1024;
const MAX_REQUEST_RECORDS = 1_000;

interface Prepared {
  topic: string;
  partition: number;
  message: Message;
  bytes: number;
  publication: Publication;
}

interface Publication {
  open: number;
  positions: Positions;
  settled: boolean;
  resolve(positions: Positions): void;
  reject(error: unknown): void;
}

/**
 * Publishes events with acks=all through an idempotent producer. What is asked for while a request is under way
 * goes out together with the next one: nothing waits on a timer, and many small publications cost few requests.
 * After a failed request the producer is replaced: kafkajs would reuse its sequence numbers, and the broker
 * would then drop the next records as duplicates.
 */
export class EventPublisher {
  readonly #options: Required<EventPublisherOptions>;
  readonly #partitionCounts = new Map<string, number>();
  #producer: Promise<Producer> | undefined;
  #queue: Prepared[] = [];
  #pumping: Promise<void> | undefined;
  #closed = false;

  constructor(options: EventPublisherOptions) {
    this.#options = { clock: new SystemClock(), ids: new TimeOrderedIds(), timeoutMs: 10_000, ...options };
  }

  /** Opens the connection ahead of the first event; publishing does it too. */
  async connect(): Promise<void> {
    await this.#connected();
  }

  /**
   * Resolves when all replicas have every event: topic -> partition -> offset after the last of THESE events.
   * Throws `EVENT.INVALID` or `EVENT.TOO_LARGE` (kind bug; nothing was sent) or `KAFKA.UNAVAILABLE` (some may
   * have arrived: publish all of them again).
   */
  async publish(events: readonly OutgoingEvent[]): Promise<Positions> {
    if (events.length === 0) return {};
    if (this.#closed) throw unavailable('the publisher is closed');
    const counts = await this.#countPartitions(events);
    const spans = new PublishSpans('kafka');
    try {
      const positions = await this.#enqueue(events, counts, spans);
      spans.end();
      return positions;
    } catch (error) {
      spans.end(error);
      throw error;
    }
  }

  /** Waits for what was asked for (at most its timeout) and disconnects. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#pumping;
    const producer = this.#producer;
    this.#producer = undefined;
    await producer?.then((open) => open.disconnect()).catch(() => undefined);
  }

  #enqueue(
    events: readonly OutgoingEvent[],
    counts: ReadonlyMap<string, number>,
    spans: PublishSpans,
  ): Promise<Positions> {
    return new Promise<Positions>((resolve, reject) => {
      const publication: Publication = {
        open: events.length,
        positions: {},
        settled: false,
        resolve,
        reject,
      };
      const prepared = events.map((event) => this.#prepare(event, counts, publication, spans));
      const timer = setTimeout(
        () => settle(publication, unavailable('no acknowledgement in time')),
        this.#options.timeoutMs,
      );
      publication.resolve = (positions) => (clearTimeout(timer), resolve(positions));
      publication.reject = (error) => (clearTimeout(timer), reject(error as Error));
      this.#queue.push(...prepared);
      this.#pumping ??= this.#pump();
    });
  }

  async #pump(): Promise<void> {
    // What else is asked for in this turn of the event loop goes out with it.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#queue.length > 0) await this.#sendNext();
    // In the same step as the last look at the queue: who asks after it begins anew, instead of waiting for nobody.
    this.#pumping = undefined;
  }

  async #sendNext(): Promise<void> {
    const request = this.#takeRequest();
    if (request.length === 0) return;
    try {
      const positions = await within(this.#send(request), this.#options.timeoutMs, () =>
        unavailable('no acknowledgement in time'),
      );
      request.forEach((prepared, index) => acknowledge(prepared.publication, positions[index] ?? {}));
    } catch (error) {
      this.#discardProducer();
      const failure = isDomainError(error)
        ? error
        : unavailable('the broker did not take the records', error);
      for (const { publication } of request) settle(publication, failure);
    }
  }

  /** The next request: what has given up already is left out. */
  #takeRequest(): Prepared[] {
    const request: Prepared[] = [];
    let bytes = 0;
    let taken = 0;
    for (const prepared of this.#queue) {
      if (request.length >= MAX_REQUEST_RECORDS) break;
      if (request.length > 0 && bytes + prepared.bytes > MAX_REQUEST_BYTES) break;
      taken += 1;
      if (prepared.publication.settled) continue;
      request.push(prepared);
      bytes += prepared.bytes;
    }
    this.#queue.splice(0, taken);
    return request;
  }

  /** Positions after each record of the request, in its order. */
  async #send(request: readonly Prepared[]): Promise<Positions[]> {
    const producer = await this.#connected();
    const byTopic = new Map<string, Message[]>();
    for (const { topic, message } of request) {
      const messages = byTopic.get(topic);
      if (messages === undefined) byTopic.set(topic, [message]);
      else messages.push(message);
    }
    const topicMessages = [...byTopic].map(([topic, messages]) => ({ topic, messages }));
    const answers = await producer.sendBatch({ acks: -1, timeout: 5_000, topicMessages });
    const next = new Map<string, number>();
    for (const { topicName, partition, baseOffset } of answers) {
      if (baseOffset === undefined || Number(baseOffset) < 0) throw unavailable('the broker named no offset');
      next.set(`${topicName}/${partition}`, Number(baseOffset));
    }
    return request.map(({ topic, partition }) => {
      const at = next.get(`${topic}/${partition}`);
      if (at === undefined) throw unavailable('the broker named no offset');
      next.set(`${topic}/${partition}`, at + 1);
      return { [topic]: { [String(partition)]: at + 1 } };
    });
  }

  #prepare(
    event: OutgoingEvent,
    counts: ReadonlyMap<string, number>,
    publication: Publication,
    spans: PublishSpans,
  ): Prepared {
    const topic = topicNameOf(event);
    const partition = event.partition ?? partitionOf(event.key, counts.get(topic));
    if (event.value !== null) {
      const parsed = event.message.schema.safeParse(event.value);
      if (!parsed.success) {
        const path = parsed.error.issues[0]?.path.join('.') ?? '';
        throw new DomainError({
          code: 'EVENT.INVALID',
          kind: 'bug',
          message: `An event does not fit its own schema (${path}).`,
          facts: { message: event.message.name, path },
        });
      }
    }
    const value = event.value === null ? null : Buffer.from(JSON.stringify(event.value));
    const traceparent = spans.traceparentOf(topic, event.headers?.[EVENT_HEADERS.traceparent]);
    const headers = this.#headersOf(event, traceparent);
    const bytes =
      (value?.length ?? 0) + Buffer.byteLength(event.key) + Buffer.byteLength(JSON.stringify(headers));
    if (bytes > MAX_RECORD_BYTES) {
      throw new DomainError({
        code: 'EVENT.TOO_LARGE',
        kind: 'bug',
        message: 'An event is larger than a record may be.',
        facts: { message: event.message.name, bytes, limit: MAX_RECORD_BYTES },
      });
    }
    return { topic, partition, bytes, publication, message: { key: event.key, value, partition, headers } };
  }

  #headersOf(event: OutgoingEvent, traceparent: string | undefined): Record<string, string> {
    const correlationId = currentCorrelationId();
    const { [EVENT_HEADERS.traceparent]: _replaced, ...own } = event.headers ?? {};
    return {
      [EVENT_HEADERS.specVersion]: '1.0',
      [EVENT_HEADERS.id]: event.id ?? this.#options.ids.next(),
      [EVENT_HEADERS.source]: this.#options.source,
      [EVENT_HEADERS.type]: messageType(event.message),
      [EVENT_HEADERS.time]: new Date(this.#options.clock.nowMs()).toISOString(),
      [EVENT_HEADERS.contentType]: 'application/json',
      ...(event.subject === undefined ? {} : { [EVENT_HEADERS.subject]: event.subject }),
      ...(correlationId === undefined ? {} : { [EVENT_HEADERS.correlationId]: correlationId }),
      ...(traceparent === undefined ? {} : { [EVENT_HEADERS.traceparent]: traceparent }),
      ...own,
    };
  }

  /** Partitions of the topics: declared ones are known, of others the cluster is asked once. */
  async #countPartitions(events: readonly OutgoingEvent[]): Promise<ReadonlyMap<string, number>> {
    const unknown = new Set<string>();
    for (const event of events) {
      const topic = topicNameOf(event);
      const declared = topicByName(topic);
      if (declared !== undefined) this.#partitionCounts.set(topic, declared.partitions);
      else if (!this.#partitionCounts.has(topic)) unknown.add(topic);
    }
    if (unknown.size > 0) await this.#askPartitions([...unknown]);
    return this.#partitionCounts;
  }

  async #askPartitions(topics: string[]): Promise<void> {
    const admin = this.#options.kafka.admin();
    try {
      await admin.connect();
      const metadata = await admin.fetchTopicMetadata({ topics });
      for (const { name, partitions } of metadata.topics) this.#partitionCounts.set(name, partitions.length);
    } catch (error) {
      throw unavailable('the topic cannot be looked up', error);
    } finally {
      await admin.disconnect().catch(() => undefined);
    }
  }

  #connected(): Promise<Producer> {
    this.#producer ??= this.#open();
    return this.#producer;
  }

  async #open(): Promise<Producer> {
    const producer = this.#options.kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      // Every message names its partition already.
      createPartitioner: () => (choice) => choice.message.partition ?? 0,
      retry: KAFKA_RETRY,
    });
    try {
      await producer.connect();
      return producer;
    } catch (error) {
      this.#producer = undefined;
      throw unavailable('the broker cannot be reached', error);
    }
  }

  #discardProducer(): void {
    const broken = this.#producer;
    this.#producer = undefined;
    void broken?.then((producer) => producer.disconnect()).catch(() => undefined);
  }
}

function topicNameOf(event: OutgoingEvent): string {
  const topic = event.topic ?? topicOfMessage(event.message);
  if (topic !== undefined) return nameOf(topic);
  throw new DomainError({
    code: 'EVENT.TOPIC_UNKNOWN',
    kind: 'bug',
    message: 'An event belongs to no topic.',
    facts: { message: event.message.name },
  });
}

function acknowledge(publication: Publication, positions: Positions): void {
  publication.positions = mergePositions(publication.positions, positions);
  publication.open -= 1;
  if (publication.open > 0 || publication.settled) return;
  publication.settled = true;
  publication.resolve(publication.positions);
}

function settle(publication: Publication, error: unknown): void {
  if (publication.settled) return;
  publication.settled = true;
  publication.reject(error);
}

function unavailable(reason: string, cause?: unknown): DomainError {
  return new DomainError({
    code: 'KAFKA.UNAVAILABLE',
    kind: 'unavailable',
    message: 'The event log cannot be written right now.',
    facts: { reason },
    retryAfterSeconds: 1,
    cause,
  });
}
