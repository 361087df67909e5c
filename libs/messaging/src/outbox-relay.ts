import { EVENT_HEADERS, messageOfType, TASK_HEADERS, type MessageDefinition } from '@sociograph/contracts';
import { DomainError } from '@sociograph/kernel';
import type { Logger, Metrics } from '@sociograph/observability';
import type { Postgres, Queryable } from '@sociograph/postgres';
import { backoffMs, pause } from './backoff';
import type { EventPublisher } from './event-publisher';
import { describeFailure } from './fate';
import { OUTBOX_CHANNEL, type OutboxRow } from './outbox';
import { OutboxFigures } from './outbox-figures';
import type { TaskPublisher } from './task-publisher';

export interface OutboxRelayOptions {
  /** Of the worker role. */
  postgres: Postgres;
  /** Destinations that this service has; rows of the others stay. */
  rabbit?: Pick<TaskPublisher, 'publish'>;
  kafka?: Pick<EventPublisher, 'publish'>;
  logger: Logger;
  metrics?: Metrics;
  /** Rows of one transaction (200). */
  batchSize?: number;
  /** Looks for rows this often even without a NOTIFY (ms, 1,000). */
  pollMs?: number;
  /** Finds the declaration of a message type; another one only in specs. */
  resolve?: (type: string) => MessageDefinition | undefined;
}

type Kind = OutboxRow['kind'];

interface StoredRow {
  id: number;
  address: string;
  message_type: string;
  message_id: string;
  key: string | null;
  subject: string | null;
  payload: unknown;
  traceparent: string | null;
  correlation_id: string | null;
}

/** Locks by kind of destination; any numbers that the database locks nowhere else. */
const LOCKS: Record<Kind, number> = { task: 50_610_301, event: 50_610_302 };

/**
 * Sends what committed transactions announced, in order of id per kind of destination, and deletes it once
 * confirmed: at least once. One relay at a time works on a kind (advisory lock), so that several processes keep
 * the order; a broker that is away holds up its own kind only.
 * Order holds per aggregate: transactions that touch the same one take their ids one after the other.
 */
export class OutboxRelay {
  readonly #options: OutboxRelayOptions;
  readonly #stopping = new AbortController();
  readonly #running: Promise<void>[] = [];
  readonly #relayed: { inc(labels: { kind: string }, value: number): void } | undefined;
  readonly #figures: OutboxFigures | undefined;
  #wake = new AbortController();
  #listener: { release(): void } | undefined;
  #notifications = 0;

