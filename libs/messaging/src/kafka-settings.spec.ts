import { TOPICS } from '@sociograph/contracts';
import { createLogger } from '@sociograph/observability';
import { fakeClock } from '@sociograph/testing';
import type {
  ConsumerConfig,
  ConsumerRunConfig,
  Kafka,
  KafkaMessage,
  ProducerConfig,
  ProducerRecord,
} from 'kafkajs';
import { batchPattern } from './batch-handler';
import { KafkaBatchServer } from './kafka-batch-server';
import { KafkaDeadLetters } from './kafka-dead-letters';
import { LogReader } from './log-reader';

const logger = createLogger({ service: 'spec', instance: '0', level: 'silent' });

type Listener = (event: { payload: Record<string, unknown> }) => void;

/** Notes how consumers and producers are made and used. */
class FakeKafka {
  readonly consumers: ConsumerConfig[] = [];
  readonly producers: ProducerConfig[] = [];
  readonly sent: ProducerRecord[] = [];
  readonly calls: unknown[] = [];
  readonly listeners = new Map<string, Listener>();

  readonly kafka = {
    consumer: (config: ConsumerConfig) => {
      this.consumers.push(config);
      return {
        events: { FETCH: 'fetch', REBALANCING: 'rebalancing', GROUP_JOIN: 'join', CRASH: 'crash' },
        on: (name: string, listener: Listener) => this.listeners.set(name, listener),
        connect: async () => void this.calls.push('connect'),
        subscribe: async (options: unknown) => void this.calls.push(options),
        run: async (options: ConsumerRunConfig) =>
          void this.calls.push({ ...options, eachBatch: typeof options.eachBatch }),
        seek: (place: unknown) => void this.calls.push(place),
        stop: async () => void this.calls.push('stop'),
        disconnect: async () => void this.calls.push('disconnect'),
      };
    },
    producer: (config: ProducerConfig) => {
      this.producers.push(config);
      return {
        connect: async () => undefined,
        send: async (record: ProducerRecord) => void this.sent.push(record),
        disconnect: async () => void this.calls.push('disconnect'),
      };
    },
  } as unknown as Kafka;
}

