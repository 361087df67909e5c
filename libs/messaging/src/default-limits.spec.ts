import { createLogger } from '@sociograph/observability';
import { connect } from 'amqplib';
import type { Kafka } from 'kafkajs';
import { TOPICS, userObserved } from '@sociograph/contracts';
import { EventPublisher } from './event-publisher';
import { Fanout } from './fanout';
import { RpcClient } from './rpc-client';
import { RpcServer } from './rpc-server';

jest.mock('amqplib', () => ({ connect: jest.fn() }));

const logger = createLogger({ service: 'spec', instance: '0', level: 'silent' });
const url = 'amqp://h/v';

describe('how long is waited for a server that does not answer', () => {
  beforeEach(() => {
    jest.useFakeTimers();
    jest.mocked(connect).mockReturnValue(new Promise(() => undefined) as never);
  });
  afterEach(() => jest.useRealTimers());

  const silent = (): Kafka =>
    ({
      producer: () => ({
        connect: async () => undefined,
        sendBatch: () => new Promise(() => undefined),
        disconnect: async () => undefined,
      }),
    }) as unknown as Kafka;

  it.each<[string, number, () => Promise<unknown>]>([
    [
      'an event',
      10_000,
      () =>
        new EventPublisher({ kafka: silent(), source: 's' }).publish([
          { message: userObserved, topic: TOPICS.users, key: 'k', value: userObserved.example },
        ]),
    ],
    ['the connection of an RPC client', 10_000, () => new RpcClient({ url, queue: 'q', logger }).connect()],
    ['an RPC request', 250, () => new RpcClient({ url, queue: 'q', logger }).request(Buffer.alloc(0), 250)],
    [
      'the connection of an RPC server',
      10_000,
      () => new RpcServer({ url, queue: 'q', logger, handle: async (body) => body }).listening(),
    ],
    ['a fanout message', 5_000, () => new Fanout({ url, logger }).publishFanout('e', Buffer.alloc(0))],
    [
      'a fanout subscription',
      10_000,
      () => new Fanout({ url, logger }).subscribeFanout('e', () => undefined),
    ],
  ])('%s: %d ms', async (_what, ms, act) => {
    let failure: unknown;
    void act().catch((error: unknown) => (failure = error));
    await jest.advanceTimersByTimeAsync(ms - 1);
    expect(failure).toBeUndefined();
    await jest.advanceTimersByTimeAsync(1);
    expect(failure).toMatchObject({ kind: 'unavailable' });
  });
});
