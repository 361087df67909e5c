import { auditSealed } from '@sociograph/contracts';
import type { Ids } from '@sociograph/kernel';
import { Outbox } from '@sociograph/messaging';
import type { Postgres, Queryable } from '@sociograph/postgres';
import {
  type AuditLog,
  AuditTrail,
  type CollectedEntry,
  type PendingEntry,
  type Seal,
} from '../application/seal-audit';
import type { Head, SealedEntry } from '../domain/audit-chain';

/** Any number that the database locks nowhere else. */
const SEALER_LOCK = 50_610_777;

interface HeadRow {
  id: number;
  workspace_id: string;
  seq: number;
  hash: string;
  at: Date;
  mac: string;
}

/** Insert-only tables: a trigger refuses every change, and no role of the service has a right to one. */
export class PgAuditTrail extends AuditTrail implements AuditLog {
  constructor(
    private readonly worker: Postgres,
    private readonly app: Postgres,
    private readonly ids: Ids,
  ) {
    super();
  }

  override async collect(
    entries: readonly { auditId: string; workspaceId: string; entry: unknown }[],
  ): Promise<void> {
    if (entries.length === 0) return;
    await this.worker.query(
      `WITH kept AS (
         INSERT INTO audit_entries (audit_id, workspace_id, entry)
         SELECT audit_id, workspace_id, entry
         FROM unnest($1::text[], $2::text[], $3::jsonb[]) WITH ORDINALITY AS t (audit_id, workspace_id, entry, place)
         ORDER BY place
         ON CONFLICT (audit_id) DO NOTHING
         RETURNING id)
       INSERT INTO audit_pending (entry_id) SELECT id FROM kept`,
      [
        entries.map(({ auditId }) => auditId),
        entries.map(({ workspaceId }) => workspaceId),
        entries.map(({ entry }) => JSON.stringify(entry)),
      ],
    );
  }

  override async sealNext(
    most: number,
    seal: Parameters<AuditTrail['sealNext']>[1],
  ): Promise<{ sealed: number; heads: readonly Head[] }> {
    return this.worker.tx(async (q) => {
      const { rows: mine } = await q.query<{ locked: boolean }>(
        'SELECT pg_try_advisory_xact_lock($1) AS locked',
        [SEALER_LOCK],
      );
      if (mine[0]?.locked !== true) return { sealed: 0, heads: [] };
      const { rows } = await q.query<{ id: number; workspace_id: string; entry: unknown }>(
        `SELECT e.id, e.workspace_id, e.entry FROM audit_pending p JOIN audit_entries e ON e.id = p.entry_id
         ORDER BY e.id LIMIT $1`,
        [most],
      );
      if (rows.length === 0) return { sealed: 0, heads: [] };
      const pending: PendingEntry[] = rows.map((row) => ({
        entryId: row.id,
        workspaceId: row.workspace_id,
        entry: row.entry,
      }));
      const { seals, heads } = seal(pending, await lastSeals(q, pending));
      await store(q, seals, heads);
      await Outbox.add(
        q,
        heads.map((head) => Outbox.event(auditSealed, head.workspaceId, { ...head })),
        this.ids,
      );
      return { sealed: seals.length, heads };
    });
  }

  override async headsAfter(id: number, most: number): Promise<{ id: number; head: Head }[]> {
    const { rows } = await this.worker.query<HeadRow>(
      'SELECT id, workspace_id, seq, hash, at, mac FROM audit_heads WHERE id > $1 ORDER BY id LIMIT $2',
      [id, most],
    );
    return rows.map((row) => ({ id: row.id, head: headOf(row) }));
  }

  /** Newest first; of one workspace as that workspace, of all as the platform's operator. */
  async page(
    workspaceId: string | undefined,
    limit: number,
    filter: { before?: number | undefined; only?: string | undefined },
  ): Promise<CollectedEntry[]> {
    const read = (q: Queryable) =>
      q.query<{ id: number; workspace_id: string; entry: unknown }>(
        `SELECT id, workspace_id, entry FROM audit_entries
         WHERE ($1::text IS NULL OR workspace_id = $1) AND ($2::bigint IS NULL OR id < $2)
         ORDER BY id DESC LIMIT $3`,
        [workspaceId ?? filter.only ?? null, filter.before ?? null, limit],
      );
    const { rows } =
      workspaceId === undefined ? await read(this.worker) : await this.app.inWorkspace(workspaceId, read);
    return rows.map((row) => ({ id: row.id, workspaceId: row.workspace_id, entry: row.entry }));
  }

