import { logBounds } from '@sociograph/messaging';
import type { Kafka } from 'kafkajs';

const LOOK_EVERY_MS = 250;

/** Resolves when the group has committed everything that was in these topics when it was called. */
export async function untilCaughtUp(kafka: Kafka, groupId: string, topics: readonly string[]): Promise<void> {
  const ends = new Map<string, number>();
  for (const topic of topics)
    for (const { partition, low, high } of await logBounds(kafka, topic))
      if (high > low) ends.set(`${topic}/${partition}`, high);
  const admin = kafka.admin();
  await admin.connect();
  try {
    for (;;) {
      const committed = await admin.fetchOffsets({ groupId, topics: [...topics] });
      for (const { topic, partitions } of committed)
        for (const { partition, offset } of partitions)
          if (Number(offset) >= (ends.get(`${topic}/${partition}`) ?? 0))
            ends.delete(`${topic}/${partition}`);
      if (ends.size === 0) return;
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}
