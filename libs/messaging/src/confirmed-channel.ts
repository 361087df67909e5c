import type { AmqpConnection } from '@golevelup/nestjs-rabbitmq';
import { DomainError } from '@sociograph/kernel';
import type { Logger } from '@sociograph/observability';
import type { ChannelModel, ConfirmChannel, ConsumeMessage, Options } from 'amqplib';
import { rabbitUnavailable } from './amqp-link';
import { pause, within } from './backoff';

/** The reconnecting connection that golevelup manages. */
export type ManagedConnection = AmqpConnection['managedConnection'];

export interface ConfirmedChannelOptions {
  name: string;
  logger: Logger;
  /** Makes a new channel usable; runs again for every new channel. */
  setup?: (channel: ConfirmChannel) => Promise<void>;
}

export interface ConfirmedMessage {
  exchange: string;
  routingKey: string;
  content: Buffer;
  options: Options.Publish & { messageId: string };
}

/** Wait before a channel that closed alone (an error of RabbitMQ's) is opened again. */
const REOPEN_MS = 500;

/**
 * A confirm channel on the shared connection that comes back after a reconnection AND after an error of its own.
 * The channel wrapper of amqp-connection-manager does only the former, buffers while disconnected, takes
 * unroutable messages for delivered, and has no listener for errors of the channel, which would end the process.
 */
export class ConfirmedChannel {
  readonly #managed: ManagedConnection;
  readonly #options: ConfirmedChannelOptions;
  readonly #closing = new AbortController();
  readonly #returned = new Set<string>();
  readonly #onConnect = ({ connection }: { connection: unknown }): void => {
    void this.#open(connection as ChannelModel);
  };
  #ready: Promise<ConfirmChannel>;
  #onReady: (channel: ConfirmChannel) => void = () => undefined;
  #current: ConfirmChannel | undefined;

  constructor(managed: ManagedConnection, options: ConfirmedChannelOptions) {
    this.#managed = managed;
    this.#options = options;
    this.#ready = this.#awaitReady();
    managed.on('connect', this.#onConnect);
    const { connection } = managed as { connection?: ChannelModel };
    if (connection !== undefined) void this.#open(connection);
  }

  /** The channel, once there is one; throws `RABBIT.UNAVAILABLE` when there is none within `ms`. */
  async channel(ms: number): Promise<ConfirmChannel> {
    return within(this.#ready, ms, () => rabbitUnavailable('no connection'));
  }

  /**
   * Resolves when the broker has stored the message in a queue. Throws `RABBIT.UNAVAILABLE` (it may have
   * arrived) or `RABBIT.UNROUTABLE` (no queue took it), both kind unavailable.
   */
  async publish(
    { exchange, routingKey, content, options }: ConfirmedMessage,
    timeoutMs = 5_000,
  ): Promise<void> {
    const channel = await this.channel(timeoutMs);
    const confirmed = new Promise<void>((resolve, reject) => {
      const onConfirm = (error: unknown): void => {
        if (error === null || error === undefined) resolve();
        else reject(rabbitUnavailable('the broker refused the message', error));
      };
      try {
        channel.publish(
          exchange,
          routingKey,
          content,
          { persistent: true, mandatory: true, ...options },
          onConfirm,
        );
      } catch (error) {
        reject(rabbitUnavailable('the message could not be sent', error));
      }
    });
    await within(confirmed, timeoutMs, () => rabbitUnavailable('no confirm in time'));
    // An unroutable message is returned first and then confirmed all the same.
    if (this.#returned.delete(options.messageId)) throw unroutable(exchange, routingKey);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#managed.off('connect', this.#onConnect);
    await this.#current?.close().catch(() => undefined);
    this.#current = undefined;
  }

  async #open(connection: ChannelModel): Promise<void> {
    const { name, logger, setup } = this.#options;
    while (!this.#closing.signal.aborted && this.#isCurrent(connection)) {
      try {
        const channel = await connection.createConfirmChannel();
        channel.on('error', (error: Error) =>
          logger.warn({ channel: name, err: error }, 'the channel broke'),
        );
        channel.on('return', ({ properties }: ConsumeMessage) =>
          this.#returned.add(String(properties.messageId)),
        );
        const closed = new Promise<void>((resolve) => channel.on('close', () => resolve()));
        await setup?.(channel);
        this.#current = channel;
        this.#onReady(channel);
        await closed;
        this.#current = undefined;
        this.#ready = this.#awaitReady();
        this.#returned.clear();
      } catch (error) {
        logger.warn({ channel: name, err: error }, 'the channel cannot be opened yet');
      }
      await pause(REOPEN_MS, this.#closing.signal);
    }
  }

  /** False once the connection was replaced: its successor has a loop of its own. */
  #isCurrent(connection: ChannelModel): boolean {
    return (this.#managed as { connection?: ChannelModel }).connection === connection;
  }

  #awaitReady(): Promise<ConfirmChannel> {
    return new Promise((resolve) => (this.#onReady = resolve));
  }
}

function unroutable(exchange: string, routingKey: string): DomainError {
  return new DomainError({
    code: 'RABBIT.UNROUTABLE',
    kind: 'unavailable',
    message: 'No queue takes this message.',
    facts: { exchange, routingKey },
  });
}
