import { TASK_HEADERS } from '@sociograph/contracts';
import { DomainError, TimeOrderedIds, type Ids } from '@sociograph/kernel';
import { currentCorrelationId, injectTrace, openKeptSpan, type Logger } from '@sociograph/observability';
import type { Channel, ConsumeMessage } from 'amqplib';
import { AmqpLink, rabbitUnavailable } from './amqp-link';
import { RPC_ERROR_HEADER } from './rpc-server';

export interface RpcClientOptions {
  url: string;
  /** Queue of the server. */
  queue: string;
  logger: Logger;
  ids?: Ids;
}

interface Waiting {
  resolve(answer: Buffer): void;
  reject(error: unknown): void;
}

const DIRECT_REPLY = 'amq.rabbitmq.reply-to';

/**
 * Requests over direct reply-to on a connection of its own. A request is sent once and never repeated: whether
 * it took effect before a failure is for the protocol above to settle (request ids).
 */
export class RpcClient {
  readonly #options: RpcClientOptions & { ids: Ids };
  readonly #userId: string | undefined;
  readonly #link: AmqpLink;
  readonly #waiting = new Map<string, Waiting>();

  constructor(options: RpcClientOptions) {
    this.#options = { ids: new TimeOrderedIds(), ...options };
    const { username } = new URL(options.url);
    // RabbitMQ refuses a user_id that is not the connection's: the server may rely on it.
    this.#userId = username === '' ? undefined : decodeURIComponent(username);
    this.#link = new AmqpLink({
      url: options.url,
      name: `rpc client ${options.queue}`,
      logger: options.logger,
      setup: (channel) => this.#setUp(channel),
      onLost: () => this.#rejectAll(rabbitUnavailable('the connection broke before the answer')),
    });
  }

  /** Resolves when the first connection stands. */
  async connect(timeoutMs = 10_000): Promise<void> {
    await this.#link.channel(timeoutMs);
  }

  /**
   * The server's answer. Throws `RPC.TIMEOUT`, `RABBIT.UNAVAILABLE` or `RPC.NO_SERVER` (all kind unavailable),
   * and `RPC.FAILED` when the server's handler threw.
   */
  async request(body: Buffer, timeoutMs: number): Promise<Buffer> {
    const deadline = performance.now() + timeoutMs;
    const channel = await this.#link.channel(timeoutMs);
    const correlationId = this.#options.ids.next();
    const remainingMs = Math.max(1, Math.ceil(deadline - performance.now()));
    const span = openKeptSpan(`rpc ${this.#options.queue}`, {
      kind: 'client',
      attributes: { 'messaging.system': 'rabbitmq', 'messaging.destination.name': this.#options.queue },
    });
    return new Promise<Buffer>((resolve, reject) => {
      const fail = (error: unknown): void => (span?.end(error), reject(error as Error));
      const timer = setTimeout(() => {
        this.#waiting.delete(correlationId);
        fail(failure('RPC.TIMEOUT', 'The server did not answer in time.'));
      }, remainingMs);
      this.#waiting.set(correlationId, {
        resolve: (answer) => (clearTimeout(timer), span?.end(), resolve(answer)),
        reject: (error) => (clearTimeout(timer), fail(error)),
      });
      try {
        channel.publish('', this.#options.queue, body, {
          replyTo: DIRECT_REPLY,
          correlationId,
          // Nobody waits for it after that: the broker drops it from the queue.
          expiration: String(remainingMs),
          mandatory: true,
          headers: this.#headers(span?.traceparent),
          ...(this.#userId === undefined ? {} : { userId: this.#userId }),
        });
      } catch (error) {
        this.#settle(correlationId)?.reject(rabbitUnavailable('the request could not be sent', error));
      }
    });
  }

  async close(): Promise<void> {
    await this.#link.close();
    this.#rejectAll(rabbitUnavailable('the client is closed'));
  }

  async #setUp(channel: Channel): Promise<void> {
    channel.on('return', ({ properties }: ConsumeMessage) => {
      this.#settle(String(properties.correlationId))?.reject(
        failure('RPC.NO_SERVER', 'No server takes these requests.'),
      );
    });
    await channel.consume(DIRECT_REPLY, (message) => this.#onAnswer(message), { noAck: true });
  }

  #onAnswer(message: ConsumeMessage | null): void {
    if (message === null) return;
    const waiting = this.#settle(String(message.properties.correlationId));
    const code: unknown = message.properties.headers?.[RPC_ERROR_HEADER];
    if (code === undefined) waiting?.resolve(message.content);
    else waiting?.reject(failure('RPC.FAILED', 'The server could not handle the request.', String(code)));
  }

  #settle(correlationId: string): Waiting | undefined {
    const waiting = this.#waiting.get(correlationId);
    this.#waiting.delete(correlationId);
    return waiting;
  }

  #rejectAll(error: DomainError): void {
    const all = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject } of all) reject(error);
  }

  #headers(traceparent?: string): Record<string, string> {
    const correlationId = currentCorrelationId();
    return {
      ...injectTrace<Record<string, string>>({}),
      ...(traceparent === undefined ? {} : { [TASK_HEADERS.traceparent]: traceparent }),
      ...(correlationId === undefined ? {} : { [TASK_HEADERS.correlationId]: correlationId }),
    };
  }
}

function failure(code: string, message: string, serverCode?: string): DomainError {
  return new DomainError({
    code,
    kind: 'unavailable',
    message,
    ...(serverCode === undefined ? {} : { facts: { serverCode } }),
  });
}
