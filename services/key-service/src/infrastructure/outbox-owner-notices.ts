import type { Clock, Ids } from '@sociograph/kernel';
import { Outbox, type OutboxRow } from '@sociograph/messaging';
import type { Postgres } from '@sociograph/postgres';
import { ApiKey } from '../domain/api-key';
import { OwnerNotices } from '../domain/audit';
import { announcementsOf } from './key-announcements';

const MOST_PENDING = 1_000;

/**
 * Notices to owners, as an event of the key and a record of the audit trail. They are written by the next flush, and
 * wait while PostgreSQL is away; of more than a thousand that wait the oldest are dropped.
 */
export class OutboxOwnerNotices extends OwnerNotices {
  #pending: OutboxRow[] = [];

  constructor(
    private readonly postgres: Postgres,
    private readonly clock: Clock,
    private readonly ids: Ids,
  ) {
    super();
  }

  tell(key: ApiKey, notice: { change: string; reason: string }): void {
    const updatedAt = Math.floor(this.clock.nowMs());
    const told = ApiKey.restore({ ...key.details, reason: notice.reason, updatedAt });
    const note = { actor: { kind: 'service' as const, id: 'key-service' }, action: notice.change };
    this.#pending.push(...announcementsOf(told, note, this.ids));
    this.#pending.splice(0, this.#pending.length - 2 * MOST_PENDING);
  }

  async flush(): Promise<void> {
    const rows = this.#pending;
    if (rows.length === 0) return;
    this.#pending = [];
    try {
      await this.postgres.tx((q) => Outbox.add(q, rows, this.ids));
    } catch (error) {
      this.#pending = [...rows, ...this.#pending];
      throw error;
    }
  }
}
