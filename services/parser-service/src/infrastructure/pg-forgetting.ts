import { randomBytes } from 'node:crypto';
import type { Postgres, Queryable } from '@sociograph/postgres';
import type { Suppressions } from '@sociograph/suppression';
import { PgFiles } from './pg-files';
import { NOTHING_KEPT } from './pg-kept-answers';
import { absorb } from './pg-progress';
import { type FinalCount, gainedBy, lockForProgress } from './pg-rows';
import { forgetUploaded } from './pg-uploads';

/** Kinds of items whose `person` is a person's id; the others are about groups and names. */
const KINDS_OF_PEOPLE = ['profile', 'friends', 'groups', 'subscriptions', 'wall'];
/** Ids looked at in one query. */
const IDS_AT_ONCE = 5_000;

interface Scope {
  workspaceId: string;
  network: string;
}

/**
 * Takes erased people out of imports, as the `worker` role. An item becomes one about nobody: its id is replaced by a
 * word of chance, so that counters and certificates still add up; what was open is a gap, cause `withdrawn`.
 */
export class PgForgetting {
  constructor(
    private readonly worker: Postgres,
    private readonly suppressions: Suppressions,
  ) {}

  /** Looks through every import of this workspace and network unless that was done for all marks. True when it looked. */
  async removeAll(scope: Scope, marks: readonly string[]): Promise<boolean> {
    const { rows } = await this.worker.query<{ mark: string }>(
      'SELECT mark FROM erased_people WHERE workspace_id = $1 AND network = $2',
      [scope.workspaceId, scope.network],
    );
    const done = new Set(rows.map(({ mark }) => mark));
    const fresh = marks.filter((mark) => !done.has(mark));
    if (fresh.length === 0) return false;
    await this.#lookThrough(scope);
    await this.worker.tx(async (q) => {
      // Also where no row named them: what was changed long ago may lie in the files still.
      await PgFiles.note(q);
      await q.query(
        `INSERT INTO erased_people (workspace_id, network, mark) SELECT $1, $2, unnest($3::text[]) ON CONFLICT DO NOTHING`,
        [scope.workspaceId, scope.network, fresh],
      );
    });
    return true;
  }

  /**
   * Once more for whoever was marked since then: what a process had in hand when the mark came, or before it heard of it, was
   * stored afterwards.
   */
  async removeAgain(since: string): Promise<void> {
    const { rows } = await this.worker.query<{ workspace_id: string; network: string }>(
      'SELECT DISTINCT workspace_id, network FROM erased_people WHERE removed_at >= $1::timestamptz',
      [since],
    );
    for (const row of rows) await this.#lookThrough({ workspaceId: row.workspace_id, network: row.network });
  }

  async #lookThrough(scope: Scope): Promise<void> {
    const imports = await this.worker.query<{ id: string; seeds: string[] }>(
      'SELECT id, seeds FROM imports WHERE workspace_id = $1 AND network = $2',
      [scope.workspaceId, scope.network],
    );
    for (const { id, seeds } of imports.rows)
      await this.removeFrom(id, scope, [...seeds, ...(await this.#named(id, scope))]);
    // What others showed may name them too; a call whose answer is gone is made again, where its process died.
    await this.worker.query(
      `UPDATE calls SET ${NOTHING_KEPT} WHERE workspace_id = $1 AND network = $2 AND answer IS NOT NULL`,
      [scope.workspaceId, scope.network],
    );
    await forgetUploaded(this.worker, scope, (id) =>
      this.suppressions.isSuppressed(scope.workspaceId, scope.network, id),
    );
  }

  /** Those of these people who are erased leave the import. How many. */
  async removeFrom(importId: string, scope: Scope, people: readonly string[]): Promise<number> {
    const { workspaceId, network } = scope;
    const erased = [...new Set(people)].filter((id) =>
      this.suppressions.isSuppressed(workspaceId, network, id),
    );
    for (const id of erased) await this.worker.tx((q) => forget(q, importId, workspaceId, id));
    return erased.length;
  }

  /** Erased people among the items of an import. */
  async #named(importId: string, { workspaceId, network }: Scope): Promise<string[]> {
    const found: string[] = [];
    for (const kind of KINDS_OF_PEOPLE) {
      for (let after: string | undefined = ''; after !== undefined;) {
        const { rows }: { rows: { person: string }[] } = await this.worker.query(
          'SELECT person FROM items WHERE import_id = $1 AND kind = $2 AND person > $3 ORDER BY person LIMIT $4',
          [importId, kind, after, IDS_AT_ONCE],
        );
        for (const { person } of rows)
          if (this.suppressions.isSuppressed(workspaceId, network, person)) found.push(person);
        after = rows.length < IDS_AT_ONCE ? undefined : rows.at(-1)?.person;
      }
    }
    return found;
  }
}

/** One transaction; the order of locks is that of the ledger: calls, import, items. */
async function forget(q: Queryable, importId: string, workspaceId: string, id: string): Promise<void> {
  const nobody = `#${randomBytes(8).toString('hex')}`;
  await q.query('SELECT FROM calls WHERE import_id = $1 AND people @> ARRAY[$2] FOR UPDATE', [importId, id]);
  const before = await lockForProgress(q, importId);
  if (before === undefined) return;
  const { rows } = await q.query<FinalCount>(
    `WITH affected AS (
       SELECT kind, state IN ('pending', 'called') AS open, retried FROM items
       WHERE import_id = $1 AND person = $2 AND kind = ANY ($4)
     ), forgotten AS (
       UPDATE items SET person = $3, call_id = NULL, cursor = NULL,
         state = CASE WHEN state IN ('pending', 'called') THEN 'gap' ELSE state END,
         cause = CASE WHEN state IN ('pending', 'called') THEN 'withdrawn' ELSE cause END,
         detail = CASE WHEN state IN ('pending', 'called') THEN 'erased' ELSE detail END
       WHERE import_id = $1 AND person = $2 AND kind = ANY ($4)
     )
     SELECT kind = 'profile' AS profiles, retried, 0 AS done, count(*) AS gaps FROM affected WHERE open GROUP BY 1, 2`,
    [importId, id, nobody, KINDS_OF_PEOPLE],
  );
  await q.query(
    'UPDATE calls SET people = array_replace(people, $2, $3) WHERE import_id = $1 AND people @> ARRAY[$2]',
    [importId, id, nobody],
  );
  await q.query(
    'UPDATE imports SET seeds = array_replace(seeds, $2, $3) WHERE id = $1 AND seeds @> ARRAY[$2]',
    [importId, id, nobody],
  );
  await q.query('DELETE FROM dead_records WHERE import_id = $1 AND person = $2', [importId, id]);
  // A kept answer repeats what was asked for; without it a repeated request makes a second import at worst.
  await q.query(
    `DELETE FROM idempotency_keys WHERE workspace_id = $1 AND answer::text LIKE '%' || to_json($2::text)::text || '%'`,
    [workspaceId, id],
  );
  if (rows.length > 0) await absorb(q, before, gainedBy(rows));
  await PgFiles.note(q);
}
