import { EventEmitter } from 'node:events';
import { createLogger } from '@sociograph/observability';
import { connect, type Channel, type ChannelModel } from 'amqplib';
import { AmqpLink, rabbitUnavailable } from './amqp-link';

jest.mock('amqplib', () => ({ connect: jest.fn() }));

const logger = createLogger({ service: 'spec', instance: '0', level: 'silent' });

class FakeChannel extends EventEmitter {
  closed = 0;
  constructor(private readonly order: string[]) {
    super();
  }
  async close(): Promise<void> {
    this.order.push('channel');
    this.closed += 1;
    this.emit('close');
  }
}

class FakeConnection extends EventEmitter {
  readonly channels: FakeChannel[] = [];
  readonly order: string[] = [];
  closed = 0;
  async createChannel(): Promise<FakeChannel> {
    const channel = new FakeChannel(this.order);
    this.channels.push(channel);
    return channel;
  }
  async close(): Promise<void> {
    this.order.push('connection');
    this.closed += 1;
    if (this.closed === 1) this.emit('close');
  }
}

describe('AmqpLink', () => {
  const connections: FakeConnection[] = [];
  let refusals = 0;
  let links: AmqpLink[] = [];

  beforeEach(() => {
    jest.useFakeTimers();
    connections.length = 0;
    refusals = 0;
    jest.mocked(connect).mockReset();
    jest.mocked(connect).mockImplementation((async () => {
      if (refusals > 0) {
        refusals -= 1;
        throw new Error('refused');
      }
      const connection = new FakeConnection();
      connections.push(connection);
      return connection as unknown as ChannelModel;
    }) as never);
  });
  afterEach(async () => {
    await Promise.all(links.map((link) => link.close()));
    links = [];
    jest.useRealTimers();
  });

  function aLink(
    url = 'amqp://h/v',
    setup: (channel: Channel) => Promise<void> = async () => undefined,
    onLost = (): void => undefined,
  ): AmqpLink {
    const link = new AmqpLink({ url, name: 'spec', logger, setup, onLost });
    links.push(link);
    return link;
  }

  it('connects with Nagle off, a short heartbeat and a name', async () => {
    const link = aLink('amqp://u:p@h:1/v');
    expect(await link.channel(100)).toBe(connections[0]?.channels[0]);
    expect(connect).toHaveBeenCalledWith('amqp://u:p@h:1/v?heartbeat=4', {
      noDelay: true,
      timeout: 5_000,
      clientProperties: { connection_name: 'spec' },
    });
    await aLink('amqp://h/v?heartbeat=9').channel(100);
    expect(jest.mocked(connect).mock.calls[1]?.[0]).toBe('amqp://h/v?heartbeat=9');
  });

  it('says in time that there is no channel', async () => {
    refusals = 1_000;
    const link = aLink();
    const asked = expect(link.channel(250)).rejects.toMatchObject({
      code: 'RABBIT.UNAVAILABLE',
      kind: 'unavailable',
      retryAfterSeconds: 1,
      facts: { reason: 'no connection' },
    });
    await jest.advanceTimersByTimeAsync(250);
    await asked;
  });

  it('tries again with growing waits of a second at most', async () => {
    refusals = 6;
    const link = aLink();
    const at: number[] = [];
    let known = 0;
    for (let ms = 0; ms <= 5_000; ms += 10) {
      const calls = jest.mocked(connect).mock.calls.length;
      if (calls > known) at.push(ms);
      known = calls;
      await jest.advanceTimersByTimeAsync(10);
    }
    expect(at.map((ms, index) => ms - (at[index - 1] ?? 0)).slice(1)).toEqual([
      200, 400, 800, 1000, 1000, 1000,
    ]);
    expect(await link.channel(1)).toBe(connections[0]?.channels[0]);
  });

  it('closes the connection of a channel that broke alone, says so, and offers a new one soon', async () => {
    let lost = 0;
    const setUp: unknown[] = [];
    const link = aLink(
      'amqp://h/v',
      async (channel) => void setUp.push(channel),
      () => (lost += 1),
    );
    await link.channel(100);
    connections[0]?.channels[0]?.emit('error', new Error('precondition failed'));
    connections[0]?.channels[0]?.emit('close');
    expect(lost).toBe(1);
    expect(connections[0]?.closed).toBe(1);
    const next = link.channel(200);
    await jest.advanceTimersByTimeAsync(100);
    expect(await next).toBe(connections[1]?.channels[0]);
    expect(setUp).toHaveLength(2);
  });

  it('begins anew when a channel cannot be set up', async () => {
    let tries = 0;
    const link = aLink('amqp://h/v', async () => {
      tries += 1;
      if (tries === 1) throw new Error('no queue');
    });
    const channel = link.channel(1_000);
    await jest.advanceTimersByTimeAsync(200);
    expect(await channel).toBe(connections[1]?.channels[0]);
    expect(connections[0]?.closed).toBe(1);
  });

  it('survives errors of the connection, and closes channel and connection in that order', async () => {
    const link = aLink();
    await link.channel(100);
    connections[0]?.emit('error', new Error('reset'));
    await link.close();
    expect(connections[0]?.order.slice(0, 2)).toEqual(['channel', 'connection']);
    expect(connections[0]?.channels[0]?.closed).toBe(1);
    expect(connections[0]?.closed).toBeGreaterThanOrEqual(1);
    await jest.advanceTimersByTimeAsync(5_000);
    expect(connect).toHaveBeenCalledTimes(1);
  });

  it('names reason and cause when RabbitMQ cannot be used', () => {
    const cause = new Error('x');
    expect(rabbitUnavailable('why', cause)).toMatchObject({
      code: 'RABBIT.UNAVAILABLE',
      facts: { reason: 'why' },
      cause,
    });
  });
});
