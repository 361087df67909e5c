import { EventPattern } from '@nestjs/microservices';
import { isObservable, lastValueFrom, type Observable } from 'rxjs';
import type { BatchFn, EventBatch } from './batch-processor';
import { nameOf, type TopicRef } from './event-record';

export interface BatchHandlerOptions {
  /** The same topics as the KafkaBatchServer that feeds this method. */
  topics: readonly TopicRef[];
}

/** How a decorated method answers: Nest turns a throw into an opaque sentence, so failures travel as values. */
interface HandlerOutcome {
  failure: { error: unknown } | undefined;
}

/** Pattern under which Nest knows the handler of these topics. */
export function batchPattern(topics: readonly TopicRef[]): string {
  return `batch:${topics.map(nameOf).sort().join(',')}`;
}

/**
 * Declares a controller method `(batch: EventBatch) => Promise<void>` as the handler of these topics. It returns
 * when the effect of the whole batch is durable, or throws; positions are committed after it.
 */
export function BatchHandler(options: BatchHandlerOptions): MethodDecorator {
  return (target, key, descriptor: PropertyDescriptor) => {
    const original = descriptor.value as (this: unknown, batch: EventBatch) => Promise<void>;
    const wrapped = async function (this: unknown, batch: EventBatch): Promise<HandlerOutcome> {
      try {
        await original.call(this, batch);
        return { failure: undefined };
      } catch (error) {
        return { failure: { error } };
      }
    };
    for (const name of Reflect.getMetadataKeys(original) as string[]) {
      Reflect.defineMetadata(name, Reflect.getMetadata(name, original), wrapped);
    }
    descriptor.value = wrapped;
    EventPattern(batchPattern(options.topics))(target, key, descriptor);
  };
}

/** The handler behind a callback that Nest registered. */
export function batchFnOf(callback: (batch: EventBatch) => Promise<unknown>): BatchFn {
  return async (batch) => {
    let answer: unknown = await callback(batch);
    while (isObservable(answer)) {
      answer = await lastValueFrom(answer as Observable<unknown>, { defaultValue: undefined });
    }
    const failure = (answer as Partial<HandlerOutcome> | undefined)?.failure;
    if (failure !== undefined) throw failure.error;
  };
}
