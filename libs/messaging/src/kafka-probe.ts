import type { Kafka } from 'kafkajs';
import { within } from './backoff';

/** True when the cluster answers a question within `ms`. Opens a connection of its own: use it in doubt, not in a loop. */
export async function kafkaAnswers(kafka: Kafka, ms = 3_000): Promise<boolean> {
  const admin = kafka.admin({ retry: { retries: 0 } });
  try {
    await within(
      admin.connect().then(() => admin.describeCluster()),
      ms,
      () => new Error('no answer in time'),
    );
    return true;
  } catch {
    return false; // Whatever the reason: it does not answer.
  } finally {
    void admin.disconnect().catch(() => undefined);
  }
}
