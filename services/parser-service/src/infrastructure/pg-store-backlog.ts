import { TOPICS } from '@sociograph/contracts';
import type { Postgres } from '@sociograph/postgres';
import type { LogPositions } from '../domain/observation';
import { StoreBacklog, ViewProgress } from '../domain/ports';

/** The dispatcher asks at every round; so old an answer is new enough. */
const ASKED_EVERY_MS = 500;

/**
 * Records of friend lists that imports under way published and that some view has not applied, times the friends that
 * those imports saw per list. An estimate: which lists wait is not known, only how many.
 */
export class PgStoreBacklog extends StoreBacklog {
  private asked: { at: number; edges: Promise<number> } | undefined;

  constructor(
    private readonly worker: Postgres,
    private readonly views: ViewProgress,
    private readonly monotonicMs: () => number,
  ) {
    super();
  }

  edges(): Promise<number> {
    const at = this.monotonicMs();
    if (this.asked === undefined || at - this.asked.at >= ASKED_EVERY_MS) {
      const edges = this.ask();
      // Kept for the next asker, who hears of the failure, too; until then it must not count as unhandled.
      edges.catch(() => undefined);
      this.asked = { at, edges };
    }
    return this.asked.edges;
  }

  private async ask(): Promise<number> {
    const topic = TOPICS.friendLists.name;
    const { rows } = await this.worker.query<{ partition: number; next: number; each: number }>(
      `WITH alive AS (
         SELECT id, friendship_observations, lists_done FROM imports WHERE state IN ('running', 'paused', 'settling')
       )
       SELECT p.partition, max(p.next_offset) AS next,
         (SELECT sum(friendship_observations) / greatest(1, sum(lists_done)) FROM alive)::float8 AS each
       FROM import_positions p JOIN alive ON alive.id = p.import_id
       WHERE p.topic = $1 GROUP BY p.partition`,
      [topic],
    );
    const wanted: LogPositions = {
      [topic]: Object.fromEntries(rows.map((row) => [String(row.partition), row.next])),
    };
    return Math.round(this.views.behind(wanted) * (rows[0]?.each ?? 0));
  }
}
