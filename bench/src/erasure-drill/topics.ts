import { CONSUMER_GROUPS, deadLetterTopics, TOPICS, type TopicDefinition } from '@sociograph/contracts';
import { createKafka } from '@sociograph/messaging';
import { createLogger } from '@sociograph/observability';
import { needed, type ServerEnvironment } from '../fleet/servers';
import type { Person } from './person';

/** Long enough that nobody who reads a topic is overtaken. */
const RETENTION_MS = '30000';

type Kafka = ReturnType<typeof createKafka>;

export function kafkaOf(env: ServerEnvironment): Kafka {
  return createKafka({
    brokers: needed(env, 'KAFKA_BROKERS').split(','),
    username: env['ADMIN_KAFKA_USERNAME'],
    password: env['ADMIN_KAFKA_PASSWORD'],
    clientId: 'drill',
    logger: createLogger({ service: 'bench', instance: 'drill', level: 'error' }),
  });
}

/** What the topics of a platform do within days: compaction and retention, and the removal of files after it. */
export async function shortenTopics(kafka: Kafka): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    await admin.alterConfigs({
      validateOnly: false,
      resources: shortened().map(({ name, config }) => ({
        // ConfigResourceTypes.TOPIC
        type: 2,
        name,
        configEntries: Object.entries(config).map(([key, value]) => ({ name: key, value })),
      })),
    });
  } finally {
    await admin.disconnect();
  }
}

/** Of the topics that may hold people, with their configuration: all of it, because another one is replaced as a whole. */
export function shortened(): { name: string; config: Record<string, string> }[] {
  const soon = { 'segment.ms': '2000', 'file.delete.delay.ms': '1000' };
  const kept = ({ name, config }: TopicDefinition) => ({
    name,
    config: { ...config, ...soon, 'retention.ms': RETENTION_MS },
  });
  const { name, config } = TOPICS.graphChanges;
  const compacted = {
    ...{ ...config, ...soon, 'min.cleanable.dirty.ratio': '0.01' },
    ...{ 'max.compaction.lag.ms': '2000', 'delete.retention.ms': '1000' },
  };
  return [
    ...CONSUMER_GROUPS.graphStorage.topics.map(kept),
    ...deadLetterTopics().map(kept),
    { name, config: compacted },
  ];
}

/** A record about the person that nobody can read: it is given up and lies among the dead letters. */
export async function sendUnreadable(kafka: Kafka, { id, first, last }: Person): Promise<void> {
  const producer = kafka.producer();
  await producer.connect();
  try {
    await producer.send({
      topic: TOPICS.users.name,
      messages: [
        { key: `demo:vk:user:${id}`, value: `{"userId":"${id}","firstName":"${first}","lastName":"${last}"` },
      ],
    });
  } finally {
    await producer.disconnect();
  }
}
