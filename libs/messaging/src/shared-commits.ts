import type { TopicOffsets } from 'kafkajs';

interface Waiting {
  topics: readonly TopicOffsets[];
  resolve(): void;
  reject(error: unknown): void;
}

/**
 * Commits of several partition numbers that fall into one turn of the event loop go out in one request: partitions that
 * are stored together end together, and a broker answers the requests of one connection one after the other.
 */
export class SharedCommits {
  #waiting: Waiting[] = [];

  constructor(private readonly send: (topics: TopicOffsets[]) => Promise<void>) {}

  /** Resolves when these are committed; throws what the coordinator answered to the request that held them. */
  add(topics: readonly TopicOffsets[]): Promise<void> {
    if (topics.length === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#waiting.push({ topics, resolve, reject });
      if (this.#waiting.length === 1) setImmediate(() => void this.#flush());
    });
  }

  async #flush(): Promise<void> {
    const together = this.#waiting.splice(0);
    try {
      await this.send(merged(together.flatMap(({ topics }) => topics)));
      for (const { resolve } of together) resolve();
    } catch (error) {
      for (const { reject } of together) reject(error);
    }
  }
}

/** Each topic once, in the order of their first appearance. */
function merged(all: readonly TopicOffsets[]): TopicOffsets[] {
  const byTopic = new Map<string, TopicOffsets>();
  for (const { topic, partitions } of all) {
    const known = byTopic.get(topic);
    if (known === undefined) byTopic.set(topic, { topic, partitions: [...partitions] });
    else known.partitions.push(...partitions);
  }
  return [...byTopic.values()];
}
