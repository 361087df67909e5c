import { Controller } from '@nestjs/common';
import { CONSUMER_GROUPS } from '@sociograph/contracts';
import { BatchHandler, type EventBatch } from '@sociograph/messaging';
import { handled, Metrics } from '@sociograph/observability';
import { AppLogger } from '@sociograph/service-host';
import { ApplyObservations } from '../application/apply-observations';
import { observedMembers, observedVertices } from './observed-communities';
import { ErasedPeople } from './erased-people';
import { observedPeople } from './observed-people';
import { Turnstile } from './turnstile';

export const OBSERVED_TOPICS = CONSUMER_GROUPS.graphStorage.topics;

@Controller()
export class ObservationsConsumer {
  readonly #store: (batch: EventBatch) => Promise<void>;

  constructor(
    apply: ApplyObservations,
    private readonly turnstile: Turnstile,
    private readonly erased: ErasedPeople,
    logger: AppLogger,
    metrics: Metrics,
  ) {
    const options = { logger, metrics, successLevel: 'debug', kind: 'consumer' } as const;
    this.#store = handled(
      'store observations',
      options,
      ({ partition, records, positions, heartbeat }: EventBatch) =>
        apply.execute({
          partition,
          people: observedPeople(records),
          vertices: observedVertices(records),
          members: observedMembers(records),
          positions,
          heartbeat,
        }),
    );
  }

  /** Batches of a few partitions at a time: each holds its lists and edges in memory. */
  @BatchHandler({ topics: OBSERVED_TOPICS })
  async onBatch(batch: EventBatch): Promise<void> {
    // Whose mark came while the batch waited for its turn is left out too: an erasure does not wait that long.
    const store = async (): Promise<void> =>
      this.#store({ ...batch, records: await this.erased.leaveOut(batch.records) });
    await this.turnstile.pass(store, batch.heartbeat);
  }
}