  /** Workspaces that have sealed rows. */
  async sealedWorkspaces(): Promise<string[]> {
    const { rows } = await this.worker.query<{ workspace_id: string }>(
      'SELECT DISTINCT workspace_id FROM audit_seals ORDER BY workspace_id',
    );
    return rows.map((row) => row.workspace_id);
  }

  /** Sealed rows of one workspace in the order of their numbers. */
  async *sealed(workspaceId: string, atATime = 5_000): AsyncGenerator<SealedEntry> {
    for (let after = 0; ;) {
      const { rows } = await this.worker.query<{ seq: number; hash: string; entry: unknown }>(
        `SELECT s.seq, s.hash, e.entry FROM audit_seals s LEFT JOIN audit_entries e
           ON e.id = s.entry_id AND e.workspace_id = s.workspace_id
         WHERE s.workspace_id = $1 AND s.seq > $2 ORDER BY s.seq LIMIT $3`,
        [workspaceId, after, atATime],
      );
      for (const { seq, hash, entry } of rows) yield { seq, hash, entry: entry ?? undefined };
      const last = rows.at(-1);
      if (last === undefined) return;
      after = last.seq;
    }
  }

  /** Workspaces with entries that no seal covers although they are older than that. */
  async unsealed(seconds: number): Promise<string[]> {
    const { rows } = await this.worker.query<{ workspace_id: string }>(
      `SELECT DISTINCT e.workspace_id FROM audit_entries e
       WHERE e.received_at < now() - make_interval(secs => $1)
         AND NOT EXISTS (SELECT FROM audit_seals s WHERE s.entry_id = e.id)`,
      [seconds],
    );
    return rows.map((row) => row.workspace_id);
  }
}

async function lastSeals(
  q: Queryable,
  pending: readonly PendingEntry[],
): Promise<Map<string, { seq: number; hash: string }>> {
  const { rows } = await q.query<{ workspace_id: string; seq: number; hash: string }>(
    `SELECT w.id AS workspace_id, s.seq, s.hash FROM unnest($1::text[]) AS w (id)
     CROSS JOIN LATERAL (
       SELECT seq, hash FROM audit_seals WHERE workspace_id = w.id ORDER BY seq DESC LIMIT 1) AS s`,
    [[...new Set(pending.map(({ workspaceId }) => workspaceId))]],
  );
  return new Map(rows.map(({ workspace_id, seq, hash }) => [workspace_id, { seq, hash }]));
}

async function store(q: Queryable, seals: readonly Seal[], heads: readonly Head[]): Promise<void> {
  const at = new Date(heads[0]?.at ?? 0);
  await q.query(
    `INSERT INTO audit_seals (workspace_id, seq, entry_id, hash, sealed_at)
     SELECT t.*, $5 FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::text[]) AS t`,
    [
      seals.map(({ workspaceId }) => workspaceId),
      seals.map(({ seq }) => seq),
      seals.map(({ entryId }) => entryId),
      seals.map(({ hash }) => hash),
      at,
    ],
  );
  await q.query(
    `INSERT INTO audit_heads (workspace_id, seq, hash, mac, at)
     SELECT t.*, $5 FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[]) AS t`,
    [
      heads.map(({ workspaceId }) => workspaceId),
      heads.map(({ seq }) => seq),
      heads.map(({ hash }) => hash),
      heads.map(({ mac }) => mac),
      at,
    ],
  );
  await q.query('DELETE FROM audit_pending WHERE entry_id = ANY ($1::bigint[])', [
    seals.map(({ entryId }) => entryId),
  ]);
}

function headOf(row: HeadRow): Head {
  const { workspace_id: workspaceId, seq, hash, at, mac } = row;
  return { workspaceId, seq, hash, at: at.getTime(), mac };
}
