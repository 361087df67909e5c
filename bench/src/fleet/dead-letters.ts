import { callQueue, deadLetterTopics, deadQueue, VHOST } from '@sociograph/contracts';
import { createKafka } from '@sociograph/messaging';
import { createLogger } from '@sociograph/observability';
import { askRabbit } from '@sociograph/testing';
import { needed, type ServerEnvironment } from './servers';

interface QueueView {
  messages?: number;
  message_stats?: { redeliver?: number };
}

/** Messages in the dead queue of VK's calls and records in all dead-letter topics. */
export async function deadLetters(env: ServerEnvironment): Promise<number> {
  const queue = await queueView(env, deadQueue(callQueue('vk')));
  return (queue.messages ?? 0) + (await deadRecords(env));
}

/** Messages in a queue, given out or not, and how often one was given out again. The broker counts every 5 s. */
export async function callsQueue(env: ServerEnvironment): Promise<{ messages: number; redelivered: number }> {
  const { messages = 0, message_stats } = await queueView(env, callQueue('vk'));
  return { messages, redelivered: message_stats?.redeliver ?? 0 };
}

async function queueView(env: ServerEnvironment, name: string): Promise<QueueView> {
  const path = `queues/${encodeURIComponent(VHOST)}/${encodeURIComponent(name)}`;
  return (await askRabbit<QueueView>(needed(env, 'RABBITMQ_MANAGEMENT_URL'), 'GET', path)) ?? {};
}

async function deadRecords(env: ServerEnvironment): Promise<number> {
  const kafka = createKafka({
    brokers: needed(env, 'KAFKA_BROKERS'),
    username: env['ADMIN_KAFKA_USERNAME'],
    password: env['ADMIN_KAFKA_PASSWORD'],
    clientId: 'drill',
    logger: createLogger({ service: 'bench', instance: 'drill', level: 'error' }),
  });
  const admin = kafka.admin();
  await admin.connect();
  try {
    let records = 0;
    for (const { name } of deadLetterTopics())
      for (const { high, low } of await admin.fetchTopicOffsets(name)) records += Number(high) - Number(low);
    return records;
  } finally {
    await admin.disconnect();
  }
}
