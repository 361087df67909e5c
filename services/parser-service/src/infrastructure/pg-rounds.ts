import type { Queryable } from '@sociograph/postgres';
import type { ImportSnapshot } from '../domain/import-job';

/**
 * Friend lists of these people are open items: those that the import had, and new ones. The distance of an item counts the
 * rounds of a refresh, so that the lists of the last round are told from the others; undefined after the last one.
 */
export async function takeListsAgain(
  q: Queryable,
  { id, workspaceId }: Pick<ImportSnapshot, 'id' | 'workspaceId'>,
  people: readonly string[],
  mostRounds: number,
): Promise<{ fresh: number; done: number; gaps: number } | undefined> {
  const last = await q.query<{ round: number | null }>(
    `SELECT max(depth) AS round FROM items WHERE import_id = $1 AND kind = 'friends'`,
    [id],
  );
  const round = Math.max(1, last.rows[0]?.round ?? 1) + 1;
  if (round > mostRounds + 1) return undefined;
  const reopened = await q.query<{ done: number; gaps: number }>(
    `WITH before AS (
       SELECT person, state FROM items
       WHERE import_id = $1 AND kind = 'friends' AND person = ANY ($2) AND state IN ('done', 'gap') FOR UPDATE
     ), again AS (
       UPDATE items SET state = 'pending', attempts = 0, key_faults = 0, ready_at = 'epoch', cause = NULL, detail = NULL,
         cursor = NULL, retried = true, depth = $3
       FROM before WHERE items.import_id = $1 AND items.kind = 'friends' AND items.person = before.person
     )
     SELECT count(*) FILTER (WHERE state = 'done') AS done, count(*) FILTER (WHERE state = 'gap') AS gaps FROM before`,
    [id, [...people], round],
  );
  const fresh = await q.query(
    `INSERT INTO items (import_id, workspace_id, kind, person, depth)
     SELECT $1, $2, 'friends', person, $4 FROM unnest($3::text[]) AS again (person)
     ON CONFLICT DO NOTHING`,
    [id, workspaceId, [...people], round],
  );
  return { fresh: fresh.rowCount, ...(reopened.rows[0] ?? { done: 0, gaps: 0 }) };
}
