import { TOPICS, userObserved, vertexChanged, type PayloadOf } from '@sociograph/contracts';
import { eventually, fakeClock, sequentialIds } from '@sociograph/testing';
import type { Kafka, Message, ProducerBatch, RecordMetadata } from 'kafkajs';
import { EventPublisher, MAX_RECORD_BYTES, type OutgoingEvent } from './event-publisher';

type Answer = (batch: ProducerBatch) => Promise<RecordMetadata[]>;

class FakeKafka {
  readonly producers: { config: unknown; disconnected: boolean }[] = [];
  readonly requests: ProducerBatch[] = [];
  readonly ends = new Map<string, number>();
  answer: Answer = async (batch) => this.append(batch);
  connectFails = 0;

  readonly kafka = {
    producer: (config: unknown) => {
      const producer = { config, disconnected: false };
      this.producers.push(producer);
      return {
        connect: async () => {
          if (this.connectFails > 0) {
            this.connectFails -= 1;
            throw new Error('refused');
          }
        },
        sendBatch: async (batch: ProducerBatch) => {
          this.requests.push(batch);
          return this.answer(batch);
        },
        disconnect: async () => {
          producer.disconnected = true;
        },
      };
    },
  } as unknown as Kafka;

  append(batch: ProducerBatch): RecordMetadata[] {
    const answers = new Map<string, RecordMetadata>();
    for (const { topic, messages } of batch.topicMessages ?? []) {
      for (const { partition = 0 } of messages) {
        const place = `${topic}/${partition}`;
        const end = this.ends.get(place) ?? 0;
        if (!answers.has(place)) {
          answers.set(place, { topicName: topic, partition, errorCode: 0, baseOffset: String(end) });
        }
        this.ends.set(place, end + 1);
      }
    }
    return [...answers.values()];
  }
}

const person = (userId: string, pad = ''): OutgoingEvent => {
  const value: PayloadOf<typeof userObserved> = {
    ...userObserved.example,
    userId,
    profile: { firstName: pad, lastName: 'x' },
  };
  return { message: userObserved, key: userId, value, partition: 1 };
};
const sizes = (fake: FakeKafka): number[] =>
  fake.requests.map(({ topicMessages }) =>
    (topicMessages ?? []).reduce((sum, { messages }) => sum + messages.length, 0),
  );

