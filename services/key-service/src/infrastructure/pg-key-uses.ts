import { keyUsed } from '@sociograph/contracts';
import type { Ids } from '@sociograph/kernel';
import { Outbox } from '@sociograph/messaging';
import type { Postgres } from '@sociograph/postgres';
import { type KeyUse, KeyUses, type KeyUsePeriod } from '../domain/key-uses';

/** Uses of keys in PostgreSQL: each call is one statement, whatever the number of rows. */
export class PgKeyUses extends KeyUses {
  constructor(
    private readonly postgres: Postgres,
    private readonly ids: Ids,
  ) {
    super();
  }

  async write(uses: readonly KeyUse[]): Promise<void> {
    const rows = uses.map((use) => ({
      lease_id: use.leaseId,
      key_id: use.keyId,
      key_workspace_id: use.keyWorkspaceId,
      network: use.network,
      workspace_id: use.workspaceId,
      import_id: use.importId,
      service: use.service,
      methods: use.methods,
      calls: use.calls,
      granted_at: new Date(use.grantedAt),
      settled_at: use.settledAt === null ? null : new Date(use.settledAt),
      results: use.results,
    }));
    await this.postgres.query(
      `INSERT INTO key_uses
       SELECT * FROM jsonb_to_recordset($1::jsonb) AS r (lease_id text, key_id uuid, key_workspace_id text,
         network text, workspace_id text, import_id text, service text, methods jsonb, calls integer,
         granted_at timestamptz, settled_at timestamptz, results jsonb)
       ON CONFLICT (lease_id) DO NOTHING`,
      [JSON.stringify(rows)],
    );
  }

  async settle(
    settled: readonly { leaseId: string; settledAt: number; results: Record<string, number> }[],
  ): Promise<void> {
    const rows = settled.map(({ leaseId, settledAt, results }) => ({
      lease_id: leaseId,
      settled_at: new Date(settledAt),
      results,
    }));
    await this.postgres.query(
      `UPDATE key_uses SET settled_at = r.settled_at, results = r.results
       FROM jsonb_to_recordset($1::jsonb) AS r (lease_id text, settled_at timestamptz, results jsonb)
       WHERE key_uses.lease_id = r.lease_id AND key_uses.results IS NULL`,
      [JSON.stringify(rows)],
    );
  }

  async announce(periods: readonly KeyUsePeriod[]): Promise<void> {
    const used = periods.map(({ keyId, to }) => ({ key_id: keyId, at: new Date(to) }));
    const events = periods.map(({ keyId, keyWorkspaceId, network, from, to, calls }) =>
      Outbox.event(keyUsed, keyId, {
        keyId,
        workspaceId: keyWorkspaceId,
        network,
        from: Math.floor(from),
        to: Math.floor(to),
        calls,
      }),
    );
    await this.postgres.tx(async (q) => {
      await q.query(
        `UPDATE api_keys SET last_used_at = r.at
         FROM (SELECT * FROM jsonb_to_recordset($1::jsonb) AS u (key_id uuid, at timestamptz) ORDER BY key_id) AS r
         WHERE api_keys.id = r.key_id AND (api_keys.last_used_at IS NULL OR api_keys.last_used_at < r.at)`,
        [JSON.stringify(used)],
      );
      await Outbox.add(q, events, this.ids);
    });
  }

  async forget(before: number, most: number): Promise<number> {
    const { rowCount } = await this.postgres.query(
      `DELETE FROM key_uses WHERE lease_id IN
         (SELECT lease_id FROM key_uses WHERE granted_at < $1 ORDER BY granted_at LIMIT $2)`,
      [new Date(before), most],
    );
    return rowCount;
  }
}
