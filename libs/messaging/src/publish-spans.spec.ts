import { inSpan, startTracing, type FinishedSpan, type Tracing } from '@sociograph/observability';
import { PublishSpans } from './publish-spans';

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const KEPT = `00-${TRACE_ID}-b7ad6b7169203331-01`;
const UNKEPT = `00-${TRACE_ID}-b7ad6b7169203331-00`;

describe('the spans of a publication', () => {
  let tracing: Tracing;
  let ended: FinishedSpan[];
  const start = (sampleRatio: number): void => {
    ended = [];
    tracing = startTracing({ service: 's', instance: '0', sampleRatio, onEnd: (span) => ended.push(span) });
  };
  afterEach(() => tracing.shutdown());

  it('are one for each destination and trace, which their messages carry', () => {
    start(0);
    const spans = new PublishSpans('kafka');
    const first = spans.traceparentOf('users', KEPT);
    expect(spans.traceparentOf('users', KEPT)).toBe(first);
    const second = spans.traceparentOf('lists', KEPT);
    expect(ended).toEqual([]);
    spans.end();
    expect(ended).toMatchObject([
      {
        name: 'publish users',
        kind: 'producer',
        traceId: TRACE_ID,
        parentSpanId: 'b7ad6b7169203331',
        failed: false,
        attributes: { 'messaging.system': 'kafka', 'messaging.destination.name': 'users' },
      },
      { name: 'publish lists', parentSpanId: 'b7ad6b7169203331' },
    ]);
    expect([first, second]).toEqual(ended.map(({ spanId }) => `00-${TRACE_ID}-${spanId}-01`));
  });

  it('hang under the work at hand where no trace is given', async () => {
    start(1);
    let under = '';
    await inSpan('work', {}, (span) => {
      under = span.spanContext().spanId;
      const spans = new PublishSpans('rabbitmq');
      spans.traceparentOf('calls');
      spans.end();
    });
    expect(ended[0]).toMatchObject({ name: 'publish calls', parentSpanId: under });
  });

  it('are not opened in a trace that is not kept, which goes on all the same', async () => {
    start(0);
    const spans = new PublishSpans('kafka');
    expect(spans.traceparentOf('users', UNKEPT)).toBe(UNKEPT);
    expect(spans.traceparentOf('users')).toBeUndefined();
    expect(spans.traceparentOf('users', '')).toBeUndefined();
    await inSpan('work', {}, (span) => {
      const { traceId, spanId } = span.spanContext();
      expect(new PublishSpans('kafka').traceparentOf('users')).toBe(`00-${traceId}-${spanId}-00`);
      // An event of nobody's trace does not join that of the work at hand.
      expect(new PublishSpans('kafka').traceparentOf('users', '')).toBeUndefined();
    });
    spans.end();
    expect(ended).toEqual([]);
  });

  it('are marked where the messages did not arrive', () => {
    start(0);
    const spans = new PublishSpans('kafka');
    spans.traceparentOf('users', KEPT);
    spans.end(Object.assign(new Error('x'), { code: 'KAFKA.UNAVAILABLE' }));
    expect(ended).toMatchObject([{ failed: true, attributes: { 'error.type': 'KAFKA.UNAVAILABLE' } }]);
  });
});
