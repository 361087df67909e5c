import {
  EXCHANGES,
  RETRY_LADDER,
  retryQueue,
  TASK_HEADERS,
  type MessageDefinition,
  type PayloadOf,
} from '@sociograph/contracts';
import { DomainError } from '@sociograph/kernel';
import {
  extractTrace,
  inSpan,
  runWithCorrelation,
  type Logger,
  type Metrics,
} from '@sociograph/observability';
import type { ConfirmChannel, ConsumeMessage } from 'amqplib';
import { pause, settledWithin, within } from './backoff';
import { ConfirmedChannel, type ManagedConnection } from './confirmed-channel';
import { describeFailure, fateOf } from './fate';

/** What a handler is told beside the payload. */
export interface TaskContext {
  queue: string;
  /** The same for every delivery of this task: the key of the inbox. */
  messageId: string;
  /** 1 for the first time, one more after each rung of the ladder. */
  attempt: number;
  /** True when the broker gave it out before: the first receiver died, or its connection did. */
  redelivered: boolean;
  correlationId: string | undefined;
}

export interface TaskConsumerOptions<M extends MessageDefinition = MessageDefinition> {
  queue: string;
  message: M;
  /** Tasks under way at once. */
  prefetch: number;
  /** Waits of the ladder; another one only where a spec declares queues with short waits. */
  ladder?: readonly { suffix: string; delayMs: number }[];
  logger: Logger;
  metrics?: Metrics;
  /** Returns when the effect is durable; the task is acknowledged after it. */
  handle(payload: PayloadOf<M>, task: TaskContext): Promise<void>;
}

/** How long a shutdown waits for handlers; the whole sequence has 5 s. */
const DRAIN_MS = 3_500;
/** Headers that the broker adds; a copy that carried them on would confuse its own counting. */
export const BROKER_HEADERS = /^x-(death|first-death-|last-death-|delivery-count|acquired-count)/;

/**
 * Takes tasks from one queue: parse, handle, then acknowledge; else ladder or dead queue, whose copy is confirmed
 * before the original is acknowledged. A crash between the two leaves both: handlers are idempotent by messageId.
 */
export class TaskConsumer<M extends MessageDefinition = MessageDefinition> {
  readonly #options: TaskConsumerOptions<M>;
  readonly #channel: ConfirmedChannel;
  readonly #busy = new Set<Promise<void>>();
  readonly #closing = new AbortController();
  readonly #outcomes: { inc(labels: { queue: string; outcome: string }, by?: number): void } | undefined;
  readonly #duration:
    { observe(labels: { queue: string; outcome: string }, seconds: number): void } | undefined;
  #consumer: { channel: ConfirmChannel; tag: string } | undefined;

