import { DEAD_LETTER_HEADERS, deadLetterTopic } from '@sociograph/contracts';
import type { Clock } from '@sociograph/kernel';
import type { IHeaders, Kafka, Producer } from 'kafkajs';
import type { RejectedRecord } from './event-record';
import { KAFKA_RETRY } from './kafka';

/** Writes what a group could not process to `<topic>.<group>.dlt`. */
export abstract class DeadLetters {
  /** Resolves when the records are stored; until then their positions must not be committed. */
  abstract add(rejected: readonly RejectedRecord[]): Promise<void>;
  abstract close(): Promise<void>;
}

/**
 * Key, value, headers and partition stay as received; the reason is added as headers. At least once: a crash
 * between here and the commit writes a record again, its topic, partition and offset say that it is the same.
 */
export class KafkaDeadLetters extends DeadLetters {
  readonly #kafka: Kafka;
  readonly #group: string;
  readonly #clock: Clock;
  #producer: Producer | undefined;

  constructor(kafka: Kafka, group: string, clock: Clock) {
    super();
    this.#kafka = kafka;
    this.#group = group;
    this.#clock = clock;
  }

  async add(rejected: readonly RejectedRecord[]): Promise<void> {
    const producer = await this.#connected();
    for (const record of rejected) {
      await producer.send({
        topic: deadLetterTopic(record.topic, this.#group),
        acks: -1,
        messages: [
          {
            key: record.raw.key,
            value: record.raw.value,
            partition: record.partition,
            headers: this.#headersOf(record),
          },
        ],
      });
    }
  }

  async close(): Promise<void> {
    await this.#producer?.disconnect().catch(() => undefined);
    this.#producer = undefined;
  }

  #headersOf(record: RejectedRecord): IHeaders {
    return {
      ...record.raw.headers,
      [DEAD_LETTER_HEADERS.reason]: record.reason,
      [DEAD_LETTER_HEADERS.code]: record.code,
      [DEAD_LETTER_HEADERS.topic]: record.topic,
      [DEAD_LETTER_HEADERS.partition]: String(record.partition),
      [DEAD_LETTER_HEADERS.offset]: String(record.offset),
      [DEAD_LETTER_HEADERS.group]: this.#group,
      [DEAD_LETTER_HEADERS.at]: new Date(this.#clock.nowMs()).toISOString(),
    };
  }

  async #connected(): Promise<Producer> {
    if (this.#producer !== undefined) return this.#producer;
    // Not idempotent: duplicates are allowed here, and a plain producer needs no replacement after a failure.
    const producer = this.#kafka.producer({
      allowAutoTopicCreation: false,
      createPartitioner: () => (choice) => choice.message.partition ?? 0,
      retry: KAFKA_RETRY,
    });
    await producer.connect();
    this.#producer = producer;
    return producer;
  }
}
