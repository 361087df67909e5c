import { Controller, Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { deadLetterTopic, partitionOf } from '@sociograph/contracts';
import { DomainError } from '@sociograph/kernel';
import { currentCorrelationId, Metrics } from '@sociograph/observability';
import { eventually } from '@sociograph/testing';
import type { Kafka, Message } from 'kafkajs';
import { BatchHandler, KafkaBatchServer, type EventBatch, type KafkaBatchServerOptions } from '../src';
import { batchPattern } from '../src/batch-handler';
import {
  aPerson,
  committed,
  createTopics,
  deleteTopics,
  eventHeaders,
  kafkaClient,
  kafkaProxy,
  logger,
  randomName,
  readAll,
} from './servers';

jest.setTimeout(60_000);

type Handle = (batch: EventBatch) => Promise<void>;

describe('KafkaBatchServer', () => {
  const kafka: Kafka = kafkaClient();
  const created: string[] = [];
  const servers: KafkaBatchServer[] = [];

  afterEach(async () => {
    await Promise.all(servers.splice(0).map((server) => server.close()));
  });
  afterAll(() => deleteTopics(kafka, created));

  async function aSetting(topicCount = 1): Promise<{ topics: string[]; groupId: string; dlt: string[] }> {
    const groupId = randomName('spec-group');
    const topics = Array.from({ length: topicCount }, () => randomName('spec-topic'));
    const dlt = topics.map((topic) => deadLetterTopic(topic, groupId));
    await createTopics(kafka, [...topics, ...dlt], 4);
    created.push(...topics, ...dlt);
    return { topics, groupId, dlt };
  }

  function serve(
    options: Pick<KafkaBatchServerOptions, 'topics' | 'groupId'> & Partial<KafkaBatchServerOptions>,
    handle: Handle,
  ): KafkaBatchServer {
    const server = new KafkaBatchServer({
      kafka,
      logger,
      fail: (reason) => failures.push(reason),
      ...options,
    });
    server.addHandler(batchPattern(options.topics), handle as never, true);
    server.listen((error) => {
      if (error !== undefined) throw error as Error;
    });
    servers.push(server);
    return server;
  }
  const failures: string[] = [];

  async function send(topic: string, messages: Message[]): Promise<void> {
    const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
    await producer.connect();
    await producer.send({ topic, messages });
    await producer.disconnect();
  }

  const person = (userId: string, partition: number, headers = eventHeaders()): Message => ({
    key: `demo:vk:user:${userId}`,
    value: JSON.stringify(aPerson(userId)),
    partition,
    headers,
  });

  it('gathers one partition number of all topics into one batch, in offset order, and commits after the handler', async () => {
    const { topics, groupId } = await aSetting(2);
    const [a = '', b = ''] = topics;
    await send(a, [person('1', 2), person('2', 2), person('3', 1)]);
    await send(b, [person('4', 2), person('5', 1), person('6', 2)]);
    const batches: EventBatch[] = [];
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    serve({ topics, groupId }, async (batch) => {
      batches.push(batch);
      await held;
    });
    await eventually(() => batches.length === 1);
    expect(await committed(kafka, groupId, a)).toEqual({});
    release();
    await eventually(() => batches.length === 2);
    await eventually(async () => expect(await committed(kafka, groupId, b)).toEqual({ 1: 1, 2: 2 }));
    expect(await committed(kafka, groupId, a)).toEqual({ 1: 1, 2: 2 });

    const seen = batches.map((batch) => ({
      partition: batch.partition,
      ids: batch.records.map((record) => (record.value as { userId: string }).userId),
      positions: batch.positions,
      dead: batch.deadLettered.length,
    }));
    expect(seen).toEqual([
      { partition: 1, ids: ['3', '5'], positions: { [a]: { '1': 1 }, [b]: { '1': 1 } }, dead: 0 },
      { partition: 2, ids: ['1', '2', '4', '6'], positions: { [a]: { '2': 2 }, [b]: { '2': 2 } }, dead: 0 },
    ]);
  });

  it('moves a poison record to the dead-letter topic with its reason, and the partition goes on', async () => {
    const { topics, groupId, dlt } = await aSetting();
    const [topic = ''] = topics;
    const metrics = new Metrics({ service: 'spec', instance: '0', processMetrics: false });
    const handled: string[] = [];
    const dead: { offset: number; code: string }[] = [];
    await send(topic, [
      person('1', 0),
      { key: 'k', value: '{broken', partition: 0, headers: { ...eventHeaders(), own: 'kept' } },
      person('2', 0),
      person('poison', 0),
      person('3', 0),
    ]);
    serve({ topics, groupId, metrics }, async (batch) => {
      const ids = batch.records.map((record) => (record.value as { userId: string }).userId);
      if (ids.includes('poison')) throw new TypeError('cannot digest');
      handled.push(...ids);
      dead.push(...batch.deadLettered.map(({ offset, code }) => ({ offset, code })));
    });
    await eventually(async () => expect(await committed(kafka, groupId, topic)).toEqual({ 0: 5 }));
    expect(handled).toEqual(['1', '2', '3']);
    expect(dead).toEqual([
      { offset: 1, code: 'EVENT.NOT_JSON' },
      { offset: 3, code: 'UNEXPECTED' },
    ]);
    const letters = await readAll(kafka, dlt[0] ?? '', 2);
    expect(letters.map(({ partition, key, value }) => ({ partition, key, value }))).toEqual([
      { partition: 0, key: 'k', value: '{broken' },
      { partition: 0, key: 'demo:vk:user:poison', value: JSON.stringify(aPerson('poison')) },
    ]);
    expect(letters[0]?.headers).toMatchObject({
      own: 'kept',
      ce_type: 'sociograph.social.user-observed.v1',
      'dlt-code': 'EVENT.NOT_JSON',
      'dlt-reason': 'the value is no JSON',
      'dlt-topic': topic,
      'dlt-partition': '0',
      'dlt-offset': '1',
      'dlt-group': groupId,
    });
    expect(letters[1]?.headers).toMatchObject({
      'dlt-code': 'UNEXPECTED',
      'dlt-reason': 'cannot digest',
      'dlt-offset': '3',
    });
    const text = await metrics.registry.metrics();
    expect(text).toContain(`kafka_dead_lettered_records_total{group="${groupId}",topic="${topic}"`);
    expect(text).toMatch(new RegExp(`kafka_consumed_records_total\\{group="${groupId}"[^}]*\\} 3`));
  });

  it('waits for an unreachable store as long as it takes, commits nothing meanwhile, and keeps its membership', async () => {
    const { topics, groupId } = await aSetting();
    const [topic = ''] = topics;
    let away = true;
    let tries = 0;
    let beats = 0;
    const server = serve({ topics, groupId }, async () => {
      tries += 1;
      if (away) throw new DomainError({ code: 'STORE.AWAY', kind: 'unavailable', message: 'away' });
    });
    await server.joined();
    const consumer = server.unwrap<ReturnType<Kafka['consumer']>>();
    consumer.on(consumer.events.HEARTBEAT, () => (beats += 1));
    await send(topic, [person('1', 0)]);
    // Longer than the session timeout of 6 s: without heartbeats the member would be thrown out.
    await eventually(() => tries >= 7, { timeoutMs: 20_000 });
    expect(await committed(kafka, groupId, topic)).toEqual({});
    away = false;
    await eventually(async () => expect(await committed(kafka, groupId, topic)).toEqual({ 0: 1 }));
    // The loop itself beats only between fetches: these came while the handler was waited for.
    expect(beats).toBeGreaterThanOrEqual(4);
  });

  it('delivers again what was not committed when a member died, and keeps partitions of all topics together', async () => {
    const { topics, groupId } = await aSetting(2);
    const [a = '', b = ''] = topics;
    const byMember: Record<string, Set<string>> = { first: new Set(), second: new Set() };
    const handled: string[] = [];
    const note =
      (member: string): Handle =>
      async (batch) => {
        for (const record of batch.records) {
          byMember[member]?.add(`${record.topic}/${record.partition}`);
          handled.push((record.value as { userId: string }).userId);
        }
      };
    const all = (from: number): Message[] =>
      Array.from({ length: 8 }, (_, index) => person(String(from + index), index % 4));
    const first = serve({ topics, groupId }, note('first'));
    await first.joined();
    const second = serve({ topics, groupId }, note('second'));
    await second.joined();
    await send(a, all(0));
    await send(b, all(100));
    await eventually(() => handled.length >= 16, { timeoutMs: 20_000 });
    const split = Object.values(byMember).map((seen) => [...seen].map((place) => place.split('/')));
    for (const places of split) {
      const partitionsOf = (topic: string): string[] =>
        places.flatMap(([name, partition = '']) => (name === topic ? [partition] : [])).sort();
      expect(partitionsOf(a)).toEqual(partitionsOf(b));
    }
    expect([...new Set(split.flat().map(([, partition]) => partition))].sort()).toEqual(['0', '1', '2', '3']);

    await first.close();
    servers.splice(servers.indexOf(first), 1);
    await send(a, all(200));
    await eventually(() => handled.filter((id) => Number(id) >= 200).length >= 8, { timeoutMs: 15_000 });
    await eventually(async () =>
      expect(await committed(kafka, groupId, a)).toEqual({ 0: 4, 1: 4, 2: 4, 3: 4 }),
    );
  });

  it('hands at most maxBatchRecords to one call and commits between the calls', async () => {
    const { topics, groupId } = await aSetting();
    const [topic = ''] = topics;
    await send(
      topic,
      Array.from({ length: 7 }, (_, index) => person(String(index), 1)),
    );
    const sizes: number[] = [];
    const ends: unknown[] = [];
    const seenCommits: unknown[] = [];
    serve({ topics, groupId, maxBatchRecords: 3 }, async (batch) => {
      seenCommits.push(await committed(kafka, groupId, topic));
      sizes.push(batch.records.length);
      ends.push(batch.positions[topic]?.['1']);
      await batch.heartbeat();
    });
    await eventually(async () => expect(await committed(kafka, groupId, topic)).toEqual({ 1: 7 }));
    expect(sizes).toEqual([3, 3, 1]);
    expect(ends).toEqual([3, 6, 7]);
    expect(seenCommits).toEqual([{}, { 1: 3 }, { 1: 6 }]);
  });

  it('resumes within 10 s after every connection to the broker was cut, and after the broker was away', async () => {
    const { topics, groupId } = await aSetting();
    const [topic = ''] = topics;
    const proxy = await kafkaProxy();
    const handled: string[] = [];
    const server = serve(
      { topics, groupId, kafka: kafkaClient(proxy), onProgressTimeoutMs: 2_000 },
      async (batch) => {
        handled.push(...batch.records.map((record) => (record.value as { userId: string }).userId));
      },
    );
    await server.joined();
    await send(topic, [person('1', 0)]);
    await eventually(() => handled.includes('1'));
    proxy.cut();
    await send(topic, [person('2', 0)]);
    await eventually(() => handled.includes('2'), { timeoutMs: 10_000 });
    proxy.refuse();
    await send(topic, [person('3', 0)]);
    // Twice the time after which silence counts, were it not the broker's.
    await new Promise((resolve) => setTimeout(resolve, 4_500));
    expect(failures).toEqual([]);
    proxy.restore();
    const startedAt = performance.now();
    await eventually(() => handled.includes('3'), { timeoutMs: 10_000 });
    if (process.env['SPEC_TIMES'] !== undefined)
      process.stderr.write(`resumed after ${performance.now() - startedAt} ms\n`);
    await server.close();
    await proxy.close();
  });

  it('says that it is stuck when the loop stands still although the broker answers', async () => {
    const { topics, groupId } = await aSetting();
    const [topic = ''] = topics;
    const reasons: string[] = [];
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const server = serve(
      {
        topics,
        groupId,
        onProgressTimeoutMs: 2_000,
        handlerTimeoutMs: 1_000,
        fail: (reason) => reasons.push(reason),
      },
      () => held,
    );
    await server.joined();
    await send(topic, [person('1', 0)]);
    await eventually(() => reasons.length === 1, { timeoutMs: 8_000 });
    expect(reasons[0]).toMatch(new RegExp(`^the fetch loop of ${groupId} made no progress for \\d{4} ms$`));
    release();
  });

  it('refuses to listen when no handler is declared for its topics', async () => {
    const server = new KafkaBatchServer({ kafka, logger, topics: ['b', 'a'], groupId: 'none' });
    const errors: unknown[] = [];
    server.listen((error) => errors.push(error));
    expect(errors).toEqual([new Error('no @BatchHandler for batch:a,b')]);
    await server.close();
  });

  it('feeds a @BatchHandler of a Nest application, errors and correlation id included', async () => {
    const { topics, groupId } = await aSetting();
    const [topic = ''] = topics;
    const seen: { id: string; correlation: string | undefined }[] = [];
    let failing = true;

    @Injectable()
    class Sink {
      take(id: string): void {
        if (failing) {
          failing = false;
          throw new DomainError({ code: 'STORE.AWAY', kind: 'unavailable', message: 'away' });
        }
        seen.push({ id, correlation: currentCorrelationId() });
      }
    }

    @Controller()
    class PeopleConsumer {
      constructor(private readonly sink: Sink) {}

      @BatchHandler({ topics })
      async onBatch(batch: EventBatch): Promise<void> {
        for (const record of batch.records) this.sink.take((record.value as { userId: string }).userId);
      }
    }

    @Module({ controllers: [PeopleConsumer], providers: [Sink] })
    class SpecModule {}

    const app = await NestFactory.createMicroservice(SpecModule, {
      strategy: new KafkaBatchServer({ kafka, logger, topics, groupId }),
      logger: false,
    });
    await app.listen();
    await send(topic, [person('7', 0, { ...eventHeaders(), ce_correlationid: 'import-7' })]);
    await eventually(() => seen.length === 1);
    expect(seen).toEqual([{ id: '7', correlation: 'import-7' }]);
    await app.close();
  });

  it('brings 20,000 records through in a few seconds', async () => {
    const { topics, groupId } = await aSetting();
    const [topic = ''] = topics;
    const messages = Array.from({ length: 20_000 }, (_, index) =>
      person(String(index), partitionOf(`demo:vk:user:${index}`, 4)),
    );
    for (let from = 0; from < messages.length; from += 2_000)
      await send(topic, messages.slice(from, from + 2_000));
    let count = 0;
    const startedAt = performance.now();
    serve({ topics, groupId }, async (batch) => {
      count += batch.records.length;
    });
    await eventually(() => count === 20_000, { timeoutMs: 20_000 });
    const tookMs = performance.now() - startedAt;
    if (process.env['SPEC_TIMES'] !== undefined) process.stderr.write(`20,000 records: ${tookMs} ms\n`);
    expect(tookMs).toBeLessThan(10_000);
  });
});
