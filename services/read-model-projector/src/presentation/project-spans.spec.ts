import { startTracing, type FinishedSpan, type Tracing } from '@sociograph/observability';
import { ProjectSpans } from './project-spans';

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const parent = (n: number): string => n.toString(16).padStart(16, '0');
const traceparent = (n: number): string => `00-${TRACE_ID}-${parent(n)}-01`;

describe('the span of a change in the projector', () => {
  let tracing: Tracing;
  let ended: FinishedSpan[];
  let now: number;
  let spans: ProjectSpans;

  beforeEach(() => {
    ended = [];
    now = 1_000;
    tracing = startTracing({
      service: 's',
      instance: '0',
      sampleRatio: 0,
      onEnd: (span) => ended.push(span),
    });
    spans = new ProjectSpans({ monotonicMs: () => now });
  });
  afterEach(() => tracing.shutdown());

  it('lasts until a flush that began after it was taken has ended', () => {
    spans.took(traceparent(1));
    now = 1_010;
    spans.took(traceparent(2));
    now = 1_030.4;
    spans.written(20.5); // Began at 1,009.9.
    expect(ended).toMatchObject([
      {
        name: 'project changes',
        kind: 'consumer',
        traceId: TRACE_ID,
        parentSpanId: parent(1),
        failed: false,
      },
    ]);
    now = 1_040;
    spans.written(30); // Began at 1,010, when the second was in memory already.
    expect(ended.map(({ parentSpanId }) => parentSpanId)).toEqual([parent(1), parent(2)]);
    spans.written(0);
    expect(ended).toHaveLength(2);
  });

  it('is one for all records that one span published, and counts them', () => {
    for (let n = 0; n < 3; n += 1) spans.took(traceparent(7));
    spans.written(0);
    expect(ended.map(({ attributes }) => attributes['messaging.batch.message_count'])).toEqual([3]);
  });

  it('is open for 256 traces at most', () => {
    for (let n = 1; n <= 300; n += 1) spans.took(traceparent(n));
    spans.written(0);
    expect(ended).toHaveLength(256);
    spans.took(traceparent(300));
    spans.written(0);
    expect(ended).toHaveLength(257);
  });

  it('ends as failed where the writer leaves before the flush', () => {
    spans.took(traceparent(1));
    spans.giveUp();
    expect(ended).toMatchObject([{ failed: true, attributes: { 'error.type': 'not-written' } }]);
    spans.written(0);
    expect(ended).toHaveLength(1);
  });
});
