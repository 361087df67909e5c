import type { Logger } from '@sociograph/observability';
import type { Channel } from 'amqplib';
import { AmqpLink, rabbitUnavailable } from './amqp-link';

export interface FanoutOptions {
  url: string;
  logger: Logger;
}

/**
 * News to every process at once, through a fanout exchange of the topology and one exclusive queue per
 * subscription. A subscriber that is disconnected misses what is sent meanwhile: use it to be quick, and check
 * again where it matters.
 */
export class Fanout {
  readonly #options: FanoutOptions;
  #publisher: AmqpLink | undefined;
  readonly #subscribers: AmqpLink[] = [];

  constructor(options: FanoutOptions) {
    this.#options = options;
  }

  /** Hands the body to the broker; throws `RABBIT.UNAVAILABLE`. Nobody need be listening. */
  async publishFanout(exchange: string, body: Buffer, timeoutMs = 5_000): Promise<void> {
    this.#publisher ??= this.#link('fanout publisher', async () => undefined);
    const channel = await this.#publisher.channel(timeoutMs);
    try {
      channel.publish(exchange, '', body);
    } catch (error) {
      throw rabbitUnavailable('the message could not be sent', error);
    }
  }

  /** Calls `onMessage` for all that is sent from now on; resolves when the queue is bound. */
  async subscribeFanout(
    exchange: string,
    onMessage: (body: Buffer) => void,
    timeoutMs = 10_000,
  ): Promise<void> {
    const link = this.#link(`fanout subscriber ${exchange}`, async (channel) => {
      const { queue } = await channel.assertQueue('', { exclusive: true, autoDelete: true, durable: false });
      await channel.bindQueue(queue, exchange, '');
      await channel.consume(queue, (message) => this.#deliver(exchange, message?.content, onMessage), {
        noAck: true,
      });
    });
    this.#subscribers.push(link);
    await link.channel(timeoutMs);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#subscribers, this.#publisher].map((link) => link?.close()));
  }

  #deliver(exchange: string, body: Buffer | undefined, onMessage: (body: Buffer) => void): void {
    if (body === undefined) return;
    try {
      onMessage(body);
    } catch (error) {
      this.#options.logger.error({ exchange, err: error }, 'a fanout message could not be handled');
    }
  }

  #link(name: string, setup: (channel: Channel) => Promise<void>): AmqpLink {
    return new AmqpLink({ url: this.#options.url, name, logger: this.#options.logger, setup });
  }
}
