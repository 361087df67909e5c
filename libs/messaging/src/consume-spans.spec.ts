import { currentTraceparent, startTracing, type FinishedSpan, type Tracing } from '@sociograph/observability';
import { ConsumeSpans } from './consume-spans';
import type { EventRecord } from './event-record';

const id = (n: number): string => n.toString(16).padStart(16, '0');
const traceId = (n: number): string => n.toString(16).padStart(32, '0');
const traceparent = (n: number, flags = '01'): string => `00-${traceId(n)}-${id(n)}-${flags}`;
const record = (trace?: string): EventRecord =>
  ({ headers: trace === undefined ? {} : { traceparent: trace } }) as EventRecord;

describe('the spans of a batch', () => {
  let tracing: Tracing;
  let ended: FinishedSpan[];
  beforeEach(() => {
    ended = [];
    tracing = startTracing({
      service: 's',
      instance: '0',
      sampleRatio: 0,
      onEnd: (span) => ended.push(span),
    });
  });
  afterEach(() => tracing.shutdown());

  it('are one for each kept trace, under the span that published its records', () => {
    const records = [
      record(traceparent(9, '00')),
      record(traceparent(1)),
      record(traceparent(2)),
      record(traceparent(1)),
    ];
    const spans = new ConsumeSpans('consume g', records, { group: 'g' });
    const within = spans.run(() => currentTraceparent());
    expect(ended).toEqual([]);
    spans.end();
    expect(ended).toMatchObject([
      {
        name: 'consume g',
        kind: 'consumer',
        traceId: traceId(1),
        parentSpanId: id(1),
        links: [],
        attributes: { group: 'g', 'messaging.batch.message_count': 2 },
      },
      {
        traceId: traceId(2),
        parentSpanId: id(2),
        links: [ended[0]?.spanId],
        attributes: { group: 'g', 'messaging.batch.message_count': 1 },
      },
    ]);
    const [first, second] = ended.map((span) => `00-${span.traceId}-${span.spanId}-01`);
    expect(within).toBe(first);
    expect(records.map(({ trace }) => trace)).toEqual([undefined, first, second, first]);
  });

  it('go on in the trace of the first record where none is kept, and cost nothing', () => {
    const records = [record(traceparent(5, '00')), record()];
    const spans = new ConsumeSpans('consume g', records);
    expect(spans.run(() => currentTraceparent())).toMatch(new RegExp(`^00-${traceId(5)}-.{16}-00$`));
    spans.end();
    expect(ended).toEqual([]);
    expect(records.map(({ trace }) => trace)).toEqual([undefined, undefined]);
  });

  it('are there for a batch without records too', () => {
    const spans = new ConsumeSpans('consume g', []);
    expect(spans.run(() => currentTraceparent())).toMatch(/-00$/);
    spans.end();
  });

  it('are 32 at most', () => {
    const records = Array.from({ length: 33 }, (_, n) => record(traceparent(n + 1)));
    new ConsumeSpans('consume g', records).end();
    expect(ended).toHaveLength(32);
    expect(records.map(({ trace }) => trace !== undefined)).toEqual([
      ...Array<boolean>(32).fill(true),
      false,
    ]);
  });

  it('are begun anew where the batch is tried again', () => {
    const records = [record(traceparent(1))];
    new ConsumeSpans('consume g', records).end(Object.assign(new Error('x'), { code: 'A.B' }));
    new ConsumeSpans('consume g', records).end();
    expect(ended.map(({ parentSpanId, failed }) => [parentSpanId, failed])).toEqual([
      [id(1), true],
      [id(1), false],
    ]);
    expect(ended[0]?.attributes['error.type']).toBe('A.B');
    expect(records[0]?.trace).toContain(ended[1]?.spanId);
  });
});