  constructor(connection: ManagedConnection, options: TaskConsumerOptions<M>) {
    this.#options = options;
    this.#outcomes = options.metrics?.counter(
      'rabbit_tasks_total',
      'Tasks by what became of them; growth of retry or dead means failing work',
      ['queue', 'outcome'],
    );
    // There from the start: of a series that begins with its first dead task Prometheus sees no increase.
    this.#outcomes?.inc({ queue: options.queue, outcome: 'dead' }, 0);
    this.#duration = options.metrics?.histogram(
      'rabbit_task_duration_seconds',
      'Time the handler took for a task, by what it came to; a spike means slow servers behind it',
      ['queue', 'outcome'],
    );
    this.#channel = new ConfirmedChannel(connection, {
      name: `tasks of ${options.queue}`,
      logger: options.logger,
      setup: (channel) => this.#consume(channel),
    });
  }

  /** Resolves when tasks are being taken for the first time. */
  async consuming(timeoutMs = 10_000): Promise<void> {
    await this.#channel.channel(timeoutMs);
  }

  /** Takes no more and waits for the handlers; what is not done by then goes back to the queue. */
  async close(): Promise<void> {
    this.#closing.abort();
    const { channel, tag } = this.#consumer ?? {};
    if (channel !== undefined && tag !== undefined) await channel.cancel(tag).catch(() => undefined);
    await settledWithin(Promise.all(this.#busy), DRAIN_MS);
    await this.#channel.close();
  }

  async #consume(channel: ConfirmChannel): Promise<void> {
    await channel.prefetch(this.#options.prefetch);
    const { consumerTag } = await channel.consume(this.#options.queue, (message) => {
      if (message === null) {
        // The broker ended the consumer (the queue went away): a new channel tries again.
        void channel.close().catch(() => undefined);
        return;
      }
      const work = this.#take(channel, message).finally(() => this.#busy.delete(work));
      this.#busy.add(work);
    });
    this.#consumer = { channel, tag: consumerTag };
  }

  /** Never throws: whatever goes wrong, the message is acknowledged, copied on, or left to be delivered again. */
  async #take(channel: ConfirmChannel, message: ConsumeMessage): Promise<void> {
    const { logger, queue } = this.#options;
    try {
      await this.#handle(message);
    } catch (error) {
      await this.#settle(channel, message, error);
      return;
    }
    try {
      channel.ack(message);
      this.#outcomes?.inc({ queue, outcome: 'done' });
    } catch (error) {
      logger.warn({ queue, err: error }, 'a finished task could not be acknowledged and will come again');
    }
  }

  async #handle(message: ConsumeMessage): Promise<void> {
    const { queue } = this.#options;
    const task = this.#contextOf(message);
    const payload = this.#parse(message);
    const attributes = { 'messaging.system': 'rabbitmq', 'messaging.destination.name': queue };
    const parent = extractTrace(message.properties.headers ?? {});
    const work = (): Promise<void> =>
      inSpan(`task ${queue}`, { kind: 'consumer', attributes, parent }, () => this.#timed(payload, task));
    await (task.correlationId === undefined ? work() : runWithCorrelation(task.correlationId, work));
  }

  /** Measured inside the span, so that a slow task names its trace. */
  async #timed(payload: PayloadOf<M>, task: TaskContext): Promise<void> {
    const startedAt = performance.now();
    const { queue } = task;
    const observe = (outcome: string): void =>
      this.#duration?.observe({ queue, outcome }, (performance.now() - startedAt) / 1000);
    try {
      await this.#options.handle(payload, task);
      observe('done');
    } catch (error) {
      observe(fateOf(error));
      throw error;
    }
  }

  #contextOf({ properties, fields }: ConsumeMessage): TaskContext {
    const messageId: unknown = properties.messageId;
    if (typeof messageId !== 'string' || messageId === '')
      throw badTask('TASK.ID_MISSING', 'the task has no id');
    const correlationId: unknown = properties.headers?.[TASK_HEADERS.correlationId];
    return {
      queue: this.#options.queue,
      messageId,
      attempt: attemptOf(properties.headers),
      redelivered: fields.redelivered,
      correlationId: typeof correlationId === 'string' ? correlationId : undefined,
    };
  }

  #parse(message: ConsumeMessage): PayloadOf<M> {
    let content: unknown;
    try {
      content = JSON.parse(message.content.toString('utf8'));
    } catch {
      throw badTask('TASK.NOT_JSON', 'the task is no JSON');
    }
    const parsed = this.#options.message.schema.safeParse(content);
    if (parsed.success) return parsed.data as PayloadOf<M>;
    const issue = parsed.error.issues[0];
    throw badTask('TASK.INVALID', `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'does not fit'}`);
  }

  async #settle(channel: ConfirmChannel, message: ConsumeMessage, error: unknown): Promise<void> {
    const { queue, logger, ladder = RETRY_LADDER } = this.#options;
    const attempt = attemptOf(message.properties.headers);
    const rung = ladder[attempt - 1];
    const fate = fateOf(error);
    const outcome = fate === 'retry' && rung === undefined ? 'dead' : fate;
    const fields = { queue, attempt, outcome, ...describeFailure(error) };
    if (outcome === 'dead') logger.error({ ...fields, err: error }, 'a task failed');
    else logger.warn(fields, 'a task failed');
    try {
      if (outcome === 'retry' && rung !== undefined) {
        await this.#copy(message, EXCHANGES.tasks, retryQueue(queue, rung.suffix), attempt + 1, error);
      } else if (outcome === 'dead') {
        await this.#copy(message, EXCHANGES.dead, queue, attempt, error);
      }
      channel.ack(message);
      this.#outcomes?.inc({ queue, outcome });
    } catch (copyError) {
      logger.warn(
        { queue, err: copyError },
        'a failed task could not be moved on and goes back to its queue',
      );
      await pause(1_000, this.#closing.signal);
      requeue(channel, message);
    }
  }

  async #copy(
    message: ConsumeMessage,
    exchange: string,
    routingKey: string,
    attempt: number,
    error: unknown,
  ): Promise<void> {
    const { code, reason } = describeFailure(error);
    const { messageId, type, contentType } = message.properties as {
      messageId?: string;
      type?: string;
      contentType?: string;
    };
    const headers = {
      ...ownHeaders(message.properties.headers),
      [TASK_HEADERS.attempt]: attempt,
      [TASK_HEADERS.code]: code,
      [TASK_HEADERS.reason]: reason,
    };
    await within(
      this.#channel.publish({
        exchange,
        routingKey,
        content: message.content,
        options: {
          messageId: messageId ?? '',
          headers,
          ...(type === undefined ? {} : { type }),
          ...(contentType === undefined ? {} : { contentType }),
        },
      }),
      10_000,
      () => new Error('the copy was not confirmed in time'),
    );
  }
}

function requeue(channel: ConfirmChannel, message: ConsumeMessage): void {
  try {
    channel.nack(message, false, true);
  } catch {
    // The channel is gone: then the broker has the message back already.
  }
}

function attemptOf(headers: Record<string, unknown> | undefined): number {
  const attempt = headers?.[TASK_HEADERS.attempt];
  return typeof attempt === 'number' && Number.isSafeInteger(attempt) && attempt >= 1 ? attempt : 1;
}

function ownHeaders(headers: Record<string, unknown> | undefined): Record<string, unknown> {
  return Object.fromEntries(Object.entries(headers ?? {}).filter(([name]) => !BROKER_HEADERS.test(name)));
}

function badTask(code: string, reason: string): DomainError {
  return new DomainError({ code, kind: 'unprocessable', message: reason });
}
