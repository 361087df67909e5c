import { mergePositions, type Positions } from '@sociograph/contracts';
import { DomainError } from '@sociograph/kernel';
import { eventually } from '@sociograph/testing';
import type { Kafka, Message } from 'kafkajs';
import { logBounds, replayTopic, tailTopic, type EventBatch, type EventRecord, type Tail } from '../src';
import {
  aPerson,
  createTopics,
  deleteTopics,
  eventHeaders,
  kafkaClient,
  kafkaProxy,
  logger,
  randomName,
} from './servers';

jest.setTimeout(60_000);

describe('reading a log without a group', () => {
  const kafka: Kafka = kafkaClient();
  const created: string[] = [];
  const tails: Tail[] = [];

  afterEach(async () => {
    await Promise.all(tails.splice(0).map((tail) => tail.stop()));
  });
  afterAll(() => deleteTopics(kafka, created));

  async function aTopic(partitions = 2): Promise<string> {
    const topic = randomName('spec-log');
    await createTopics(kafka, [topic], partitions);
    created.push(topic);
    return topic;
  }

  async function send(topic: string, messages: Message[]): Promise<void> {
    const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
    await producer.connect();
    await producer.send({ topic, messages });
    await producer.disconnect();
  }

  const person = (userId: string, partition: number): Message => ({
    key: userId,
    value: JSON.stringify(aPerson(userId)),
    partition,
    headers: eventHeaders(),
  });
  const idsOf = (records: EventRecord[]): string[] => records.map(({ key }) => key);

  it('comes to the end of a log whose last offset no consumer ever sees', async () => {
    const topic = await aTopic(2);
    const transactionalId = randomName('spec-transaction');
    const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1, transactionalId });
    await producer.connect();
    const transaction = await producer.transaction();
    await transaction.send({ topic, messages: [person('a', 0)] });
    await transaction.commit();
    await producer.disconnect();
    // The broker writes the markers of a transaction after it said that it is committed.
    const ends = async () => (await logBounds(kafka, topic)).map(({ high }) => high).sort();
    await eventually(async () => expect(await ends()).toEqual([0, 2]), { timeoutMs: 10_000 });
    const seen: EventRecord[] = [];
    const tail = tailTopic({
      kafka,
      topic,
      fromBeginning: true,
      logger,
      onRecord: (record) => void seen.push(record),
    });
    tails.push(tail);
    await tail.caughtUp;
    expect(idsOf(seen)).toEqual(['a']);
    const replayed: EventRecord[] = [];
    const onBatch = async (batch: EventBatch): Promise<void> => void replayed.push(...batch.records);
    expect(await replayTopic({ kafka, topic, from: 'earliest', to: 'end', onBatch })).toEqual({
      [topic]: { '0': 2, '1': 0 },
    });
    expect(idsOf(replayed)).toEqual(['a']);
    await send(topic, [person('b', 0)]);
    await eventually(async () => idsOf(seen).join() === 'a,b', { timeoutMs: 20_000 });
  });

  it('replays a whole topic, tombstones and rejects included, and answers with its end', async () => {
    const topic = await aTopic(3);
    await send(topic, [
      person('a', 0),
      person('b', 1),
      { key: 'a', value: null, partition: 0 },
      { key: 'x', value: 'broken', partition: 1, headers: eventHeaders() },
    ]);
    const batches: EventBatch[] = [];
    const end = await replayTopic({
      kafka,
      topic,
      from: 'earliest',
      to: 'end',
      onBatch: async (batch) => {
        await batch.heartbeat();
        batches.push(batch);
      },
    });
    expect(end).toEqual({ [topic]: { '0': 2, '1': 2, '2': 0 } });
    const records = batches.flatMap((batch) => batch.records);
    expect(
      records.map(({ partition, offset, key, value }) => [partition, offset, key, value === null]).sort(),
    ).toEqual([
      [0, 0, 'a', false],
      [0, 1, 'a', true],
      [1, 0, 'b', false],
    ]);
    expect(batches.flatMap((batch) => batch.deadLettered).map(({ key, code }) => [key, code])).toEqual([
      ['x', 'EVENT.NOT_JSON'],
    ]);
    expect(batches.map(({ positions }) => positions).reduce(mergePositions)).toEqual({
      [topic]: { '0': 2, '1': 2 },
    });
  });

  it('replays exactly the records between two positions', async () => {
    const topic = await aTopic();
    await send(
      topic,
      Array.from({ length: 10 }, (_, n) => person(String(n), 0)),
    );
    await send(topic, [person('other', 1)]);
    const seen: string[] = [];
    const positions: Positions[] = [];
    const end = await replayTopic({
      kafka,
      topic,
      from: { [topic]: { '0': 3 } },
      to: { [topic]: { '0': 7 } },
      onBatch: async (batch) => {
        seen.push(...idsOf(batch.records));
        positions.push(batch.positions);
      },
    });
    expect(seen).toEqual(['3', '4', '5', '6']);
    expect(end).toEqual({ [topic]: { '0': 7 } });
    expect(positions.at(-1)).toEqual({ [topic]: { '0': 7 } });
    expect(
      await replayTopic({
        kafka,
        topic,
        from: end,
        to: end,
        onBatch: async () => Promise.reject(new Error('none')),
      }),
    ).toEqual(end);
  });

  it('refuses a position beyond the end, and passes on what the handler throws', async () => {
    const topic = await aTopic();
    await send(topic, [person('a', 0)]);
    const onBatch = async (): Promise<void> => {
      throw new TypeError('no');
    };
    await expect(
      replayTopic({ kafka, topic, from: 'earliest', to: { [topic]: { '0': 2 } }, onBatch }),
    ).rejects.toMatchObject({
      code: 'LOG.POSITION_BEYOND_END',
      kind: 'unprocessable',
      facts: { topic, partition: 0, wanted: 2, high: 1 },
    });
    await expect(replayTopic({ kafka, topic, from: 'earliest', to: 'end', onBatch })).rejects.toThrow('no');
    await expect(logBounds(kafka, randomName('absent'))).rejects.toMatchObject({
      code: 'KAFKA.UNAVAILABLE',
      kind: 'unavailable',
    });
  });

  it('goes on where it was when the connections break in mid-replay, and repeats at most a batch', async () => {
    const topic = await aTopic(1);
    for (let from = 0; from < 3_000; from += 500) {
      await send(
        topic,
        Array.from({ length: 500 }, (_, n) => person(String(from + n), 0)),
      );
    }
    const proxy = await kafkaProxy();
    const seen: number[] = [];
    const end = await replayTopic({
      kafka: kafkaClient(proxy),
      topic,
      from: 'earliest',
      to: 'end',
      onBatch: async (batch) => {
        if (seen.length === 0) proxy.cut();
        seen.push(...batch.records.map(({ offset }) => offset));
      },
    });
    expect(end).toEqual({ [topic]: { '0': 3_000 } });
    expect([...new Set(seen)]).toEqual(Array.from({ length: 3_000 }, (_, offset) => offset));
    await proxy.close();
  });

  function follow(
    topic: string,
    fromBeginning: boolean,
    onRecord: (record: EventRecord) => Promise<void>,
    via = kafka,
  ): Tail {
    const tail = tailTopic({ kafka: via, topic, fromBeginning, onRecord, logger, reader: 'spec' });
    tails.push(tail);
    return tail;
  }

  it('follows a topic from its beginning or from now, one record at a time', async () => {
    const topic = await aTopic();
    await send(topic, [person('a', 0), person('b', 0)]);
    const all: string[] = [];
    const fresh: string[] = [];
    let open = 0;
    const fromStart = follow(topic, true, async ({ key }) => {
      open += 1;
      expect(open).toBe(1);
      await new Promise((resolve) => setImmediate(resolve));
      open -= 1;
      all.push(key);
    });
    const fromNow = follow(topic, false, async ({ key }) => void fresh.push(key));
    await fromStart.caughtUp;
    expect(all).toEqual(['a', 'b']);
    await fromNow.caughtUp;
    await send(topic, [person('c', 0)]);
    await eventually(() => all.length === 3 && fresh.length === 1);
    expect(all).toEqual(['a', 'b', 'c']);
    expect(fresh).toEqual(['c']);
  });

  it('waits for an unreachable server, skips a record that cannot be processed, and repeats nothing after a cut', async () => {
    const topic = await aTopic(1);
    const proxy = await kafkaProxy();
    const seen: string[] = [];
    let tries = 0;
    const tail = follow(
      topic,
      true,
      async ({ key }) => {
        if (key === 'poison') throw new TypeError('no');
        if (key === 'wait') {
          tries += 1;
          if (tries < 3) throw new DomainError({ code: 'STORE.AWAY', kind: 'unavailable', message: 'away' });
        }
        seen.push(key);
      },
      kafkaClient(proxy),
    );
    await tail.caughtUp;
    await send(topic, [person('a', 0), person('poison', 0), person('wait', 0)]);
    await eventually(() => seen.length === 2);
    expect(tries).toBe(3);
    proxy.cut();
    await send(topic, [person('b', 0)]);
    await eventually(() => seen.includes('b'));
    expect(seen).toEqual(['a', 'wait', 'b']);
    await tail.stop();
    tails.length = 0;
    await proxy.close();
  });
});
