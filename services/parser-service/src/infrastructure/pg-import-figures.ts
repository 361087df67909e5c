import type { Queryable } from '@sociograph/postgres';
import type { ImportState } from '../domain/import-job';
import type { ParserMetrics } from '../metrics';

/** In the order of a life; every one has a figure, also when no import is in it. */
const STATES: readonly ImportState[] = ['running', 'paused', 'settling', 'completed', 'cancelled', 'failed'];

/** What operators ask of all workspaces together; the rows of the imports have it, nothing is counted item by item. */
export class PgImportFigures {
  constructor(
    private readonly worker: Queryable,
    private readonly metrics: Pick<ParserMetrics, 'imports' | 'gaps'>,
  ) {}

  async look(): Promise<void> {
    const { rows } = await this.worker.query<{
      state: string;
      imports: number;
      people: number;
      lists: number;
    }>(
      `SELECT state, count(*) AS imports, sum(people_gaps)::bigint AS people, sum(lists_gaps)::bigint AS lists
       FROM imports WHERE state <> 'deleted' GROUP BY state`,
    );
    for (const state of STATES)
      this.metrics.imports.set({ state }, rows.find((row) => row.state === state)?.imports ?? 0);
    for (const what of ['people', 'lists'] as const)
      this.metrics.gaps.set(
        { of: what },
        rows.reduce((sum, row) => sum + row[what], 0),
      );
  }
}
