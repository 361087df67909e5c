import { currentTraceparent, extractTrace, isKept, openSpan, type OpenSpan } from '@sociograph/observability';

/**
 * The spans of one publication: one for each destination and each kept trace among its messages, so that whoever consumes
 * a message hangs under its own. A message whose trace is not kept passes its `traceparent` on and costs no span.
 */
export class PublishSpans {
  readonly #spans = new Map<string, OpenSpan>();
  readonly #current = currentTraceparent();

  constructor(private readonly system: 'kafka' | 'rabbitmq') {}

  /** What a message takes along: `given` continues that trace instead of the work at hand's, empty text none. */
  traceparentOf(destination: string, given = this.#current): string | undefined {
    if (!isKept(given)) return given === '' ? undefined : given;
    const key = `${destination} ${given}`;
    const span = this.#spans.get(key) ?? this.#open(destination, given);
    this.#spans.set(key, span);
    return span.traceparent;
  }

  /** Ends all of them, as failed where an error is given. */
  end(error?: unknown): void {
    for (const span of this.#spans.values()) span.end(error);
  }

  #open(destination: string, traceparent: string | undefined): OpenSpan {
    return openSpan(`publish ${destination}`, {
      kind: 'producer',
      parent: extractTrace({ traceparent }),
      attributes: { 'messaging.system': this.system, 'messaging.destination.name': destination },
    });
  }
}
