import { Controller, type Type } from '@nestjs/common';
import { BatchHandler, type EventBatch, type TopicRef } from '@sociograph/messaging';
import { handled, Metrics, type Logger } from '@sociograph/observability';
import { AppLogger } from '@sociograph/service-host';
import { StoreEvents } from '../application/store-events';

export interface EventsConsumer {
  onBatch(batch: EventBatch): Promise<void>;
}

/** The consumer of these topics, which must be the same as those of the batch server. */
export function eventsConsumerOf(topics: readonly TopicRef[]): Type<EventsConsumer> {
  @Controller()
  class TopicsConsumer implements EventsConsumer {
    readonly #store: (batch: EventBatch) => Promise<void>;

    constructor(store: StoreEvents, logger: AppLogger, metrics: Metrics) {
      const options = {
        logger: logger as Logger,
        metrics,
        successLevel: 'debug',
        kind: 'consumer',
      } as const;
      this.#store = handled('store events', options, ({ records }: EventBatch) => store.execute(records));
    }

    @BatchHandler({ topics })
    onBatch(batch: EventBatch): Promise<void> {
      return this.#store(batch);
    }
  }
  return TopicsConsumer;
}
