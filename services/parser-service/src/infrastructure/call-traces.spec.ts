import { startTracing, type Tracing } from '@sociograph/observability';
import { CALLS_OF_REQUEST, tracesOfCalls } from './call-traces';

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const REQUEST = `00-${TRACE_ID}-b7ad6b7169203331-01`;

const calls = (importId: string, count: number) =>
  Array.from({ length: count }, (_, n) => ({ callId: `${importId}-${n}`, importId, network: 'vk' }));

/** Trace id and flags of each call, in the order of the calls. */
function dispatched(...args: Parameters<typeof tracesOfCalls>): (string | undefined)[][] {
  const traces = tracesOfCalls(...args);
  return args[0].map(({ callId }) => {
    const [, traceId, , flags] = (traces.get(callId) ?? '').split('-');
    return [traceId, flags];
  });
}

describe('the trace of a call', () => {
  let tracing: Tracing;
  beforeEach(() => (tracing = startTracing({ service: 's', instance: '0', sampleRatio: 0 })));
  afterEach(() => tracing.shutdown());

  it('is that of the request for the first calls of its import, and no more of them', () => {
    const known = new Map([['a', { traceparent: REQUEST, first: true }]]);
    const traces = dispatched(calls('a', CALLS_OF_REQUEST + 2), known);
    expect(traces.slice(0, CALLS_OF_REQUEST)).toEqual(Array(CALLS_OF_REQUEST).fill([TRACE_ID, '01']));
    const others = traces.slice(CALLS_OF_REQUEST);
    // Of its own, so chance decides whether it is kept: here never.
    expect(others.map(([, flags]) => flags)).toEqual(['00', '00']);
    expect(new Set(others.map(([traceId]) => traceId)).size).toBe(2);
    expect(others).not.toContainEqual([TRACE_ID, '00']);
    expect(CALLS_OF_REQUEST).toBe(10);
  });

  it('gives each call a span of its own to go on from', () => {
    const traces = tracesOfCalls(calls('a', 2), new Map([['a', { traceparent: REQUEST, first: true }]]));
    expect(new Set(traces.values()).size).toBe(2);
    expect([...traces.values()]).not.toContain(REQUEST);
  });

  it('counts each import by itself', () => {
    const known = new Map(['a', 'b'].map((id) => [id, { traceparent: REQUEST, first: true }]));
    const both = [...calls('a', CALLS_OF_REQUEST), ...calls('b', 1)];
    expect(dispatched(both, known).at(-1)).toEqual([TRACE_ID, '01']);
  });

  it.each([
    ['later', { traceparent: REQUEST, first: false }],
    ['of a request without a trace', { traceparent: null, first: true }],
    ['of an import that nobody knows', undefined],
  ])('is its own where the call is %s', (_what, known) => {
    const [[traceId, flags] = []] = dispatched(calls('a', 1), new Map(known && [['a', known]]));
    expect(traceId).toMatch(/^[0-9a-f]{32}$/);
    expect(traceId).not.toBe(TRACE_ID);
    expect(flags).toBe('00');
  });
});
