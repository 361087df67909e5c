import { EventEmitter } from 'node:events';
import { createLogger } from '@sociograph/observability';
import { ConfirmedChannel, type ConfirmedMessage, type ManagedConnection } from './confirmed-channel';

const logger = createLogger({ service: 'spec', instance: '0', level: 'silent' });

class FakeChannel extends EventEmitter {
  readonly published: unknown[][] = [];
  closed = 0;
  confirm: 'ack' | 'nack' | 'never' | 'return' | 'throw' = 'ack';
  publish(...args: unknown[]): void {
    if (this.confirm === 'throw') throw new Error('channel closed');
    const done = args.pop() as (error: unknown) => void;
    this.published.push(args);
    const { messageId } = args[3] as { messageId: string };
    if (this.confirm === 'return') this.emit('return', { properties: { messageId } });
    if (this.confirm !== 'never') done(this.confirm === 'nack' ? new Error('nacked') : null);
  }
  async close(): Promise<void> {
    this.closed += 1;
    this.emit('close');
  }
}

class FakeConnection {
  readonly channels: FakeChannel[] = [];
  failures = 0;
  async createConfirmChannel(): Promise<FakeChannel> {
    if (this.failures > 0) {
      this.failures -= 1;
      throw new Error('no channel');
    }
    const channel = new FakeChannel();
    this.channels.push(channel);
    return channel;
  }
}

class FakeManager extends EventEmitter {
  connection: FakeConnection | undefined;
  reconnect(): FakeConnection {
    this.connection = new FakeConnection();
    this.emit('connect', { connection: this.connection });
    return this.connection;
  }
}

describe('ConfirmedChannel', () => {
  let manager: FakeManager;
  let channels: ConfirmedChannel[];
  const message: ConfirmedMessage = {
    exchange: 'e',
    routingKey: 'k',
    content: Buffer.from('x'),
    options: { messageId: 'm-1', type: 't' },
  };

  beforeEach(() => {
    jest.useFakeTimers();
    manager = new FakeManager();
    channels = [];
  });
  afterEach(async () => {
    await Promise.all(channels.map((channel) => channel.close()));
    jest.useRealTimers();
  });

  function open(setup?: () => Promise<void>): ConfirmedChannel {
    const managed = manager as unknown as ManagedConnection;
    const channel = new ConfirmedChannel(managed, {
      name: 'spec',
      logger,
      ...(setup === undefined ? {} : { setup }),
    });
    channels.push(channel);
    return channel;
  }
  const first = (): FakeChannel => {
    const channel = manager.connection?.channels[0];
    if (channel === undefined) throw new Error('no channel yet');
    return channel;
  };

  it('publishes persistent and mandatory, on a connection that stood before it or came later', async () => {
    manager.reconnect();
    await open().publish(message);
    expect(first().published).toEqual([
      ['e', 'k', message.content, { persistent: true, mandatory: true, messageId: 'm-1', type: 't' }],
    ]);
    manager.connection = undefined;
    const late = open();
    const published = late.publish(message);
    manager.reconnect();
    await published;
    expect(manager.listenerCount('connect')).toBe(2);
  });

  it('tells apart what the broker refused, nobody took, could not be sent and was not confirmed', async () => {
    manager.reconnect();
    const channel = open();
    await channel.channel(10);
    const failure = async (confirm: FakeChannel['confirm']): Promise<unknown> => {
      first().confirm = confirm;
      const { code, kind, facts } = (await channel.publish(message).catch((thrown: unknown) => thrown)) as {
        code: string;
        kind: string;
        facts: unknown;
      };
      return [code, kind, facts];
    };
    expect(await failure('nack')).toEqual([
      'RABBIT.UNAVAILABLE',
      'unavailable',
      { reason: 'the broker refused the message' },
    ]);
    expect(await failure('return')).toEqual([
      'RABBIT.UNROUTABLE',
      'unavailable',
      { exchange: 'e', routingKey: 'k' },
    ]);
    expect(await failure('throw')).toEqual([
      'RABBIT.UNAVAILABLE',
      'unavailable',
      { reason: 'the message could not be sent' },
    ]);
    first().confirm = 'ack';
    await channel.publish(message);
    first().confirm = 'never';
    let late: unknown;
    void channel.publish(message).catch((error: unknown) => (late = error));
    await jest.advanceTimersByTimeAsync(4_999);
    expect(late).toBeUndefined();
    await jest.advanceTimersByTimeAsync(1);
    expect(late).toMatchObject({ code: 'RABBIT.UNAVAILABLE', facts: { reason: 'no confirm in time' } });
  });

  it('says in time that there is no connection', async () => {
    let late: unknown;
    void open()
      .publish(message, 70)
      .catch((error: unknown) => (late = error));
    await jest.advanceTimersByTimeAsync(69);
    expect(late).toBeUndefined();
    await jest.advanceTimersByTimeAsync(1);
    expect(late).toMatchObject({ facts: { reason: 'no connection' } });
  });

  it('opens a channel that closed alone again after half a second, and sets it up anew', async () => {
    const connection = manager.reconnect();
    let setups = 0;
    const channel = open(async () => void (setups += 1));
    await channel.channel(10);
    first().emit('error', new Error('precondition failed'));
    first().emit('close');
    await jest.advanceTimersByTimeAsync(499);
    expect([connection.channels.length, setups]).toEqual([1, 1]);
    await jest.advanceTimersByTimeAsync(1);
    expect([connection.channels.length, setups]).toEqual([2, 2]);
    expect(await channel.channel(10)).toBe(connection.channels[1]);
  });

  it('tries again when a channel cannot be opened', async () => {
    const connection = new FakeConnection();
    connection.failures = 2;
    manager.connection = connection;
    const channel = open();
    await jest.advanceTimersByTimeAsync(1_000);
    expect(await channel.channel(10)).toBe(connection.channels[0]);
  });

  it('leaves an old connection to its end when a new one has come', async () => {
    const old = manager.reconnect();
    const channel = open();
    await channel.channel(10);
    const fresh = manager.reconnect();
    old.channels[0]?.emit('close');
    await jest.advanceTimersByTimeAsync(2_000);
    expect([old.channels.length, fresh.channels.length]).toEqual([1, 1]);
  });

  it('closes its channel and listens no more', async () => {
    const connection = manager.reconnect();
    const channel = open();
    await channel.channel(10);
    await channel.close();
    expect(first().closed).toBe(1);
    manager.emit('connect', { connection });
    await jest.advanceTimersByTimeAsync(2_000);
    expect(connection.channels).toHaveLength(1);
    await channel.close();
    expect(first().closed).toBe(1);
  });
});
