import type { Positions } from '@sociograph/contracts';
import { DomainError } from '@sociograph/kernel';
import type { Admin, Kafka } from 'kafkajs';
import { LogEnds } from '../projections/ports';

/** Topic -> partition -> offsets of the first and of the next record. */
export type LogBounds = Map<number, { low: number; high: number }>;

/** Asks Kafka for the ends of logs, over one connection that is opened when first needed. */
export class KafkaLogEnds extends LogEnds {
  private admin: Promise<Admin> | undefined;

  constructor(private readonly kafka: Kafka) {
    super();
  }

  async beyond(positions: Positions): Promise<boolean> {
    for (const [topic, partitions] of Object.entries(positions)) {
      const bounds = await this.boundsOf(topic);
      for (const [partition, offset] of Object.entries(partitions)) {
        if (offset > (bounds.get(Number(partition))?.high ?? 0)) return true;
      }
    }
    return false;
  }

  async boundsOf(topic: string): Promise<LogBounds> {
    try {
      const admin = await (this.admin ??= this.connect());
      const offsets = await admin.fetchTopicOffsets(topic);
      return new Map(
        offsets.map(({ partition, low, high }) => [partition, { low: Number(low), high: Number(high) }]),
      );
    } catch (cause) {
      await this.close();
      throw new DomainError({
        code: 'VIEWS.LOG_AWAY',
        kind: 'unavailable',
        message: 'The event log cannot be asked right now',
        retryAfterSeconds: 1,
        cause,
      });
    }
  }

  async close(): Promise<void> {
    const admin = this.admin;
    this.admin = undefined;
    await admin?.then((open) => open.disconnect()).catch(() => undefined);
  }

  private async connect(): Promise<Admin> {
    const admin = this.kafka.admin({ retry: { retries: 2, initialRetryTime: 100 } });
    await admin.connect();
    return admin;
  }
}
