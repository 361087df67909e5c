import { type DynamicModule, Module } from '@nestjs/common';
import type { TopicRef } from '@sociograph/messaging';
import { HostModule, type HostContext } from '@sociograph/service-host';
import { StoreEvents } from './application/store-events';
import { eventsConsumerOf } from './presentation/events.consumer';

/** The wiring: one use case behind one consumer. */
@Module({})
export class AnalyticsModule {
  static forRoot(ctx: HostContext, store: StoreEvents, topics: readonly TopicRef[]): DynamicModule {
    return {
      module: AnalyticsModule,
      imports: [HostModule.forRoot(ctx)],
      controllers: [eventsConsumerOf(topics)],
      providers: [{ provide: StoreEvents, useValue: store }],
    };
  }
}
