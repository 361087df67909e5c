import { TOPICS } from '@sociograph/contracts';
import type { Clock } from '@sociograph/kernel';
import { extractTrace, openSpan, type OpenSpan } from '@sociograph/observability';

/** Spans that may be open at once; traces beyond that end with the service before. */
const MOST_OPEN = 256;

/**
 * The last span of a trace: from the moment in which the writer has a change in memory until a flush has written the rows
 * and announced the position. One for all records that the same span published.
 */
export class ProjectSpans {
  readonly #open = new Map<string, { span: OpenSpan; tookAt: number; records: number }>();

  constructor(private readonly clock: Pick<Clock, 'monotonicMs'>) {}

  /** A record of this `traceparent` was taken into memory. */
  took(traceparent: string): void {
    const known = this.#open.get(traceparent);
    if (known !== undefined) known.records += 1;
    else if (this.#open.size < MOST_OPEN) {
      const span = openSpan('project changes', {
        kind: 'consumer',
        parent: extractTrace({ traceparent }),
        attributes: {
          'messaging.system': 'kafka',
          'messaging.destination.name': TOPICS.graphChanges.name,
        },
      });
      this.#open.set(traceparent, { span, tookAt: this.clock.monotonicMs(), records: 1 });
    }
  }

  /** A flush that took so long (monotonic ms) ended now: what was in memory when it began is written. */
  written(durationMs: number): void {
    const beganAt = this.clock.monotonicMs() - durationMs;
    for (const [traceparent, { span, tookAt, records }] of this.#open) {
      if (tookAt > beganAt) continue;
      this.#open.delete(traceparent);
      span.note({ 'messaging.batch.message_count': records });
      span.end();
    }
  }

  /** Nothing of what is open will be written by this writer. */
  giveUp(): void {
    for (const { span } of this.#open.values()) span.end('not-written');
    this.#open.clear();
  }
}
