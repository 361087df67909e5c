import { connect as connectSocket } from 'node:net';
import { randomUUID } from 'node:crypto';
import {
  EXCHANGES,
  messageType,
  taskQueueTopology,
  userObserved,
  type PayloadOf,
} from '@sociograph/contracts';
import { createLogger, type Logger } from '@sociograph/observability';
import { Postgres } from '@sociograph/postgres';
import { ownDatabase, TcpProxy, testServers } from '@sociograph/testing';
import { connect as connectManaged } from 'amqp-connection-manager';
import { connect, type Channel, type ChannelModel, type GetMessage } from 'amqplib';
import type { Kafka } from 'kafkajs';
import type { ManagedConnection } from '../src';
import { createKafka } from '../src';

export const logger: Logger = createLogger({
  service: 'spec',
  instance: '0',
  level: process.env['SPEC_LOG_LEVEL'] ?? 'silent',
});

export function randomName(prefix: string): string {
  return `${prefix}-${randomUUID().slice(0, 8)}`;
}

export function kafkaClient(proxy?: TcpProxy): Kafka {
  const servers = testServers();
  return createKafka({
    brokers: servers.kafkaBrokers,
    username: servers.adminKafkaUsername,
    password: servers.adminKafkaPassword,
    clientId: 'spec',
    logger,
    ...(proxy === undefined
      ? {}
      : {
          socketFactory: ({ onConnect }) => connectSocket({ host: '127.0.0.1', port: proxy.port }, onConnect),
        }),
  });
}

/** A proxy in front of the first broker; every socket of a client made with it passes through. */
export async function kafkaProxy(): Promise<TcpProxy> {
  const [host, port] = (testServers().kafkaBrokers[0] ?? '').split(':');
  return new TcpProxy({ target: { host: host ?? '127.0.0.1', port: Number(port) } }).start();
}

export async function createTopics(kafka: Kafka, topics: string[], numPartitions = 6): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({
    waitForLeaders: true,
    topics: topics.map((topic) => ({ topic, numPartitions })),
  });
  await admin.disconnect();
}

export async function deleteTopics(kafka: Kafka, topics: string[]): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  await admin.deleteTopics({ topics });
  await admin.disconnect();
}

/** What the group has committed: partition -> offset, partitions without commit left out. */
export async function committed(
  kafka: Kafka,
  groupId: string,
  topic: string,
): Promise<Record<number, number>> {
  const admin = kafka.admin();
  await admin.connect();
  const [entry] = await admin.fetchOffsets({ groupId, topics: [topic] });
  await admin.disconnect();
  return Object.fromEntries(
    (entry?.partitions ?? [])
      .filter(({ offset }) => Number(offset) >= 0)
      .map(({ partition, offset }) => [partition, Number(offset)]),
  );
}

export interface StoredRecord {
  partition: number;
  offset: number;
  key: string | undefined;
  value: string | undefined;
  headers: Record<string, string>;
}

/** Every record of a topic, read with bare kafkajs. */
export async function readAll(kafka: Kafka, topic: string, count: number): Promise<StoredRecord[]> {
  const consumer = kafka.consumer({ groupId: randomName('spec-read'), maxWaitTimeInMs: 100 });
  const records: StoredRecord[] = [];
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`only ${records.length} of ${count} records`)), 10_000);
    void consumer.run({
      autoCommit: false,
      eachMessage: async ({ partition, message }) => {
        records.push({
          partition,
          offset: Number(message.offset),
          key: message.key?.toString(),
          value: message.value?.toString(),
          headers: Object.fromEntries(
            Object.entries(message.headers ?? {}).map(([name, value]) => [name, String(value)]),
          ),
        });
        if (records.length < count) return;
        clearTimeout(timer);
        resolve();
      },
    });
  });
  await consumer.disconnect();
  return records.sort((a, b) => a.partition - b.partition || a.offset - b.offset);
}

export function aPerson(userId: string, fence = 1): PayloadOf<typeof userObserved> {
  return { ...userObserved.example, userId, fence };
}

/** Headers that make a bare record one of ours. */
export function eventHeaders(): Record<string, string> {
  return {
    ce_type: messageType(userObserved),
    ce_id: randomUUID(),
    ce_source: 'spec',
    ce_specversion: '1.0',
  };
}

export function rabbitUrl(proxy?: TcpProxy): string {
  const url = new URL(testServers().adminRabbitmqUrl);
  if (proxy !== undefined) url.port = String(proxy.port);
  return url.toString();
}

export async function rabbitProxy(): Promise<TcpProxy> {
  const { hostname, port } = new URL(testServers().adminRabbitmqUrl);
  return new TcpProxy({ target: { host: hostname, port: Number(port) } }).start();
}

/** A connection as golevelup manages it. */
export function managedConnection(proxy?: TcpProxy): ManagedConnection {
  const connection = connectManaged([rabbitUrl(proxy)], {
    heartbeatIntervalInSeconds: 4,
    reconnectTimeInSeconds: 1,
    connectionOptions: { noDelay: true, timeout: 5_000 },
  });
  return connection as unknown as ManagedConnection;
}

export interface RabbitDesk {
  connection: ChannelModel;
  channel: Channel;
  /** Declares a work queue with its ladder and dead queue. */
  declareTasks(queue: string, ladder: { suffix: string; delayMs: number }[]): Promise<void>;
  /** Takes one message out of a queue, undefined when there is none. */
  take(queue: string): Promise<GetMessage | undefined>;
  close(): Promise<void>;
}

export async function rabbitDesk(): Promise<RabbitDesk> {
  const connection = await connect(rabbitUrl());
  const channel = await connection.createChannel();
  const declared: string[] = [];
  for (const exchange of [EXCHANGES.tasks, EXCHANGES.dead]) await channel.assertExchange(exchange, 'direct');
  return {
    connection,
    channel,
    async declareTasks(queue, ladder) {
      const { queues, bindings } = taskQueueTopology(queue, ladder);
      for (const { name, durable, arguments: args } of queues) {
        await channel.assertQueue(name, { durable, arguments: args });
        declared.push(name);
      }
      for (const binding of bindings)
        await channel.bindQueue(binding.queue, binding.exchange, binding.routingKey);
    },
    async take(queue) {
      const message = await channel.get(queue, { noAck: true });
      return message === false ? undefined : message;
    },
    async close() {
      for (const queue of declared) await channel.deleteQueue(queue);
      await connection.close();
    },
  };
}

export interface SpecDatabase {
  postgres: Postgres;
  url: string;
  drop(): Promise<void>;
}

/** A database of its own, dropped at the end. */
export async function specDatabase(...sql: string[]): Promise<SpecDatabase> {
  const database = await ownDatabase(testServers());
  const url = database.adminUrl;
  const postgres = new Postgres({ url, max: 6, logger });
  for (const statement of sql) await postgres.query(statement);
  return {
    postgres,
    url,
    async drop() {
      await postgres.end();
      await database.drop();
    },
  };
}