  constructor(options: OutboxRelayOptions) {
    this.#options = options;
    this.#relayed = options.metrics?.counter(
      'outbox_relayed_total',
      'Rows relayed; a stop while rows are added means an unreachable broker',
      ['kind'],
    );
    this.#figures =
      options.metrics === undefined ? undefined : new OutboxFigures(options.postgres, options.metrics);
  }

  start(): void {
    const { rabbit, kafka } = this.#options;
    this.#running.push(this.#listen());
    if (rabbit !== undefined) this.#running.push(this.#relayForEver('task'));
    if (kafka !== undefined) this.#running.push(this.#relayForEver('event'));
  }

  /** Finishes the transactions under way. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#wake.abort();
    this.#listener?.release();
    await Promise.all(this.#running);
  }

  /** Relays one batch of a kind; the number of rows sent, 0 when there were none or another relay is at it. */
  async relayOnce(kind: Kind): Promise<number> {
    return this.#options.postgres.tx(async (q) => {
      const lock = await q.query<{ mine: boolean }>('SELECT pg_try_advisory_xact_lock($1) AS mine', [
        LOCKS[kind],
      ]);
      if (lock.rows[0]?.mine !== true) return 0;
      const rows = await takeRows(q, kind, this.#options.batchSize ?? 200);
      if (rows.length === 0) return 0;
      await this.#send(kind, rows);
      await q.query('DELETE FROM outbox WHERE id = ANY($1::bigint[])', [rows.map(({ id }) => id)]);
      this.#relayed?.inc({ kind }, rows.length);
      return rows.length;
    });
  }

  async #relayForEver(kind: Kind): Promise<void> {
    const { logger, pollMs = 1_000 } = this.#options;
    let failures = 0;
    while (!this.#stopping.signal.aborted) {
      const seen = this.#notifications;
      try {
        const relayed = await this.relayOnce(kind);
        failures = 0;
        await this.#figures?.look();
        // A notification during the transaction may be of a row that it did not see yet.
        if (relayed === 0 && seen === this.#notifications) await this.#idle(pollMs);
      } catch (error) {
        failures += 1;
        logger.warn({ kind, ...describeFailure(error), failures }, 'the outbox cannot be relayed yet');
        await pause(backoffMs(failures, 100, 2_000), this.#stopping.signal);
      }
    }
  }

  async #idle(ms: number): Promise<void> {
    await pause(ms, this.#wake.signal);
  }

  /** Keeps a LISTEN open; while it is not, polling finds the rows. */
  async #listen(): Promise<void> {
    const { postgres, logger } = this.#options;
    while (!this.#stopping.signal.aborted) {
      let onLost!: () => void;
      const lost = new Promise<void>((resolve) => (onLost = resolve));
      this.#stopping.signal.addEventListener('abort', onLost, { once: true });
      try {
        this.#listener = await postgres.listen(OUTBOX_CHANNEL, () => this.#onNotify(), onLost);
        await lost;
      } catch (error) {
        logger.warn(describeFailure(error), 'the outbox cannot be listened to yet');
        await pause(1_000, this.#stopping.signal);
      }
      this.#stopping.signal.removeEventListener('abort', onLost);
    }
    this.#listener?.release();
  }

  #onNotify(): void {
    this.#notifications += 1;
    if (this.#stopping.signal.aborted) return;
    const woken = this.#wake;
    this.#wake = new AbortController();
    woken.abort();
  }

  async #send(kind: Kind, rows: readonly StoredRow[]): Promise<void> {
    const { rabbit, kafka } = this.#options;
    const messages = rows.map((row) => ({ row, message: this.#messageOf(row) }));
    if (kind === 'event') {
      await kafka?.publish(
        messages.map(({ row, message }) => ({
          message,
          topic: row.address,
          key: row.key ?? '',
          value: row.payload,
          id: row.message_id,
          ...(row.subject === null ? {} : { subject: row.subject }),
          headers: headersOf(row, EVENT_HEADERS),
        })),
      );
    } else {
      // One channel: handed over in this order, confirmed together.
      const sent = await Promise.allSettled(
        messages.map(({ row, message }) =>
          rabbit?.publish({
            queue: row.address,
            message,
            value: row.payload,
            messageId: row.message_id,
            headers: headersOf(row, TASK_HEADERS),
          }),
        ),
      );
      const failed = sent.find((result) => result.status === 'rejected');
      if (failed !== undefined) throw failed.reason;
    }
  }

  #messageOf(row: StoredRow): MessageDefinition {
    const message = (this.#options.resolve ?? messageOfType)(row.message_type);
    if (message !== undefined) return message;
    throw new DomainError({
      code: 'OUTBOX.TYPE_UNKNOWN',
      kind: 'bug',
      message: 'An outbox row is of a type that nobody declared.',
      facts: { type: row.message_type, id: row.id },
    });
  }
}

async function takeRows(q: Queryable, kind: Kind, limit: number): Promise<StoredRow[]> {
  const { rows } = await q.query<StoredRow>(
    `SELECT id, address, message_type, message_id, key, subject, payload, traceparent, correlation_id
     FROM outbox WHERE kind = $1 ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED`,
    [kind, limit],
  );
  return rows;
}

/** Trace and correlation of the work that added the row, not of the relay. */
function headersOf(
  row: StoredRow,
  names: { traceparent: string; correlationId: string },
): Record<string, string> {
  return {
    ...(row.traceparent === null ? {} : { [names.traceparent]: row.traceparent }),
    ...(row.correlation_id === null ? {} : { [names.correlationId]: row.correlation_id }),
  };
}
