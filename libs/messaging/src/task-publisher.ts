import {
  EXCHANGES,
  messageType,
  TASK_HEADERS,
  type MessageDefinition,
  type PayloadOf,
} from '@sociograph/contracts';
import { DomainError, TimeOrderedIds, type Ids } from '@sociograph/kernel';
import { currentCorrelationId, type Logger } from '@sociograph/observability';
import { ConfirmedChannel, type ManagedConnection } from './confirmed-channel';
import { PublishSpans } from './publish-spans';

export interface OutgoingTask<M extends MessageDefinition = MessageDefinition> {
  /** Work queue of the topology. */
  queue: string;
  message: M;
  value: PayloadOf<M>;
  /** Stays the same over all repeats; the inbox knows it. A new one by default. */
  messageId?: string;
  /** Added last; a `traceparent` names the work that the task comes from, where that is not the work at hand. */
  headers?: Record<string, string | number>;
}

/** Sends tasks to work queues: persistent, mandatory, confirmed. */
export class TaskPublisher {
  readonly #channel: ConfirmedChannel;
  readonly #ids: Ids;

  constructor(connection: ManagedConnection, logger: Logger, ids: Ids = new TimeOrderedIds()) {
    this.#channel = new ConfirmedChannel(connection, { name: 'task publisher', logger });
    this.#ids = ids;
  }

  /**
   * Resolves with the message's id when a queue holds it. Throws `TASK.INVALID` (kind bug),
   * `RABBIT.UNROUTABLE` or `RABBIT.UNAVAILABLE` (both unavailable; after the latter it may have arrived).
   */
  async publish<M extends MessageDefinition>(task: OutgoingTask<M>, timeoutMs = 5_000): Promise<string> {
    const parsed = task.message.schema.safeParse(task.value);
    if (!parsed.success) {
      throw new DomainError({
        code: 'TASK.INVALID',
        kind: 'bug',
        message: 'A task does not fit its own schema.',
        facts: { message: task.message.name, path: parsed.error.issues[0]?.path.join('.') ?? '' },
      });
    }
    const messageId = task.messageId ?? this.#ids.next();
    const content = Buffer.from(JSON.stringify(task.value));
    const spans = new PublishSpans('rabbitmq');
    const given = task.headers?.[TASK_HEADERS.traceparent];
    const traceparent = spans.traceparentOf(task.queue, given === undefined ? given : String(given));
    const options = {
      messageId,
      type: messageType(task.message),
      contentType: 'application/json',
      headers: taskHeaders(traceparent, task.headers),
    };
    try {
      await this.#channel.publish(
        { exchange: EXCHANGES.tasks, routingKey: task.queue, content, options },
        timeoutMs,
      );
      spans.end();
    } catch (error) {
      spans.end(error);
      throw error;
    }
    return messageId;
  }

  async close(): Promise<void> {
    await this.#channel.close();
  }
}

function taskHeaders(
  traceparent: string | undefined,
  own: Record<string, string | number> = {},
): Record<string, string | number> {
  const correlationId = currentCorrelationId();
  const { [TASK_HEADERS.traceparent]: _replaced, ...others } = own;
  return {
    [TASK_HEADERS.attempt]: 1,
    ...(correlationId === undefined ? {} : { [TASK_HEADERS.correlationId]: correlationId }),
    ...(traceparent === undefined ? {} : { [TASK_HEADERS.traceparent]: traceparent }),
    ...others,
  };
}
