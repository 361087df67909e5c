import type { Queryable } from '@sociograph/postgres';

/** Use of the quota keys, of every workspace that has some: as the worker, who sees all of them. */
export async function countKeys(worker: Queryable): Promise<Map<string, { keys: number }>> {
  const { rows } = await worker.query<{ workspace_id: string; keys: number }>(
    'SELECT workspace_id, count(*) AS keys FROM api_keys WHERE deleted_at IS NULL GROUP BY workspace_id',
  );
  return new Map(rows.map((row) => [row.workspace_id, { keys: row.keys }]));
}
