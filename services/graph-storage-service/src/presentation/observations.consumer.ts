import { Controller } from '@nestjs/common';
import { CONSUMER_GROUPS } from '@sociograph/contracts';
import { BatchHandler, type EventBatch } from '@sociograph/messaging';
import { handled, Metrics } from '@sociograph/observability';
import { AppLogger } from '@sociograph/service-host';
import { ApplyObservations, type ObservationBatch } from '../application/apply-observations';
import { TracesOfChanges } from '../traces-of-changes';
import { observedMembers, observedVertices } from './observed-communities';
import { ErasedPeople } from './erased-people';
import { Gathering } from './gathering';
import { observedPeople } from './observed-people';
import { Turnstile } from './turnstile';

export const OBSERVED_TOPICS = CONSUMER_GROUPS.graphStorage.topics;

@Controller()
export class ObservationsConsumer {
  readonly #gathering: Gathering;

  constructor(
    apply: ApplyObservations,
    turnstile: Turnstile,
    erased: ErasedPeople,
    private readonly traces: TracesOfChanges,
    logger: AppLogger,
    metrics: Metrics,
  ) {
    const options = { logger, metrics, successLevel: 'debug', kind: 'consumer' } as const;
    const store = handled('store observations', options, (batches: readonly EventBatch[]) =>
      apply.executeTogether(batches.map(observed)),
    );
    // Whose mark came while the batch waited for its turn is left out too: an erasure does not wait that long.
    const leaveOut = async (batch: EventBatch): Promise<EventBatch> => ({
      ...batch,
      records: await erased.leaveOut(batch.records),
    });
    this.#gathering = new Gathering(turnstile, async (batches) => {
      await store(await Promise.all(batches.map(leaveOut)));
    });
  }

  /** What arrives for several partitions is stored together. */
  @BatchHandler({ topics: OBSERVED_TOPICS })
  async onBatch(batch: EventBatch): Promise<void> {
    const forget = this.traces.note(batch.partition, batch.records);
    try {
      await this.#gathering.join(batch);
    } finally {
      forget();
    }
  }
}

function observed({ partition, records, positions, heartbeat }: EventBatch): ObservationBatch {
  return {
    partition,
    people: observedPeople(records),
    vertices: observedVertices(records),
    members: observedMembers(records),
    positions,
    heartbeat,
  };
}
