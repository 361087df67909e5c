import { readExport } from './otlp';

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const span = (rest: object = {}) => ({
  traceId: TRACE_ID,
  spanId: 'b7ad6b7169203331',
  name: 'call vk',
  kind: 3,
  startTimeUnixNano: '1795000000123456789',
  endTimeUnixNano: '1795000000223456789',
  ...rest,
});
const exported = (...spans: unknown[]) => ({
  resourceSpans: [
    {
      resource: {
        attributes: [
          { key: 'service.name', value: { stringValue: 'parser-service' } },
          { key: 'service.instance.id', value: { stringValue: '0' } },
        ],
      },
      scopeSpans: [{ scope: { name: 'sociograph' }, spans }],
    },
  ],
});
const read = (rest: object) => readExport(exported(span(rest)))?.spans[0];

describe('an OTLP export in JSON', () => {
  it('gives spans with their process, in milliseconds', () => {
    const parentSpanId = '00f067aa0ba902b7';
    const links = [{ traceId: 'b'.repeat(32), spanId: 'c'.repeat(16), attributes: [] }, { traceId: 'short' }];
    expect(readExport(exported(span({ parentSpanId, links, status: { code: 2 } })))).toEqual({
      rejected: 0,
      spans: [
        {
          traceId: TRACE_ID,
          spanId: 'b7ad6b7169203331',
          parentSpanId,
          name: 'call vk',
          kind: 'client',
          service: 'parser-service-0',
          startMs: 1_795_000_000_123.456,
          endMs: 1_795_000_000_223.456,
          failed: true,
          attributes: {},
          links: [{ traceId: 'b'.repeat(32), spanId: 'c'.repeat(16) }],
        },
      ],
    });
  });

  it('knows a process without an instance, and one without a name', () => {
    const bare = (attributes: unknown) => ({
      resourceSpans: [{ resource: { attributes }, scopeSpans: [{ spans: [span()] }] }],
    });
    const name = [{ key: 'service.name', value: { stringValue: 'gateway' } }];
    expect(readExport(bare(name))?.spans[0]?.service).toBe('gateway');
    expect(readExport(bare(undefined))?.spans[0]?.service).toBe('unknown');
  });

  it('takes attributes of every plain kind, and lists of them', () => {
    const attributes = [
      { key: 'text', value: { stringValue: 'x'.repeat(300) } },
      { key: 'yes', value: { boolValue: true } },
      { key: 'int', value: { intValue: '7' } },
      { key: 'number', value: { intValue: 8 } },
      { key: 'double', value: { doubleValue: 0.5 } },
      { key: 'list', value: { arrayValue: { values: [{ stringValue: 'a' }, { intValue: '1' }, {}] } } },
      { key: 'deep', value: { kvlistValue: {} } },
      { key: 5, value: { stringValue: 'no name' } },
      'nothing',
    ];
    expect(read({ attributes })?.attributes).toEqual({
      text: 'x'.repeat(256),
      yes: true,
      int: 7,
      number: 8,
      double: 0.5,
      list: 'a, 1',
    });
    const many = Array.from({ length: 40 }, (_, n) => ({ key: `k${n}`, value: { intValue: n } }));
    expect(Object.keys(read({ attributes: many })?.attributes ?? {})).toHaveLength(32);
  });

  it.each([
    [0, 'unspecified'],
    [1, 'internal'],
    [5, 'consumer'],
    [6, 'unspecified'],
    [undefined, 'unspecified'],
  ])('names kind %p %s', (kind, name) => {
    expect(read({ kind })?.kind).toBe(name);
  });

  it.each([
    [{ code: 1 }, false],
    [{ code: 'STATUS_CODE_ERROR' }, true],
    [undefined, false],
  ])('reads status %p as failed: %p', (status, failed) => {
    expect(read({ status })?.failed).toBe(failed);
  });

  it('has no parent where that is empty or zeroes', () => {
    expect(read({ parentSpanId: '' })).not.toHaveProperty('parentSpanId');
    expect(read({ parentSpanId: '0'.repeat(16) })).not.toHaveProperty('parentSpanId');
  });

  it.each([
    ['a trace id that is none', { traceId: 'AF7651916cd43dd8448eb211c80319c0' }],
    ['a trace id of zeroes', { traceId: '0'.repeat(32) }],
    ['a span id that is none', { spanId: 7 }],
    ['no name', { name: undefined }],
    ['no start', { startTimeUnixNano: undefined }],
    ['a start that is no number', { startTimeUnixNano: '-5' }],
    ['no end', { endTimeUnixNano: 'soon' }],
  ])('leaves out a span with %s and takes the others', (_what, fault) => {
    expect(readExport(exported(span(fault), span()))).toMatchObject({
      rejected: 1,
      spans: [{ name: 'call vk' }],
    });
  });

  it('leaves out what is no span at all', () => {
    expect(readExport(exported(null, 5, []))).toEqual({ rejected: 3, spans: [] });
  });

  it.each([undefined, null, [], 'x', {}, { resourceSpans: {} }])('is not %p', (body) => {
    expect(readExport(body)).toBeUndefined();
  });

  it('may hold nothing', () => {
    expect(readExport({ resourceSpans: [] })).toEqual({ rejected: 0, spans: [] });
    expect(readExport({ resourceSpans: [{}, 7, { scopeSpans: [{}] }] })).toEqual({ rejected: 0, spans: [] });
  });
});
