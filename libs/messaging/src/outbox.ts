import { messageType, type MessageDefinition, type PayloadOf } from '@sociograph/contracts';
import { DomainError, TimeOrderedIds, type Ids } from '@sociograph/kernel';
import { currentCorrelationId, currentTraceparent } from '@sociograph/observability';
import type { Queryable } from '@sociograph/postgres';
import { nameOf, topicOfMessage, type TopicRef } from './event-record';
import { MAX_RECORD_BYTES } from './event-publisher';

/** Something to announce once the surrounding transaction has committed. */
export type OutboxRow = TaskRow | EventRow;

interface Announced {
  message: MessageDefinition;
  /** Id of the message on every repeat; a new one by default. */
  messageId?: string;
  /** `traceparent` of what it comes from, where that is not the work at hand. */
  trace?: string | undefined;
}

export interface TaskRow extends Announced {
  kind: 'task';
  queue: string;
  value: unknown;
}

export interface EventRow extends Announced {
  kind: 'event';
  key: string;
  value: unknown;
  subject?: string;
  /** Only where the message belongs to no topic or to several. */
  topic?: TopicRef;
}

/** Channel of NOTIFY that wakes the relay. */
export const OUTBOX_CHANNEL = 'outbox';

/**
 * SQL of the table, for a service's migration, which adds the rights of its own roles (README): the serving role
 * may only insert, the worker role relays.
 */
export const outboxTableSql = `
CREATE TABLE outbox (
  id             bigserial PRIMARY KEY,
  kind           text NOT NULL CHECK (kind IN ('task', 'event')),
  address        text NOT NULL,
  message_type   text NOT NULL,
  message_id     text NOT NULL,
  key            text,
  subject        text,
  payload        jsonb NOT NULL,
  traceparent    text,
  correlation_id text,
  created_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX outbox_kind_id ON outbox (kind, id);
`;

/** Adds rows to the outbox in the caller's transaction, in one statement, in the order given. */
export const Outbox = {
  /**
   * Throws `OUTBOX.INVALID` (kind bug) when a payload does not fit its schema: later it would block the relay.
   * Trace (unless the row names another) and correlation id of the work at hand go along.
   */
  async add(q: Queryable, rows: readonly OutboxRow[], ids: Ids = new TimeOrderedIds()): Promise<void> {
    if (rows.length === 0) return;
    const columns = rows.map((row) => columnsOf(row, ids));
    const current = currentTraceparent() ?? null;
    await q.query(
      `INSERT INTO outbox
         (kind, address, message_type, message_id, key, subject, payload, traceparent, correlation_id)
       SELECT kind, address, message_type, message_id, key, subject, payload, traceparent, $9
       FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::jsonb[], $8::text[])
         WITH ORDINALITY AS t (kind, address, message_type, message_id, key, subject, payload, traceparent, place)
       ORDER BY place`,
      [
        columns.map((column) => column.kind),
        columns.map((column) => column.address),
        columns.map((column) => column.type),
        columns.map((column) => column.messageId),
        columns.map((column) => column.key),
        columns.map((column) => column.subject),
        columns.map((column) => column.payload),
        rows.map((row) => row.trace ?? current),
        currentCorrelationId() ?? null,
      ],
    );
    await q.query('SELECT pg_notify($1, $2)', [OUTBOX_CHANNEL, '']);
  },

  /** A task row, its payload checked by the compiler. */
  task<M extends MessageDefinition>(queue: string, message: M, value: PayloadOf<M>, trace?: string): TaskRow {
    return { kind: 'task', queue, message, value, trace };
  },

  /** An event row, its payload checked by the compiler. */
  event<M extends MessageDefinition>(message: M, key: string, value: PayloadOf<M>): EventRow {
    return { kind: 'event', message, key, value };
  },
};

interface Columns {
  kind: OutboxRow['kind'];
  address: string;
  type: string;
  messageId: string;
  key: string | null;
  subject: string | null;
  payload: string;
}

function columnsOf(row: OutboxRow, ids: Ids): Columns {
  const parsed = row.message.schema.safeParse(row.value);
  if (!parsed.success) throw invalid(row, parsed.error.issues[0]?.path.join('.') ?? '');
  const payload = JSON.stringify(row.value);
  if (Buffer.byteLength(payload) > MAX_RECORD_BYTES - 4_096)
    throw invalid(row, 'larger than a record may be');
  return {
    kind: row.kind,
    address: addressOf(row),
    type: messageType(row.message),
    messageId: row.messageId ?? ids.next(),
    key: row.kind === 'event' ? row.key : null,
    subject: row.kind === 'event' ? (row.subject ?? null) : null,
    payload,
  };
}

function addressOf(row: OutboxRow): string {
  if (row.kind === 'task') return row.queue;
  const topic = row.topic ?? topicOfMessage(row.message);
  if (topic === undefined) throw invalid(row, 'belongs to no topic');
  return nameOf(topic);
}

function invalid(row: OutboxRow, path: string): DomainError {
  return new DomainError({
    code: 'OUTBOX.INVALID',
    kind: 'bug',
    message: 'An outbox row could never be relayed.',
    facts: { message: row.message.name, path },
  });
}
