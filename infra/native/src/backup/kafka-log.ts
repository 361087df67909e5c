import { Kafka, logLevel } from 'kafkajs';
import type { KafkaConnection, TopicSpec } from '../servers/kafka-admin';
import { PlainFault } from '../servers/server';
import type { GroupOffsets, PartitionBounds } from './manifest';

/** One record as it stood in the log; `k`, `v` and headers in base64. */
export interface RecordLine {
  readonly p: number;
  readonly o: number;
  /** Its timestamp, ms. */
  readonly t: string;
  readonly k: string | null;
  readonly v: string | null;
  readonly h?: readonly (readonly [name: string, value: string])[];
}

/** How far the views are: said anew by whoever builds them anew, and wrong of views that are not there. */
export const REBUILT_TOPIC = 'sociograph.views.v1';

export const CHANGES_TOPIC = 'sociograph.graph.changes.v1';
export const HEADS_TOPIC = 'sociograph.audit.heads.v1';
export const SUPPRESSIONS_TOPIC = 'sociograph.graph.suppressions.v1';

/**
 * Groups whose offsets say what is done; readers without a memory have groups of a moment. The warehouse of analytics is not in a
 * backup and made again from the topics: its group begins anew.
 */
export const LASTING_GROUPS = ['graph-storage', 'identity-service'] as const;

export function kafkaOf({ brokers, credentials }: KafkaConnection): Kafka {
  return new Kafka({
    clientId: 'sociograph-backup',
    brokers,
    logLevel: logLevel.NOTHING,
    connectionTimeout: 3_000,
    requestTimeout: 30_000,
    retry: { retries: 8, initialRetryTime: 200, maxRetryTime: 2_000 },
    ...(credentials === undefined ? {} : { sasl: { mechanism: 'scram-sha-512' as const, ...credentials } }),
  });
}

export function isCompacted({ config }: Pick<TopicSpec, 'config'>): boolean {
  return config['cleanup.policy']?.includes('compact') ?? false;
}

/** Where the partitions of these topics begin and end now; topics that the cluster has not are left out. */
export async function boundsOf(
  kafka: Kafka,
  topics: readonly string[],
): Promise<Record<string, PartitionBounds[]>> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    const there = new Set(await admin.listTopics());
    const bounds: Record<string, PartitionBounds[]> = {};
    for (const topic of topics.filter((name) => there.has(name)))
      bounds[topic] = (await admin.fetchTopicOffsets(topic))
        .map(({ partition, low, high }) => ({ partition, low: Number(low), high: Number(high) }))
        .sort((a, b) => a.partition - b.partition);
    return bounds;
  } finally {
    await admin.disconnect();
  }
}

/** What these groups have committed of these topics. */
export async function offsetsOf(
  kafka: Kafka,
  groups: readonly string[],
  topics: readonly string[],
): Promise<GroupOffsets> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    const offsets: Record<string, Record<string, Record<string, number>>> = {};
    for (const groupId of groups) {
      const committed = await admin.fetchOffsets({ groupId });
      const known = committed
        .filter(({ topic }) => topics.includes(topic))
        .map(({ topic, partitions }): [string, Record<string, number>] => [
          topic,
          Object.fromEntries(
            partitions
              .filter(({ offset }) => Number(offset) >= 0)
              .map(({ partition, offset }) => [String(partition), Number(offset)]),
          ),
        ])
        .filter(([, partitions]) => Object.keys(partitions).length > 0);
      if (known.length > 0) offsets[groupId] = Object.fromEntries(known);
    }
    return offsets;
  } finally {
    await admin.disconnect();
  }
}

/** Commits offsets for groups that nobody is a member of; throws a sentence for one that somebody is. */
export async function commitOffsets(kafka: Kafka, groups: GroupOffsets): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    const described = await admin.describeGroups(Object.keys(groups));
    const used = described.groups.filter(({ members }) => members.length > 0).map(({ groupId }) => groupId);
    if (used.length > 0)
      throw new PlainFault(`Somebody reads as ${used.join(', ')}: end the fleet before its offsets are set.`);
  } finally {
    await admin.disconnect();
  }
  for (const [groupId, topics] of Object.entries(groups)) await commit(kafka, groupId, topics);
}

/** As the group's only member, for all topics at once: kafkajs' own `setOffsets` takes five seconds for each. */
async function commit(kafka: Kafka, groupId: string, topics: GroupOffsets[string]): Promise<void> {
  const consumer = kafka.consumer({
    groupId,
    sessionTimeout: 10_000,
    maxWaitTimeInMs: 100,
    allowAutoTopicCreation: false,
  });
  const joined = new Promise<void>((resolve, reject) => {
    consumer.on(consumer.events.GROUP_JOIN, () => resolve());
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      if (!payload.restart) reject(payload.error);
    });
  });
  await consumer.connect();
  try {
    await consumer.subscribe({ topics: Object.keys(topics), fromBeginning: true });
    await consumer.run({ autoCommit: false, eachBatchAutoResolve: false, eachBatch: async () => undefined });
    await joined;
    await consumer.commitOffsets(
      Object.entries(topics).flatMap(([topic, partitions]) =>
        Object.entries(partitions).map(([partition, offset]) => ({
          topic,
          partition: Number(partition),
          offset: String(offset),
        })),
      ),
    );
  } finally {
    await consumer.disconnect();
  }
}