describe('EventPublisher', () => {
  let fake: FakeKafka;
  let publisher: EventPublisher;

  beforeEach(() => {
    fake = new FakeKafka();
    publisher = new EventPublisher({
      kafka: fake.kafka,
      source: 'spec',
      clock: fakeClock(),
      ids: sequentialIds(),
      timeoutMs: 100,
    });
  });
  afterEach(() => publisher.close());

  it('insists on all replicas and on an idempotent producer that creates no topics', async () => {
    await publisher.publish([person('1')]);
    expect(fake.producers).toHaveLength(1);
    const config = fake.producers[0]?.config as {
      createPartitioner(): (choice: { message: Message }) => number;
    };
    expect(config).toMatchObject({ idempotent: true, maxInFlightRequests: 1, allowAutoTopicCreation: false });
    const choose = config.createPartitioner();
    expect(choose({ message: { value: null, partition: 4 } })).toBe(4);
    expect(choose({ message: { value: null } })).toBe(0);
    expect(fake.requests[0]).toMatchObject({ acks: -1, timeout: 5_000 });
    expect(fake.requests[0]?.topicMessages?.map(({ topic }) => topic)).toEqual([TOPICS.users.name]);
  });

  it('sends what is asked for while a request is out together with the next one', async () => {
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    fake.answer = async (batch) => {
      if (fake.requests.length === 1) await held;
      return fake.append(batch);
    };
    const ask = (n: number) => publisher.publish([person(String(n))]);
    const answers = [ask(0)];
    await eventually(() => fake.requests.length === 1);
    answers.push(...[1, 2, 3, 4].map(ask));
    release();
    const next = (await Promise.all(answers)).map((positions) => positions[TOPICS.users.name]?.['1']);
    expect(next).toEqual([1, 2, 3, 4, 5]);
    expect(sizes(fake)).toEqual([1, 4]);
  });

  it('sends what is asked for side by side as one request', async () => {
    await Promise.all(Array.from({ length: 6 }, (_, n) => publisher.publish([person(String(n))])));
    expect(sizes(fake)).toEqual([6]);
  });

  it('leaves nobody waiting who asks in the moment in which the last request of others ends', async () => {
    const patient = new EventPublisher({ kafka: fake.kafka, source: 'spec', timeoutMs: 60_000 });
    // Whoever is left behind waits for the next one to ask, who does not come: each distance has its own turn.
    for (let ticks = 0; ticks < 40; ticks += 1) {
      let release: () => void = () => undefined;
      const held = new Promise<void>((resolve) => (release = resolve));
      fake.answer = async (batch) => held.then(() => fake.append(batch));
      const sent = fake.requests.length;
      const first = patient.publish([person('1')]);
      await eventually(() => fake.requests.length > sent, { everyMs: 1 });
      release();
      for (let tick = 0; tick < ticks; tick += 1) await Promise.resolve();
      await Promise.all([first, patient.publish([person('2')])]);
    }
    expect(fake.requests).toHaveLength(80);
    await patient.close();
  }, 20_000);

  it('keeps a request below the size of a batch that the broker takes, and below 1,000 records', async () => {
    const many = Array.from({ length: 1_001 }, (_, n) => person(String(n)));
    expect(await publisher.publish(many)).toEqual({ [TOPICS.users.name]: { '1': 1_001 } });
    expect(sizes(fake)).toEqual([1_000, 1]);
    fake.requests.length = 0;
    const ids = Array.from({ length: 30_000 }, (_, n) => String(100_000_000 + n));
    const large = { ...vertexChanged.example, friends: { ids, complete: true, observedAt: 1, fence: 1 } };
    const bytes = Buffer.byteLength(JSON.stringify(large));
    expect(bytes).toBeGreaterThan(300_000);
    await publisher.publish(
      Array.from({ length: 5 }, () => ({ message: vertexChanged, key: 'k', value: large, partition: 0 })),
    );
    expect(sizes(fake)).toEqual([2, 2, 1]);
  });

  it('takes a record of exactly the limit and refuses one byte more', async () => {
    expect(MAX_RECORD_BYTES).toBe(524_288);
    const padded = (bytes: number): OutgoingEvent => ({
      ...person('1'),
      headers: { pad: 'x'.repeat(bytes) },
    });
    const fits = await sizeOf(padded(0));
    await publisher.publish([padded(MAX_RECORD_BYTES - fits)]);
    await expect(publisher.publish([padded(MAX_RECORD_BYTES - fits + 1)])).rejects.toMatchObject({
      code: 'EVENT.TOO_LARGE',
      facts: { bytes: MAX_RECORD_BYTES + 1 },
    });
  });

  /** Bytes of a record as the publisher counts them: told by its own refusal. */
  async function sizeOf(event: OutgoingEvent): Promise<number> {
    const beyond = { ...event, headers: { pad: 'x'.repeat(MAX_RECORD_BYTES) } };
    const error = (await publisher.publish([beyond]).catch((thrown: unknown) => thrown)) as {
      facts: { bytes: number };
    };
    return error.facts.bytes - MAX_RECORD_BYTES;
  }

  it('replaces the producer after a failed request and goes on with the next', async () => {
    fake.answer = () => Promise.reject(new Error('broken'));
    await expect(publisher.publish([person('1')])).rejects.toMatchObject({
      code: 'KAFKA.UNAVAILABLE',
      kind: 'unavailable',
      facts: { reason: 'the broker did not take the records' },
    });
    fake.answer = async (batch) => fake.append(batch);
    await publisher.publish([person('1')]);
    expect(fake.producers.map(({ disconnected }) => disconnected)).toEqual([true, false]);
  });

  it.each([
    ['no offset', [{ topicName: TOPICS.users.name, partition: 1, errorCode: 0 }]],
    ['a negative offset', [{ topicName: TOPICS.users.name, partition: 1, errorCode: 0, baseOffset: '-1' }]],
    ['another partition', [{ topicName: TOPICS.users.name, partition: 2, errorCode: 0, baseOffset: '7' }]],
  ])('does not believe an answer with %s', async (_case, answer) => {
    fake.answer = async () => answer;
    await expect(publisher.publish([person('1')])).rejects.toMatchObject({
      code: 'KAFKA.UNAVAILABLE',
      facts: { reason: 'the broker named no offset' },
    });
  });

  it('believes offset 0', async () => {
    expect(await publisher.publish([person('1')])).toEqual({ [TOPICS.users.name]: { '1': 1 } });
  });

  it('gives up at its timeout, and goes on with a new producer', async () => {
    let requests = 0;
    fake.answer = (batch) => {
      requests += 1;
      return requests === 1 ? new Promise(() => undefined) : Promise.resolve(fake.append(batch));
    };
    const first = publisher.publish([person('1')]);
    const late = { code: 'KAFKA.UNAVAILABLE', facts: { reason: 'no acknowledgement in time' } };
    await expect(first).rejects.toMatchObject(late);
    expect(await publisher.publish([person('3')])).toEqual({ [TOPICS.users.name]: { '1': 1 } });
    expect(fake.producers.map(({ disconnected }) => disconnected)).toEqual([true, false]);
  });

  it('tries to connect again after a refusal', async () => {
    fake.connectFails = 1;
    await expect(publisher.connect()).rejects.toMatchObject({
      code: 'KAFKA.UNAVAILABLE',
      facts: { reason: 'the broker cannot be reached' },
    });
    await publisher.connect();
    await publisher.connect();
    expect(fake.producers).toHaveLength(2);
  });

  it('disconnects when it is closed, after what was asked for', async () => {
    const asked = publisher.publish([person('1')]);
    await new Promise((resolve) => setImmediate(resolve));
    await publisher.close();
    expect(await asked).toEqual({ [TOPICS.users.name]: { '1': 1 } });
    expect(fake.producers[0]?.disconnected).toBe(true);
    await expect(publisher.publish([person('1')])).rejects.toMatchObject({
      facts: { reason: 'the publisher is closed' },
    });
  });
});
