import type { FinishedSpan } from './finished-span';
import { inStoreSpan } from './store-span';
import { currentTraceparent, extractTrace, inSpan, startTracing, type Tracing } from './tracing';

const KEPT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const NOT_KEPT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00';

describe('work at a store', () => {
  let tracing: Tracing;
  let ended: FinishedSpan[];

  beforeEach(() => {
    ended = [];
    const onEnd = (span: FinishedSpan): void => void ended.push(span);
    tracing = startTracing({ service: 's', instance: '1', sampleRatio: 0, onEnd });
  });
  afterEach(() => tracing.shutdown());

  const within = <R>(traceparent: string, work: () => Promise<R>): Promise<R> =>
    inSpan('request', { kind: 'server', parent: extractTrace({ traceparent }) }, () =>
      inStoreSpan('arangodb', 'readBatch', work),
    );

  it('is a span below the work at hand, named after what is done', async () => {
    expect(await within(KEPT, async () => 42)).toBe(42);
    const [store, request] = ended;
    expect(store).toMatchObject({
      name: 'arangodb readBatch',
      kind: 'client',
      parentSpanId: request?.spanId,
      attributes: { 'db.system.name': 'arangodb', 'db.operation.name': 'readBatch' },
      failed: false,
    });
    expect(ended).toHaveLength(2);
  });

  it('is a leaf: what is announced meanwhile follows from the span above', async () => {
    const traceparent = await within(KEPT, async () => currentTraceparent());
    expect(traceparent?.split('-')[2]).toBe(ended[1]?.spanId);
  });

  it('fails with its error, of which the span has the code', async () => {
    const failure = Object.assign(new Error('about somebody'), { code: 'ARANGO.UNAVAILABLE' });
    await expect(within(KEPT, () => Promise.reject(failure))).rejects.toBe(failure);
    expect(ended[0]).toMatchObject({
      failed: true,
      attributes: expect.objectContaining({ 'error.type': 'ARANGO.UNAVAILABLE' }) as object,
    });
    expect(JSON.stringify(ended)).not.toContain('somebody');
  });

  it('has none where the trace is not kept, nor outside of any', async () => {
    expect(await within(NOT_KEPT, async () => 1)).toBe(1);
    expect(await inStoreSpan('arangodb', 'readBatch', async () => 2)).toBe(2);
    await expect(
      inStoreSpan('arangodb', 'readBatch', () => Promise.reject(new Error('gone'))),
    ).rejects.toThrow('gone');
    expect(ended).toEqual([]);
  });
});
