import type { Queryable } from '@sociograph/postgres';

/** SQL of the table, for a service's migration. Rows are kept as long as a duplicate can still arrive (days). */
export const inboxTableSql = `
CREATE TABLE inbox (
  consumer    text NOT NULL,
  message_id  text NOT NULL,
  received_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (consumer, message_id)
);
CREATE INDEX inbox_received_at ON inbox (received_at);
`;

/** Which messages a consumer has had its effect of. Only for RabbitMQ: Kafka consumers are idempotent by state. */
export const Inbox = {
  /**
   * True the first time, in the transaction that holds the effect: a rollback forgets it, a concurrent duplicate
   * waits for the first and is then false.
   */
  async once(q: Queryable, consumer: string, messageId: string): Promise<boolean> {
    const { rowCount } = await q.query(
      'INSERT INTO inbox (consumer, message_id) VALUES ($1, $2) ON CONFLICT DO NOTHING',
      [consumer, messageId],
    );
    return rowCount === 1;
  },

  /** Forgets what is older than `days`; returns how many rows went. */
  async forget(q: Queryable, days: number): Promise<number> {
    const { rowCount } = await q.query(
      'DELETE FROM inbox WHERE received_at < now() - make_interval(days => $1)',
      [days],
    );
    return rowCount;
  },
};
