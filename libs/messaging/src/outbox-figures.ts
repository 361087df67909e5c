import { SystemClock, type Clock } from '@sociograph/kernel';
import type { Metrics } from '@sociograph/observability';
import type { Queryable } from '@sociograph/postgres';

const KINDS = ['task', 'event'] as const;
/** Between two looks; the figures are as old as that. */
const LOOK_EVERY_MS = 2_000;
/** Counting stops here: that many say all there is to say. */
const MOST_COUNTED = 10_000;

interface Figure {
  rows: number;
  ageSeconds: number;
}

/**
 * How many rows wait in the outbox and since when. A scrape asks no database; while none answers, the age of what was
 * seen last goes on growing, because nothing is relayed either.
 */
export class OutboxFigures {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  #seen = new Map<string, Figure>();
  #lookedAt: number | undefined;

  constructor(
    private readonly postgres: Queryable,
    metrics: Metrics,
    clock: Pick<Clock, 'monotonicMs'> = new SystemClock(),
  ) {
    this.#clock = clock;
    metrics.gauge(
      'outbox_rows',
      'Rows that wait to be relayed, counted up to 10,000; every process of a service counts the same ones',
      ['kind'] as const,
      (gauge) => KINDS.forEach((kind) => gauge.set({ kind }, this.#seen.get(kind)?.rows ?? 0)),
    );
    metrics.gauge(
      'outbox_age_seconds',
      'Age of the oldest row that waits to be relayed, exact to two seconds; growth means an unreachable broker or database',
      ['kind'] as const,
      (gauge) => KINDS.forEach((kind) => gauge.set({ kind }, this.#ageOf(kind))),
    );
  }

  /** Asks the database unless it was asked a moment ago; throws what it throws. */
  async look(): Promise<void> {
    const now = this.#clock.monotonicMs();
    if (this.#lookedAt !== undefined && now - this.#lookedAt < LOOK_EVERY_MS) return;
    const { rows } = await this.postgres.query<Figure & { kind: string }>(
      `SELECT kind, count(*) AS rows,
         greatest(0, extract(epoch FROM clock_timestamp() - min(created_at)))::float8 AS "ageSeconds"
       FROM (SELECT kind, created_at FROM outbox ORDER BY id LIMIT ${MOST_COUNTED}) AS waiting GROUP BY kind`,
    );
    this.#seen = new Map(rows.map(({ kind, ...figure }) => [kind, figure]));
    this.#lookedAt = now;
  }

  #ageOf(kind: string): number {
    const figure = this.#seen.get(kind);
    if (figure === undefined || this.#lookedAt === undefined) return 0;
    const sinceMs = this.#clock.monotonicMs() - this.#lookedAt;
    return figure.ageSeconds + (sinceMs > 2 * LOOK_EVERY_MS ? sinceMs / 1000 : 0);
  }
}
