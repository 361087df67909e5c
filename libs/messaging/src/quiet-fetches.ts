/** Fetches in a row in which a broker had nothing, before it counts as quiet. One may fall into a change of leaders. */
const QUIET_FETCHES = 3;

/**
 * Tells when no broker has anything more to give: each one answered several fetches in a row with nothing. Offsets do
 * not tell that. The last ones before the end of a log may belong to records that compaction took away, or to markers
 * of transactions, which no consumer ever sees.
 *
 * Nothing is also what kafkajs makes of a connection that broke and of a partition without a leader: `holds` counts
 * answers, and is to be asked with what the cluster says of its leaders.
 */
export class QuietFetches {
  /** By broker: fetches in a row, all over, without anything from anyone. */
  readonly #empty = new Map<number, number>();
  /** By address: fetches that the broker answered since something came. One without partitions is not sent any. */
  readonly #answers = new Map<string, number>();

  /** A broker is asked. What it gave at the former fetch has been processed: brokers are asked again only after that. */
  begins(broker: number): boolean {
    this.#empty.set(broker, (this.#empty.get(broker) ?? -1) + 1);
    return this.#allEmpty();
  }

  /** A fetch was answered, with records or without. */
  answered(address: string): void {
    this.#answers.set(address, (this.#answers.get(address) ?? 0) + 1);
  }

  /** Still quiet, and as many brokers answered all those fetches as lead partitions. */
  holds(leaders: number): boolean {
    const answering = [...this.#answers.values()].filter((count) => count >= QUIET_FETCHES);
    return this.#allEmpty() && answering.length >= leaders;
  }

  /** Something came, or what came cannot be trusted: counting begins anew. */
  broken(): void {
    this.#answers.clear();
    for (const broker of this.#empty.keys()) this.#empty.set(broker, -1);
  }

  #allEmpty(): boolean {
    return [...this.#empty.values()].every((count) => count >= QUIET_FETCHES);
  }
}
