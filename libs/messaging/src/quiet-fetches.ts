/** Fetches in a row in which a broker had nothing, before it counts as quiet. One may fall into a change of leaders. */
const QUIET_FETCHES = 3;

/**
 * Tells when no broker has anything more to give: each one answered several fetches in a row with nothing. Offsets do
 * not tell that. The last ones before the end of a log may belong to records that compaction took away, or to markers
 * of transactions, which no consumer ever sees.
 */
export class QuietFetches {
  /** By broker: fetches in a row, all over, without anything from anyone. */
  readonly #empty = new Map<number, number>();

  /** A broker is asked. What it gave at the former fetch has been processed: brokers are asked again only after that. */
  begins(broker: number): boolean {
    this.#empty.set(broker, (this.#empty.get(broker) ?? -1) + 1);
    return [...this.#empty.values()].every((count) => count >= QUIET_FETCHES);
  }

  /** Something came. */
  broken(): void {
    for (const broker of this.#empty.keys()) this.#empty.set(broker, -1);
  }
}
