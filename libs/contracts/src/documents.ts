import { z } from 'zod';
import { MESSAGES } from './catalogue';
import type { MessageDefinition } from './message';
import { messageType } from './message';
import { callQueue, TASK_NETWORKS } from './rabbit-topology';
import { callRequested } from './platform-messages';
import { deadLetterTopics, TOPICS } from './topics';
import type { TopicDefinition } from './topics';

/** JSON Schema (2020-12) of every message, by message type; additional fields are allowed, as versions grow. */
export function jsonSchemas(): Map<string, Record<string, unknown>> {
  return new Map(
    MESSAGES.map((message) => [
      messageType(message),
      {
        $id: `https://sociograph.dev/schemas/${messageType(message)}.json`,
        title: messageType(message),
        description: message.summary,
        ...z.toJSONSchema(message.schema, { io: 'input' }),
        examples: [message.example],
      },
    ]),
  );
}

/** The AsyncAPI 3.0 document of all topics and task queues. */
export function asyncApiDocument(): Record<string, unknown> {
  const topics = [...Object.values(TOPICS), ...deadLetterTopics()];
  const taskQueues = TASK_NETWORKS.map(callQueue);
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Sociograph events and tasks',
      version: '1.0.0',
      description:
        'Kafka is no tenant boundary: topics are for the services of the platform and for the data engineers of its ' +
        'operator. Records use CloudEvents 1.0 binary mode. Only optional fields are ever added to a version.',
    },
    channels: Object.fromEntries([
      ...topics.map((topic) => [channelId(topic.name), kafkaChannel(topic)]),
      ...taskQueues.map((queue) => [channelId(queue), rabbitChannel(queue)]),
    ]),
    operations: Object.fromEntries(
      [...topics.map((topic) => topic.name), ...taskQueues].map((name) => [
        `receive.${channelId(name)}`,
        { action: 'receive', channel: { $ref: `#/channels/${channelId(name)}` } },
      ]),
    ),
    components: {
      messages: Object.fromEntries(
        MESSAGES.map((message) => [messageType(message), documentedMessage(message)]),
      ),
    },
  };
}

function channelId(name: string): string {
  return name.replaceAll('.', '-');
}

function kafkaChannel(topic: TopicDefinition): Record<string, unknown> {
  return {
    address: topic.name,
    description: `${topic.summary}. Key: ${topic.key}.`,
    messages: messageRefs(topic.messages),
    bindings: { kafka: { topic: topic.name, partitions: topic.partitions } },
  };
}

function rabbitChannel(queue: string): Record<string, unknown> {
  return {
    address: queue,
    description: 'Task queue with a retry ladder and a dead queue',
    messages: messageRefs([callRequested]),
    bindings: { amqp: { is: 'queue', queue: { name: queue, durable: true } } },
  };
}

function messageRefs(messages: readonly MessageDefinition[]): Record<string, unknown> {
  return Object.fromEntries(
    messages.map((message) => [
      messageType(message),
      { $ref: `#/components/messages/${messageType(message)}` },
    ]),
  );
}

function documentedMessage(message: MessageDefinition): Record<string, unknown> {
  const { $schema: _dialect, ...payload } = z.toJSONSchema(message.schema, {
    io: 'input',
    target: 'draft-7',
  }) as Record<string, unknown>;
  return {
    name: messageType(message),
    title: messageType(message),
    summary: message.summary,
    contentType: 'application/json',
    payload,
    examples: [{ name: 'example', payload: message.example }],
  };
}
