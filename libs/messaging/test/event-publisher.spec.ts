import { mergePositions, partitionOf, userObserved, vertexChanged } from '@sociograph/contracts';
import { runWithCorrelation, startTracing, inSpan, type Tracing } from '@sociograph/observability';
import { fakeClock, sequentialIds, type TcpProxy } from '@sociograph/testing';
import type { Kafka } from 'kafkajs';
import { EventPublisher, type OutgoingEvent } from '../src';
import { aPerson, createTopics, deleteTopics, kafkaClient, kafkaProxy, randomName, readAll } from './servers';

jest.setTimeout(60_000);

describe('EventPublisher', () => {
  let kafka: Kafka;
  let tracing: Tracing;
  const topic = randomName('spec-published');
  const perf = randomName('spec-published-fast');

  beforeAll(async () => {
    tracing = startTracing({ service: 'spec', instance: '0', sampleRatio: 1 });
    kafka = kafkaClient();
    await createTopics(kafka, [topic, perf], 3);
  });

  afterAll(async () => {
    await deleteTopics(kafka, [topic, perf]);
    await tracing.shutdown();
  });

  const event = (userId: string): OutgoingEvent => ({
    message: userObserved,
    topic,
    key: `demo:vk:user:${userId}`,
    value: aPerson(userId),
  });

  it('writes CloudEvents headers, trace and correlation id, and answers with the offsets after its events', async () => {
    const publisher = new EventPublisher({
      kafka,
      source: 'parser-service',
      clock: fakeClock(1_795_000_000_000),
      ids: sequentialIds('event'),
    });
    let traceId = '';
    const first = await inSpan('spec', {}, (span) => {
      traceId = span.spanContext().traceId;
      return runWithCorrelation('import-7', () =>
        publisher.publish([{ ...event('1'), subject: 'user/1', headers: { source: '{"a":{"0":4}}' } }]),
      );
    });
    const key = 'demo:vk:user:1';
    const partition = partitionOf(key, 3);
    expect(first).toEqual({ [topic]: { [String(partition)]: 1 } });

    const second = await publisher.publish([event('1'), { ...event('1'), value: null, id: 'given' }]);
    expect(second).toEqual({ [topic]: { [String(partition)]: 3 } });
    await publisher.close();

    const records = await readAll(kafka, topic, 3);
    expect(records.map((record) => [record.partition, record.offset, record.key])).toEqual([
      [partition, 0, key],
      [partition, 1, key],
      [partition, 2, key],
    ]);
    expect(records[0]?.headers).toEqual({
      ce_specversion: '1.0',
      ce_id: 'event-1',
      ce_source: 'parser-service',
      ce_type: 'sociograph.social.user-observed.v1',
      ce_time: '2026-11-18T11:06:40.000Z',
      ce_subject: 'user/1',
      ce_correlationid: 'import-7',
      'content-type': 'application/json',
      traceparent: expect.stringContaining(traceId) as string,
      source: '{"a":{"0":4}}',
    });
    expect(JSON.parse(records[0]?.value ?? '')).toEqual(aPerson('1'));
    expect(records[1]?.headers).not.toHaveProperty('ce_subject');
    expect(records[1]?.headers).not.toHaveProperty('ce_correlationid');
    expect(records[2]?.value).toBeUndefined();
    expect(records[2]?.headers['ce_id']).toBe('given');
  });

  it('answers each of many concurrent publications with its own offsets', async () => {
    const publisher = new EventPublisher({ kafka, source: 'spec' });
    const before = await publisher.publish([0, 1, 2].map((partition) => ({ ...event('9'), partition })));
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, index) =>
        publisher.publish([{ ...event(String(index)), partition: index % 3 }]),
      ),
    );
    for (const partition of ['0', '1', '2']) {
      const from = before[topic]?.[partition] ?? 0;
      const offsets = answers.flatMap((answer) => answer[topic]?.[partition] ?? []);
      expect(offsets).toEqual(Array.from({ length: 20 }, (_, index) => from + index + 1));
    }
    expect(answers.reduce(mergePositions)).toEqual({
      [topic]: Object.fromEntries(
        Object.entries(before[topic] ?? {}).map(([partition, offset]) => [partition, offset + 20]),
      ),
    });
    await publisher.close();
    await expect(publisher.publish([event('1')])).rejects.toMatchObject({ code: 'KAFKA.UNAVAILABLE' });
  });

  it('refuses what does not fit its schema, what is too large and what has no topic, and sends none of it', async () => {
    const publisher = new EventPublisher({ kafka, source: 'spec' });
    const bad = { ...aPerson('1'), userId: 'not valid!' };
    await expect(publisher.publish([event('1'), { ...event('1'), value: bad }])).rejects.toMatchObject({
      code: 'EVENT.INVALID',
      kind: 'bug',
      facts: { message: 'sociograph.social.user-observed', path: 'userId' },
    });
    const ids = Array.from({ length: 40_000 }, (_, index) => `person-${index}-${'x'.repeat(4)}`);
    const large = { ...vertexChanged.example, friends: { ids, complete: true, observedAt: 1, fence: 1 } };
    await expect(
      publisher.publish([{ message: vertexChanged, topic, key: 'k', value: large }]),
    ).rejects.toMatchObject({ code: 'EVENT.TOO_LARGE', kind: 'bug', facts: { limit: 524_288 } });
    await expect(
      publisher.publish([{ message: { ...userObserved, name: 'unknown' }, key: 'k', value: aPerson('1') }]),
    ).rejects.toMatchObject({ code: 'EVENT.TOPIC_UNKNOWN', kind: 'bug' });
    expect(await publisher.publish([])).toEqual({});
    await publisher.close();
  });

  it('reports a broker that does not answer in time as unavailable, and publishes again once it does', async () => {
    const proxy: TcpProxy = await kafkaProxy();
    const publisher = new EventPublisher({ kafka: kafkaClient(proxy), source: 'spec', timeoutMs: 1_500 });
    await publisher.publish([event('1')]);
    proxy.stall();
    const startedAt = performance.now();
    await expect(publisher.publish([event('2')])).rejects.toMatchObject({
      code: 'KAFKA.UNAVAILABLE',
      kind: 'unavailable',
      retryAfterSeconds: 1,
    });
    expect(performance.now() - startedAt).toBeLessThan(3_000);
    proxy.restore();
    const positions = await publisher.publish([event('2')]);
    expect(Object.keys(positions)).toEqual([topic]);
    proxy.cut();
    await publisher.publish([event('3')]);
    await publisher.close();
    await proxy.close();
  });

  it('publishes 200 friend lists of 10 KB without waiting for each', async () => {
    const publisher = new EventPublisher({ kafka, source: 'spec' });
    const ids = Array.from({ length: 900 }, (_, index) => String(100_000_000 + index));
    const list = { ...vertexChanged.example, friends: { ids, complete: true, observedAt: 1, fence: 1 } };
    await publisher.publish([{ message: vertexChanged, topic: perf, key: 'k', value: list }]);
    const startedAt = performance.now();
    const took: number[] = [];
    await Promise.all(
      Array.from({ length: 200 }, async (_, index) => {
        const at = performance.now();
        await publisher.publish([{ message: vertexChanged, topic: perf, key: `k${index}`, value: list }]);
        took.push(performance.now() - at);
      }),
    );
    const allMs = performance.now() - startedAt;
    if (process.env['SPEC_TIMES'] !== undefined) process.stderr.write(`200 lists: ${allMs} ms\n`);
    // A wait of 41 ms for each, as small segments have without noDelay, would be more.
    expect(allMs).toBeLessThan(8_000);
    await publisher.close();
  });
});