describe('settings against Kafka', () => {
  it('of the batch consumer are short, so that a killed member is missed for 6 s and not for 30', async () => {
    const fake = new FakeKafka();
    const topics = [TOPICS.users, 'other'];
    const server = new KafkaBatchServer({ kafka: fake.kafka, groupId: 'graph-storage', topics, logger });
    server.addHandler(batchPattern(topics), (async () => undefined) as never, true);
    server.listen((error) => expect(error).toBeUndefined());
    await new Promise((resolve) => setImmediate(resolve));
    expect(fake.consumers[0]).toMatchObject({
      groupId: 'graph-storage',
      sessionTimeout: 6_000,
      rebalanceTimeout: 6_000,
      heartbeatInterval: 1_000,
      maxWaitTimeInMs: 500,
      minBytes: 1,
      maxBytes: 4_194_304,
      maxBytesPerPartition: 1_048_576,
      allowAutoTopicCreation: false,
    });
    expect(fake.calls).toEqual([
      'connect',
      { topics: [TOPICS.users.name, 'other'], fromBeginning: true },
      {
        autoCommit: false,
        eachBatchAutoResolve: false,
        partitionsConsumedConcurrently: 256,
        eachBatch: 'function',
      },
    ]);
    await server.close();
    expect(fake.calls.slice(3)).toEqual(['stop', 'disconnect']);
    expect(() => server.on()).toThrow('events of this transport are not exposed');
  });

  it('end the process when kafkajs gives up, not when it begins again, and not while closing', async () => {
    const fake = new FakeKafka();
    const reasons: string[] = [];
    let progress = 0;
    const server = new KafkaBatchServer({
      kafka: fake.kafka,
      groupId: 'g',
      topics: ['t'],
      logger,
      fail: (reason) => reasons.push(reason),
      onProgress: () => (progress += 1),
    });
    server.addHandler(batchPattern(['t']), (async () => undefined) as never, true);
    server.listen(() => undefined);
    await new Promise((resolve) => setImmediate(resolve));
    const crash = (restart: boolean): void =>
      fake.listeners.get('crash')?.({ payload: { restart, error: new Error('lost') } });
    crash(true);
    expect(reasons).toEqual([]);
    crash(false);
    expect(reasons).toEqual(['the consumer of g gave up: lost']);
    for (const name of ['fetch', 'rebalancing', 'join']) fake.listeners.get(name)?.({ payload: {} });
    expect(progress).toBe(3);
    await server.joined();
    await server.close();
    crash(false);
    expect(reasons).toHaveLength(1);
  });

  it('of a reader name it after its owner, seek at every joining and end with the first loss', async () => {
    const fake = new FakeKafka();
    const lost: unknown[] = [];
    let fetches = 0;
    const reader = new LogReader({
      kafka: fake.kafka,
      topic: 't',
      reader: 'read-model-projector',
      onRecords: async () => undefined,
      onRefused: () => undefined,
      onLost: (error) => lost.push(error),
      onFetch: () => (fetches += 1),
    });
    await reader.start(
      new Map([
        [0, 7],
        [1, 0],
      ]),
    );
    const config = fake.consumers[0];
    expect(config?.groupId).toMatch(/^read-model-projector\.reader\.[0-9a-f-]{36}$/);
    expect(config).toMatchObject({
      sessionTimeout: 6_000,
      rebalanceTimeout: 6_000,
      heartbeatInterval: 1_000,
      maxWaitTimeInMs: 500,
      maxBytes: 8_388_608,
      allowAutoTopicCreation: false,
    });
    expect(await config?.retry?.restartOnFailure?.(new Error('x'))).toBe(false);
    expect(fake.calls).toEqual([
      'connect',
      { topics: ['t'], fromBeginning: true },
      { autoCommit: false, eachBatchAutoResolve: false, eachBatch: 'function' },
    ]);
    fake.listeners.get('join')?.({ payload: {} });
    fake.listeners.get('fetch')?.({ payload: {} });
    expect(fake.calls.slice(3)).toEqual([
      { topic: 't', partition: 0, offset: '7' },
      { topic: 't', partition: 1, offset: '0' },
    ]);
    expect(fetches).toBe(1);
    const error = new Error('lost');
    fake.listeners.get('crash')?.({ payload: { restart: false, error } });
    expect(lost).toEqual([error]);
    await reader.stop();
    fake.listeners.get('crash')?.({ payload: { restart: false, error } });
    expect(lost).toHaveLength(1);
    expect(fake.calls.slice(5)).toEqual(['stop', 'disconnect']);
  });

  it('of dead letters keep partition, key, bytes and headers, and wait for all replicas', async () => {
    const fake = new FakeKafka();
    const letters = new KafkaDeadLetters(fake.kafka, 'graph-storage', fakeClock(1_795_000_000_000));
    const raw = {
      key: Buffer.from('k'),
      value: Buffer.from('v'),
      headers: { own: 'kept' },
    } as unknown as KafkaMessage;
    const rejected = { topic: 't', partition: 3, offset: 41, key: 'k', code: 'C', reason: 'because', raw };
    await letters.add([rejected, { ...rejected, offset: 42 }]);
    expect(fake.producers).toHaveLength(1);
    expect(fake.producers[0]).toMatchObject({ allowAutoTopicCreation: false });
    const choose = fake.producers[0]?.createPartitioner?.();
    const choice = { topic: 't', partitionMetadata: [] };
    expect(choose?.({ ...choice, message: { value: null, partition: 3 } })).toBe(3);
    expect(choose?.({ ...choice, message: { value: null } })).toBe(0);
    expect(fake.sent).toHaveLength(2);
    expect(fake.sent[0]).toEqual({
      topic: 't.graph-storage.dlt',
      acks: -1,
      messages: [
        {
          key: raw.key,
          value: raw.value,
          partition: 3,
          headers: {
            own: 'kept',
            'dlt-reason': 'because',
            'dlt-code': 'C',
            'dlt-topic': 't',
            'dlt-partition': '3',
            'dlt-offset': '41',
            'dlt-group': 'graph-storage',
            'dlt-at': '2026-11-18T11:06:40.000Z',
          },
        },
      ],
    });
    await letters.add([rejected]);
    expect(fake.producers).toHaveLength(1);
    await letters.close();
    await letters.close();
    expect(fake.calls).toEqual(['disconnect']);
    await letters.add([rejected]);
    expect(fake.producers).toHaveLength(2);
  });
});
