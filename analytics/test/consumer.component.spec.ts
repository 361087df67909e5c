import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import 'reflect-metadata';
import {
  DEAD_LETTER_HEADERS,
  deadLetterTopic,
  friendListObserved,
  personSuppressed,
  recordKey,
  userObserved,
  vertexChanged,
  type MessageDefinition,
} from '@sociograph/contracts';
import { Secret } from '@sociograph/kernel';
import { createKafka, EventPublisher, replayTopic } from '@sociograph/messaging';
import { createLogger } from '@sociograph/observability';
import { createHostContext, type HostContext } from '@sociograph/service-host';
import { markOf } from '@sociograph/suppression';
import { eventually, ownSuppressionKey, testServers } from '@sociograph/testing';
import type { Kafka } from 'kafkajs';
import type { AnalyticsConfig } from '../src/config';
import { DuckDbWarehouse } from '../src/infrastructure/duckdb-warehouse';
import { runAnalytics, type AnalyticsRun } from '../src/run-analytics';

const SPAN = { timeoutMs: 60_000, everyMs: 200 };

describe('the analytics consumer on Kafka', () => {
  const run = randomUUID().slice(0, 8);
  const groupId = `analytics-spec-${run}`;
  const topics = ['users', 'lists', 'changes'].map((name) => `spec.${run}.${name}`);
  const [users, lists, changes] = topics as [string, string, string];
  const marks = `spec.${run}.marks`;
  const folder = mkdtempSync(join(tmpdir(), 'analytics-'));
  const file = join(folder, 'graph.duckdb');
  const keyFile = ownSuppressionKey();
  const servers = testServers();
  const logger = createLogger({ service: 'spec', instance: '0', level: 'silent' });
  let kafka: Kafka;
  let publisher: EventPublisher;
  let ctx: HostContext;
  const waits: number[] = [];

  const config = {
    SERVICE_NAME: 'analytics',
    INSTANCE_ID: '0',
    NODE_ENV: 'test',
    LOG_LEVEL: process.env['SPEC_LOG_LEVEL'] ?? 'silent',
    HTTP_HOST: '127.0.0.1',
    HTTP_PORT: 0,
    MANAGEMENT_PORT: 0,
    TRACE_SAMPLE_RATIO: 0,
    KAFKA_BROKERS: servers.kafkaBrokers,
    KAFKA_USERNAME: servers.adminKafkaUsername,
    KAFKA_PASSWORD: servers.adminKafkaPassword,
    ANALYTICS_DUCKDB_FILE: file,
    ANALYTICS_BATCH_RECORDS: 50,
    SUPPRESSION_KEY_FILE: keyFile,
  } as AnalyticsConfig;

  const start = async (lookEveryMs = 100): Promise<AnalyticsRun> => {
    ctx = createHostContext(config);
    const pause = { wait: async (ms: number) => void waits.push(ms) };
    const options = { groupId, topics, suppressionTopic: marks, lookEveryMs, pause };
    const running = await runAnalytics(config, ctx, options);
    await running.joined();
    return running;
  };
  const publish = (message: MessageDefinition, topic: string, key: string, value: unknown) =>
    publisher.publish([{ message, topic, key, value: value as never }]);
  const person = (userId: string, observedAt = 1_000) =>
    publish(userObserved, users, recordKey('demo', 'vk', 'user', userId), {
      ...userObserved.example,
      userId,
      observedAt,
    });
  const markErased = async (id: string): Promise<void> => {
    const mark = markOf(new Secret(readFileSync(keyFile, 'utf8').trim()), 'demo', 'vk', id);
    await publish(personSuppressed, marks, `demo:vk:${mark}`, { ...personSuppressed.example, mark });
  };
  /** One process at a time may have the file: the consumer is stopped before it is looked into. */
  const stopAndAsk = async (sql: string): Promise<Record<string, unknown>[]> => {
    await ctx.shutdown.run('spec');
    const warehouse = new DuckDbWarehouse(file);
    const rows = await warehouse.ask(sql);
    await warehouse.close();
    return rows;
  };
  const deadLetters = async (): Promise<Record<string, string>[]> => {
    const found: Record<string, string>[] = [];
    await replayTopic({
      ...{ kafka, topic: deadLetterTopic(users, groupId), from: 'earliest', to: 'end' },
      onBatch: async ({ records }) => void found.push(...records.map(({ headers }) => headers)),
    });
    return found;
  };

  beforeAll(async () => {
    kafka = createKafka({
      brokers: servers.kafkaBrokers,
      username: servers.adminKafkaUsername,
      password: servers.adminKafkaPassword,
      clientId: 'spec',
      logger,
    });
    const admin = kafka.admin();
    await admin.connect();
    const dead = topics.map((topic) => deadLetterTopic(topic, groupId));
    await admin.createTopics({
      waitForLeaders: true,
      topics: [...topics, ...dead, marks].map((topic) => ({
        topic,
        numPartitions: topic === marks ? 1 : 2,
      })),
    });
    await admin.disconnect();
    publisher = new EventPublisher({ kafka, source: 'spec' });
  }, 60_000);

  afterAll(async () => {
    await ctx?.shutdown.run('spec');
    await publisher.close();
    const admin = kafka.admin();
    await admin.connect();
    await admin.deleteTopics({
      topics: [...topics, ...topics.map((topic) => deadLetterTopic(topic, groupId)), marks],
    });
    await admin.disconnect();
    rmSync(folder, { recursive: true, force: true });
  }, 60_000);

  it('writes what comes, dead-letters what the warehouse refuses and goes on, and forgets the erased', async () => {
    await person('1');
    await person('2');
    await publish(friendListObserved, lists, recordKey('demo', 'vk', 'user', '1'), {
      ...friendListObserved.example,
      userId: '1',
      friendIds: ['2', '107'],
    });
    await person('666', 4_102_444_800_000);
    await person('107');
    await publish(vertexChanged, changes, recordKey('demo', 'vk', 'user', '107'), vertexChanged.example);
    await start();
    await eventually(async () => {
      const dead = await deadLetters();
      expect(dead.map((headers) => headers[DEAD_LETTER_HEADERS.code])).toEqual(['ANALYTICS.ROWS_REFUSED']);
    }, SPAN);
    const metric = async (name: string): Promise<number> => {
      const values = (await ctx.metrics.registry.getSingleMetric(name)?.get())?.values ?? [];
      return values.reduce((sum, { value }) => sum + value, 0);
    };
    expect(waits.slice(0, 3)).toEqual([2_000, 4_000, 8_000]);
    // Whoever is erased before being stored is left out, not taken out.
    await eventually(
      async () => expect(await metric('analytics_records_stored_total')).toBeGreaterThanOrEqual(5),
      SPAN,
    );
    await person('3');
    await markErased('107');
    await eventually(async () => {
      expect(await metric('analytics_people_erased_total')).toBe(1);
      expect(await metric('analytics_records_stored_total')).toBeGreaterThanOrEqual(6);
    }, SPAN);
    // It stands still while the warehouse is away: that must not count as dead.
    expect((await ctx.health.report()).beats).toEqual({});
    expect(await stopAndAsk('SELECT id FROM people ORDER BY id')).toEqual([
      { id: '1' },
      { id: '2' },
      { id: '3' },
    ]);
    const warehouse = new DuckDbWarehouse(file);
    expect(await warehouse.ask('SELECT friend_ids FROM friend_lists')).toEqual([{ friend_ids: ['2'] }]);
    expect(await warehouse.ask('SELECT id FROM stored_people')).toEqual([]);
    await warehouse.close();
  }, 240_000);

  it('forgets who was erased while it was not running, also in a run that ends before the first look', async () => {
    await markErased('2');
    const running = await start(3_600_000);
    await running.forgetErased();
    expect(await stopAndAsk('SELECT id FROM people ORDER BY id')).toEqual([{ id: '1' }, { id: '3' }]);
  }, 120_000);
});
