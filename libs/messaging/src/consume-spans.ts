import { EVENT_HEADERS } from '@sociograph/contracts';
import { extractTrace, isKept, openSpan, type OpenSpan, type SpanOptions } from '@sociograph/observability';
import type { EventRecord } from './event-record';

/** Traces of one batch that get a span each; the records of further ones go without. */
const MOST_SPANS = 32;

/**
 * The spans of one batch. Its records come from many traces: each kept one gets a span of its own under the span that
 * published its records, for as long as the batch takes, and the records are told (`trace`). The work itself runs in the
 * first one's, which the others link to; without a kept one it runs in the trace of the first record.
 */
export class ConsumeSpans {
  readonly #first: OpenSpan;
  readonly #others: OpenSpan[] = [];

  constructor(name: string, records: readonly EventRecord[], attributes: SpanOptions['attributes'] = {}) {
    const byTrace = new Map<string, EventRecord[]>();
    for (const record of records) {
      const traceparent = record.headers[EVENT_HEADERS.traceparent];
      if (traceparent === undefined || !isKept(traceparent)) continue;
      const group = byTrace.get(traceparent);
      if (group !== undefined) group.push(record);
      else if (byTrace.size < MOST_SPANS) byTrace.set(traceparent, [record]);
    }
    const open = (
      traceparent: string | undefined,
      group: readonly EventRecord[],
      links: string[],
    ): OpenSpan =>
      openSpan(name, {
        kind: 'consumer',
        parent: extractTrace({ traceparent }),
        links,
        attributes: { ...attributes, 'messaging.batch.message_count': group.length },
      });
    const [kept, ...rest] = byTrace;
    this.#first = open(kept?.[0] ?? records[0]?.headers[EVENT_HEADERS.traceparent], kept?.[1] ?? records, []);
    const { traceparent: worked } = this.#first;
    for (const record of kept?.[1] ?? []) record.trace = worked;
    for (const [traceparent, group] of rest) {
      const span = open(traceparent, group, worked === undefined ? [] : [worked]);
      for (const record of group) record.trace = span.traceparent;
      this.#others.push(span);
    }
  }

  /** Runs the work on the batch in the first span. */
  run<R>(fn: () => R): R {
    return this.#first.run(fn);
  }

  /** Ends all of them, as failed where an error is given. */
  end(error?: unknown): void {
    for (const span of [this.#first, ...this.#others]) span.end(error);
  }
}
