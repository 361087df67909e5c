import type { Queryable } from '@sociograph/postgres';
import { grown, type PackSize, shrunk, sizeNow } from '../domain/packing';
import type { StoredCall } from './pg-dispatch';

/**
 * A lane's size of one kind of pack, under its lock; its changes are few, the lock is short. The row is there before it
 * is read: of two calls that teach at once the second one learns from what the first one taught.
 */
async function learn(
  q: Queryable,
  call: StoredCall,
  size: PackSize,
  next: (learned: number) => number,
): Promise<void> {
  const of = [call.workspaceId, call.network, call.kind];
  const where = 'workspace_id = $1 AND network = $2 AND kind = $3';
  await q.query(
    `INSERT INTO pack_sizes (workspace_id, network, kind, size) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
    [...of, sizeNow(size, undefined)],
  );
  const { rows } = await q.query<{ size: number }>(
    `SELECT size FROM pack_sizes WHERE ${where} FOR UPDATE`,
    of,
  );
  const learned = rows[0]?.size ?? sizeNow(size, undefined);
  const now = next(learned);
  if (now !== learned) await q.query(`UPDATE pack_sizes SET size = $4 WHERE ${where}`, [...of, now]);
}

export async function learnTooMuch(q: Queryable, call: StoredCall, size: PackSize): Promise<void> {
  await learn(q, call, size, (learned) => shrunk(size, learned, call.people.length));
}

/** A full call of a kind whose size never changed teaches nothing, and most calls are such. */
export async function learnFit(q: Queryable, call: StoredCall, size: PackSize): Promise<void> {
  if (call.people.length >= size.most) return;
  if (size.first === undefined && !(await isLearned(q, call))) return;
  await learn(q, call, size, (learned) => grown(size, learned, call.people.length));
}

async function isLearned(q: Queryable, { workspaceId, network, kind }: StoredCall): Promise<boolean> {
  const { rows } = await q.query(
    'SELECT FROM pack_sizes WHERE workspace_id = $1 AND network = $2 AND kind = $3',
    [workspaceId, network, kind],
  );
  return rows.length > 0;
}
