import 'reflect-metadata';
import { PATTERN_METADATA } from '@nestjs/microservices/constants';
import { TOPICS } from '@sociograph/contracts';
import { of } from 'rxjs';
import { BatchHandler, batchFnOf, batchPattern } from './batch-handler';
import type { EventBatch } from './batch-processor';

const batch = { partition: 1 } as EventBatch;

describe('BatchHandler', () => {
  const failure = new TypeError('no');
  const Own = (): MethodDecorator => (_target, _key, descriptor) => {
    Reflect.defineMetadata('own', 'kept', descriptor.value as object);
  };

  class Consumer {
    readonly seen: number[] = [];

    @BatchHandler({ topics: ['b', TOPICS.views, 'a'] })
    @Own()
    async onBatch({ partition }: EventBatch): Promise<void> {
      if (partition === 0) throw failure;
      this.seen.push(partition);
    }
  }

  it('is known to Nest under its topics, whatever their order, and keeps other decorations', () => {
    const method = Consumer.prototype.onBatch as object;
    expect(Reflect.getMetadata(PATTERN_METADATA, method)).toEqual(['batch:a,b,sociograph.views.v1']);
    expect(Reflect.getMetadata('own', method)).toBe('kept');
    expect(batchPattern(['b', 'a'])).toBe('batch:a,b');
  });

  it('keeps `this`, and carries failures through Nest as values', async () => {
    const consumer = new Consumer();
    const handle = batchFnOf((given) => consumer.onBatch(given));
    await handle(batch);
    expect(consumer.seen).toEqual([1]);
    await expect(handle({ partition: 0 } as EventBatch)).rejects.toBe(failure);
  });

  it('looks through the observables that Nest may wrap around an answer', async () => {
    await expect(batchFnOf(async () => of(of({ failure: { error: failure } })))(batch)).rejects.toBe(failure);
    await expect(batchFnOf(async () => of(undefined))(batch)).resolves.toBeUndefined();
    await expect(batchFnOf(async () => undefined)(batch)).resolves.toBeUndefined();
    await expect(batchFnOf(async () => Promise.reject(failure))(batch)).rejects.toBe(failure);
  });
});
