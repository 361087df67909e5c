import { mergePositions, positionsCover } from '@sociograph/contracts';
import { DomainError, type Clock } from '@sociograph/kernel';
import type { Admin, Kafka } from 'kafkajs';
import type { SourcePositions } from '../domain/ports';
import { InputProgress } from '../domain/query-ports';

/** Between two looks while nobody waits; freshness that is told is at most so old. */
const IDLE_MS = 1_000;
const BUSY_MS = 50;

export interface KafkaInputProgressOptions {
  kafka: Pick<Kafka, 'admin'>;
  clock: Clock;
  /** Whose offsets say what is stored: they are committed after the store has answered. */
  group: { name: string; topics: readonly { name: string }[] };
  idleMs?: number;
  busyMs?: number;
}

interface Waiting {
  wanted: SourcePositions;
  done: (reached: boolean) => void;
}

/**
 * Follows the offsets that the consumers of ALL instances commit, by asking for them: any instance can answer for what
 * another one stored. One request a second, one in 50 ms while a reader waits.
 */
export class KafkaInputProgress extends InputProgress {
  #known = { positions: {} as SourcePositions, at: 0 };
  #admin: Promise<Admin> | undefined;
  #stopped = false;
  #wake: () => void = () => undefined;
  #following: Promise<void> | undefined;
  readonly #waiting = new Set<Waiting>();

  constructor(private readonly options: KafkaInputProgressOptions) {
    super();
  }

  start(): void {
    this.#following ??= this.#follow();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#wake();
    for (const { done } of this.#waiting) done(false);
    await this.#following;
    await this.#close();
  }

  reached(): { positions: SourcePositions; at: number } {
    return this.#known;
  }

  waitFor(wanted: SourcePositions, timeoutMs: number): Promise<boolean> {
    if (positionsCover(this.#known.positions, wanted)) return Promise.resolve(true);
    if (this.#stopped) return Promise.resolve(false);
    return new Promise((resolve) => {
      const done = (reached: boolean): void => {
        clearTimeout(timer);
        this.#waiting.delete(waiting);
        resolve(reached);
      };
      const waiting: Waiting = { wanted, done };
      const timer = setTimeout(() => done(false), timeoutMs);
      this.#waiting.add(waiting);
      this.#wake();
    });
  }

  async beyond(wanted: SourcePositions): Promise<boolean> {
    try {
      const admin = await this.#open();
      for (const [topic, partitions] of Object.entries(wanted)) {
        const ends = new Map(
          (await admin.fetchTopicOffsets(topic)).map(({ partition, high }) => [
            String(partition),
            Number(high),
          ]),
        );
        for (const [partition, offset] of Object.entries(partitions))
          if (offset > (ends.get(partition) ?? 0)) return true;
      }
      return false;
    } catch (cause) {
      await this.#close();
      throw new DomainError({
        code: 'KAFKA.UNAVAILABLE',
        kind: 'unavailable',
        message: 'The event log cannot be read right now.',
        retryAfterSeconds: 1,
        cause,
      });
    }
  }

  async #follow(): Promise<void> {
    while (!this.#stopped) {
      // A log that is away is told by the consumer and by health; here positions merely stay what they are.
      await this.#look().catch(() => this.#close());
      if (!this.#stopped) await this.#pause();
    }
  }

  async #look(): Promise<void> {
    const { group, clock } = this.options;
    const at = clock.nowMs();
    const admin = await this.#open();
    const topics = group.topics.map(({ name }) => name);
    const positions: SourcePositions = {};
    for (const { topic, partitions } of await admin.fetchOffsets({ groupId: group.name, topics })) {
      const committed = partitions.filter(({ offset }) => Number(offset) >= 0);
      positions[topic] = Object.fromEntries(
        committed.map(({ partition, offset }) => [String(partition), Number(offset)]),
      );
    }
    // Offsets that were set back are read again; what is stored stays stored.
    this.#known = { positions: mergePositions(this.#known.positions, positions), at };
    for (const { wanted, done } of this.#waiting)
      if (positionsCover(this.#known.positions, wanted)) done(true);
  }

  #pause(): Promise<void> {
    const { idleMs = IDLE_MS, busyMs = BUSY_MS } = this.options;
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, this.#waiting.size > 0 ? busyMs : idleMs);
      timer.unref();
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  async #open(): Promise<Admin> {
    return (this.#admin ??= this.#connect());
  }

  async #connect(): Promise<Admin> {
    const admin = this.options.kafka.admin({ retry: { retries: 2, initialRetryTime: 100 } });
    await admin.connect();
    return admin;
  }

  async #close(): Promise<void> {
    const admin = this.#admin;
    this.#admin = undefined;
    await admin?.then((open) => open.disconnect()).catch(() => undefined);
  }
}
