import { createHash } from 'node:crypto';
import { deadQueue, EXCHANGES, TASK_HEADERS } from '@sociograph/contracts';
import { isDomainError } from '@sociograph/kernel';
import { connect, type ConfirmChannel, type GetMessage } from 'amqplib';
import { rabbitUnavailable } from './amqp-link';
import { within } from './backoff';
import { BROKER_HEADERS } from './task-consumer';

/** A task in the dead queue, and why it is there. */
export interface DeadTask {
  /** The message's own id; a digest of its content where it has none. */
  id: string;
  /** The work queue that gave it up. */
  queue: string;
  code: string;
  reason: string;
  /** Deliveries to a handler, rungs of the ladder included. */
  attempts: number;
  /** As it was sent; it may be anything. */
  content: Buffer;
}

export interface DeadQueueOptions {
  url: string;
  /** The work queue. */
  queue: string;
}

const ANSWER_MS = 10_000;

/**
 * What a work queue gave up. Looking takes the messages out of sight of others for as long as it lasts and puts all of
 * them back; one connection for each look, because looks are rare. Two redrives at once see each other's messages
 * not at all: whoever offers this to many callers lets them come one after the other.
 */
export class DeadQueue {
  constructor(private readonly options: DeadQueueOptions) {}

  /** The first `limit` tasks, oldest first. Throws `RABBIT.UNAVAILABLE`. */
  async list(limit: number): Promise<DeadTask[]> {
    return this.#withChannel(async (channel) => {
      const found: DeadTask[] = [];
      while (found.length < limit) {
        const message = await this.#next(channel);
        if (message === undefined) break;
        found.push(this.#taskOf(message));
      }
      return found;
    });
  }

  /**
   * Sends tasks back to their work queue as if for the first time, each after `prepare` agreed: all of them, or those
   * of these ids. A task leaves the dead queue once the work queue has it; the id of the message stays. Returns how
   * many went. What `prepare` throws ends the run, and is thrown on.
   */
  async redrive(
    ids: readonly string[] | 'all',
    prepare: (task: DeadTask) => Promise<boolean>,
  ): Promise<number> {
    return this.#withChannel(async (channel) => {
      const wanted = ids === 'all' ? undefined : new Set(ids);
      // What comes back dead meanwhile is not taken a second time.
      const { messageCount } = await channel.checkQueue(deadQueue(this.options.queue));
      let redriven = 0;
      for (let seen = 0; seen < messageCount && wanted?.size !== 0; seen += 1) {
        const message = await this.#next(channel);
        if (message === undefined) break;
        const task = this.#taskOf(message);
        if (wanted !== undefined && !wanted.delete(task.id)) continue;
        if (!(await prepare(task))) continue;
        await this.#sendBack(channel, message);
        channel.ack(message);
        redriven += 1;
      }
      return redriven;
    });
  }

  async #next(channel: ConfirmChannel): Promise<GetMessage | undefined> {
    const message = await within(channel.get(deadQueue(this.options.queue)), ANSWER_MS, () =>
      rabbitUnavailable('no answer in time'),
    );
    return message === false ? undefined : message;
  }

  async #sendBack(channel: ConfirmChannel, message: GetMessage): Promise<void> {
    const { messageId, type, contentType, headers } = message.properties as {
      messageId?: string;
      type?: string;
      contentType?: string;
      headers?: Record<string, unknown>;
    };
    const kept = Object.entries(headers ?? {}).filter(
      ([name]) => !BROKER_HEADERS.test(name) && name !== TASK_HEADERS.code && name !== TASK_HEADERS.reason,
    );
    let returned = false;
    channel.once('return', () => (returned = true));
    channel.publish(EXCHANGES.tasks, this.options.queue, message.content, {
      persistent: true,
      mandatory: true,
      headers: { ...Object.fromEntries(kept), [TASK_HEADERS.attempt]: 1 },
      ...(messageId === undefined ? {} : { messageId }),
      ...(type === undefined ? {} : { type }),
      ...(contentType === undefined ? {} : { contentType }),
    });
    await within(channel.waitForConfirms(), ANSWER_MS, () => rabbitUnavailable('no confirm in time'));
    channel.removeAllListeners('return');
    if (returned) throw rabbitUnavailable('no work queue takes it');
  }

  #taskOf({ properties, content }: GetMessage): DeadTask {
    const headers = (properties.headers ?? {}) as Record<string, unknown>;
    const messageId: unknown = properties.messageId;
    const attempts = headers[TASK_HEADERS.attempt];
    const digest = createHash('sha256').update(content).digest('hex').slice(0, 32);
    return {
      id: typeof messageId === 'string' && messageId !== '' ? messageId : digest,
      queue: this.options.queue,
      // The broker itself gives up what killed its process a hundred times, and says no code.
      code: textOf(headers[TASK_HEADERS.code]) ?? 'TASK.DELIVERED_TOO_OFTEN',
      reason: textOf(headers[TASK_HEADERS.reason]) ?? 'the broker gave it up',
      attempts: typeof attempts === 'number' ? attempts : 1,
      content,
    };
  }

  async #withChannel<R>(work: (channel: ConfirmChannel) => Promise<R>): Promise<R> {
    const connection = await connect(this.options.url, { noDelay: true, timeout: 5_000 }).catch(
      (error: unknown) => {
        throw rabbitUnavailable('no connection', error);
      },
    );
    const broken: unknown[] = [];
    const onBroken = (cause: unknown): void => void broken.push(cause);
    connection.on('error', onBroken);
    connection.on('close', onBroken);
    try {
      const channel = await connection.createConfirmChannel();
      channel.on('error', onBroken);
      const result = await work(channel);
      // Everything that was looked at and not acknowledged goes back in its order.
      await channel.close();
      return result;
    } catch (error) {
      // What an operation on a broken channel says is no error of the service.
      if (broken.length === 0 || isDomainError(error)) throw error;
      throw rabbitUnavailable('the connection broke', broken[0] ?? error);
    } finally {
      await connection.close().catch(() => undefined);
    }
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
