import { Controller } from '@nestjs/common';
import { TOPICS } from '@sociograph/contracts';
import { BatchHandler, type EventBatch } from '@sociograph/messaging';
import { handled, Metrics } from '@sociograph/observability';
import { AppLogger } from '@sociograph/service-host';
import { ApplyObservations } from '../application/apply-observations';
import { observedPeople } from './observed-people';
import { Turnstile } from './turnstile';

/** Groups, posts and memberships are declared in the contracts; they are stored with the issues that import them. */
export const OBSERVED_TOPICS = [TOPICS.users, TOPICS.friendLists];

@Controller()
export class ObservationsConsumer {
  readonly #store: (batch: EventBatch) => Promise<void>;

  constructor(
    apply: ApplyObservations,
    private readonly turnstile: Turnstile,
    logger: AppLogger,
    metrics: Metrics,
  ) {
    const options = { logger, metrics, successLevel: 'debug', kind: 'consumer' } as const;
    this.#store = handled(
      'store observations',
      options,
      ({ partition, records, positions, heartbeat }: EventBatch) =>
        apply.execute({ partition, people: observedPeople(records), positions, heartbeat }),
    );
  }

  /** Batches of a few partitions at a time: each holds its lists and edges in memory. */
  @BatchHandler({ topics: OBSERVED_TOPICS })
  async onBatch(batch: EventBatch): Promise<void> {
    await this.turnstile.pass(() => this.#store(batch), batch.heartbeat);
  }
}
