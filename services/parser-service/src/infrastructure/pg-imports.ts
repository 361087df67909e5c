import { Postgres, type Queryable } from '@sociograph/postgres';
import type { ItemTally } from '../domain/certificate';
import type { ImportJob } from '../domain/import-job';
import { Imports, type ImportRecord } from '../domain/ports';
import { announceImport } from './outgoing';
import {
  closePending,
  IMPORT_COLUMNS,
  type ImportRow,
  jobOf,
  lockImport,
  positionsOf,
  saveImport,
  valuesOf,
  wakeDispatcher,
} from './pg-rows';

/** Imports in PostgreSQL: what serves a request runs as `app` under row-level security, `settling` as `worker`. */
export class PgImports extends Imports {
  constructor(
    private readonly app: Postgres,
    private readonly worker: Postgres,
  ) {
    super();
  }

  async add(job: ImportJob): Promise<void> {
    const { id, workspaceId, seeds } = job.snapshot;
    await this.app.inWorkspace(workspaceId, async (q) => {
      const values = valuesOf(job.snapshot);
      const places = values.map((_, index) => `$${index + 1}`).join(', ');
      await q.query(`INSERT INTO imports (${IMPORT_COLUMNS}) VALUES (${places})`, values);
      await q.query(
        `INSERT INTO items (import_id, workspace_id, kind, person, depth)
         SELECT $1, $2, kind, person, 0 FROM unnest($3::text[]) AS person, unnest($4::text[]) AS kind`,
        [id, workspaceId, [...seeds], job.fetchesListAt(0) ? ['profile', 'friends'] : ['profile']],
      );
      await announceImport(q, job.snapshot, {});
      await wakeDispatcher(q);
    });
  }

  async find(workspaceId: string, importId: string): Promise<ImportRecord | undefined> {
    return this.app.inWorkspace(workspaceId, async (q) => {
      const { rows } = await q.query<ImportRow>(`SELECT ${IMPORT_COLUMNS} FROM imports WHERE id = $1`, [
        importId,
      ]);
      return (await recordsOf(q, rows))[0];
    });
  }

  async page(workspaceId: string, limit: number, after?: string): Promise<ImportRecord[]> {
    return this.app.inWorkspace(workspaceId, async (q) => {
      // Ids are UUIDv7: their order is the order of creation.
      const { rows } = await q.query<ImportRow>(
        `SELECT ${IMPORT_COLUMNS} FROM imports
         WHERE workspace_id = $1 AND ($2::uuid IS NULL OR id < $2::uuid)
         ORDER BY id DESC LIMIT $3`,
        [workspaceId, after ?? null, limit],
      );
      return recordsOf(q, rows);
    });
  }

  async change(workspaceId: string, importId: string, step: (job: ImportJob) => ImportJob) {
    return this.app.inWorkspace(workspaceId, async (q) => {
      const before = await lockImport(q, importId);
      if (before === undefined) return undefined;
      const after = step(before);
      const positions = (await positionsOf(q, [importId])).get(importId) ?? {};
      if (after.snapshot.state !== before.snapshot.state) {
        if (after.snapshot.state === 'cancelled') await closePending(q, importId, 'withdrawn');
        await saveImport(q, after.snapshot);
        await announceImport(q, after.snapshot, positions);
        await wakeDispatcher(q);
      }
      return { job: after, positions };
    });
  }

  async tally(workspaceId: string, importId: string, peopleEach: number): Promise<ItemTally[]> {
    return this.app.inWorkspace(workspaceId, async (q) => {
      const { rows } = await q.query<ItemTally & { people: string[] }>(
        `SELECT kind, standing, cause, count(*) AS count,
           coalesce(array_agg(person ORDER BY person) FILTER (WHERE standing = 'gap' AND place <= $2), '{}') AS people
         FROM (
           SELECT kind, person,
             CASE state WHEN 'done' THEN 'got' WHEN 'gap' THEN 'gap' WHEN 'beyond' THEN 'gap' ELSE 'open' END AS standing,
             CASE WHEN state IN ('gap', 'beyond') THEN cause END AS cause,
             row_number() OVER (PARTITION BY kind, state, cause ORDER BY person) AS place
           FROM items WHERE import_id = $1
         ) AS standings
         GROUP BY kind, standing, cause
         ORDER BY kind COLLATE "C", standing COLLATE "C", cause COLLATE "C"`,
        [importId, peopleEach],
      );
      return rows.map((row) => ({ ...row, people: row.people.slice(0, peopleEach) }));
    });
  }

  async settling(): Promise<ImportRecord[]> {
    const { rows } = await this.worker.query<ImportRow>(
      `SELECT ${IMPORT_COLUMNS} FROM imports WHERE state = 'settling'`,
    );
    return recordsOf(this.worker, rows);
  }
}

async function recordsOf(q: Queryable, rows: readonly ImportRow[]): Promise<ImportRecord[]> {
  if (rows.length === 0) return [];
  const positions = await positionsOf(
    q,
    rows.map(({ id }) => id),
  );
  return rows.map((row) => ({ job: jobOf(row), positions: positions.get(row.id) ?? {} }));
}
