import { TASK_HEADERS } from '@sociograph/contracts';
import { extractTrace, inSpan, isKept, runWithCorrelation, type Logger } from '@sociograph/observability';
import type { Channel, ConsumeMessage } from 'amqplib';
import { AmqpLink } from './amqp-link';
import { describeFailure } from './fate';

/** What the broker vouches for. */
export interface RpcProperties {
  /** Account of the sender, checked by RabbitMQ; undefined when the sender did not name one. */
  userId: string | undefined;
  /** Address of the answer: unique per connection of a client. */
  replyTo: string;
}

export interface RpcServerOptions {
  url: string;
  /** Exists already (topology file); consumed without acknowledgement and without a prefetch limit. */
  queue: string;
  logger: Logger;
  /** Answers one request; called for many at once. What it throws is answered as a failure with its code only. */
  handle(request: Buffer, properties: RpcProperties): Promise<Buffer> | Buffer;
}

/** Present on an answer that stands for a failed handler; its value is the code. */
export const RPC_ERROR_HEADER = 'x-rpc-error';

/** Serves requests from a queue over direct reply-to. Requests of a lost connection are lost with it: clients time out. */
export class RpcServer {
  readonly #options: RpcServerOptions;
  readonly #link: AmqpLink;
  /** Requests that are not answered yet, and who waits for there to be none. */
  #busy = 0;
  #onIdle: (() => void) | undefined;
  #consumer: { channel: Channel; tag: string } | undefined;

  constructor(options: RpcServerOptions) {
    this.#options = options;
    this.#link = new AmqpLink({
      url: options.url,
      name: `rpc server ${options.queue}`,
      logger: options.logger,
      setup: (channel) => this.#setUp(channel),
    });
  }

  /** Resolves when requests are being taken for the first time. */
  async listening(timeoutMs = 10_000): Promise<void> {
    await this.#link.channel(timeoutMs);
  }

  /** Takes no more, answers what it has, closes. */
  async close(): Promise<void> {
    const { channel, tag } = this.#consumer ?? {};
    if (channel !== undefined && tag !== undefined) await channel.cancel(tag).catch(() => undefined);
    if (this.#busy > 0) await new Promise<void>((resolve) => (this.#onIdle = resolve));
    await this.#link.close();
  }

  async #setUp(channel: Channel): Promise<void> {
    const { consumerTag } = await channel.consume(
      this.#options.queue,
      (message) => {
        if (message === null) {
          // The queue was deleted under us: begin anew with another channel.
          void channel.close().catch(() => undefined);
          return;
        }
        void this.#serve(channel, message);
      },
      { noAck: true },
    );
    this.#consumer = { channel, tag: consumerTag };
  }

  async #serve(channel: Channel, message: ConsumeMessage): Promise<void> {
    const { replyTo, correlationId, headers, userId } = message.properties as {
      replyTo: unknown;
      correlationId: unknown;
      userId: unknown;
      headers: Record<string, unknown> | undefined;
    };
    if (typeof replyTo !== 'string' || typeof correlationId !== 'string') return;
    const properties = { userId: typeof userId === 'string' ? userId : undefined, replyTo };
    this.#busy += 1;
    try {
      const answer = await this.#handle(message.content, properties, headers ?? {});
      send(channel, replyTo, answer, { correlationId });
    } catch (error) {
      this.#options.logger.error(
        { queue: this.#options.queue, err: error },
        'a request could not be handled',
      );
      const { code } = describeFailure(error);
      send(channel, replyTo, Buffer.alloc(0), { correlationId, headers: { [RPC_ERROR_HEADER]: code } });
    }
    this.#busy -= 1;
    if (this.#busy === 0) this.#onIdle?.();
  }

  #handle(
    request: Buffer,
    properties: RpcProperties,
    headers: Record<string, unknown>,
  ): Promise<Buffer> | Buffer {
    const correlation: unknown = headers[TASK_HEADERS.correlationId];
    const { handle, queue } = this.#options;
    const work = (): Promise<Buffer> | Buffer => {
      // A span that nobody keeps costs a tenth of a lease: only traces whose caller keeps them get one.
      if (!isKept(headers['traceparent'])) return handle(request, properties);
      return inSpan(`rpc ${queue}`, { kind: 'server', parent: extractTrace(headers) }, () =>
        handle(request, properties),
      );
    };
    return typeof correlation === 'string' ? runWithCorrelation(correlation, work) : work();
  }
}

function send(
  channel: Channel,
  replyTo: string,
  body: Buffer,
  options: { correlationId: string; headers?: Record<string, string> },
): void {
  try {
    channel.publish('', replyTo, body, options);
  } catch {
    // The channel closed meanwhile and the direct reply address with it: there is nobody to answer.
  }
}
