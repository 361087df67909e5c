import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { acceptCorrelationId, currentCorrelationId, runWithCorrelation } from './correlation';
import type { FinishedSpan } from './finished-span';
import {
  annotateSpan,
  currentTraceparent,
  extractTrace,
  injectTrace,
  inSpan,
  isKept,
  openKeptSpan,
  openSpan,
  startServerSpan,
  startTracing,
  type Tracing,
} from './tracing';

const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const ids = { next: () => 'made' };

describe('tracing', () => {
  it.each([
    ['text', TRACEPARENT],
    ['bytes, as Kafka has them', Buffer.from(TRACEPARENT)],
    ['a list, as HTTP may have it', [TRACEPARENT]],
  ])('continues a trace carried as %s', async (_what, traceparent) => {
    const tracing = startTracing({ service: 's', instance: '1', sampleRatio: 0 });
    await inSpan('work', { kind: 'consumer', parent: extractTrace({ traceparent }) }, async () => {
      const headers = injectTrace<Record<string, string>>({ kept: 'yes' });
      expect(headers['kept']).toBe('yes');
      expect(headers['traceparent']).toBe(currentTraceparent());
      expect(headers['traceparent']).toMatch(
        /^00-0af7651916cd43dd8448eb211c80319c-(?!b7ad6b7169203331)[0-9a-f]{16}-01$/,
      );
    });
    await tracing.shutdown();
  });

  it('keeps the share of new traces that it was told', async () => {
    for (const [sampleRatio, flag] of [
      [0, '00'],
      [1, '01'],
    ] as const) {
      const tracing = startTracing({ service: 's', instance: '1', sampleRatio });
      await inSpan('work', {}, () => expect(currentTraceparent()?.slice(-2)).toBe(flag));
      await tracing.shutdown();
    }
  });

  it('has no traceparent outside any span', () => {
    expect(currentTraceparent()).toBeUndefined();
    expect(injectTrace({})).toEqual({});
  });

  it('gives the result of the work and lets its failure through', async () => {
    const tracing = startTracing({ service: 's', instance: '1', sampleRatio: 1 });
    expect(await inSpan('work', {}, () => 42)).toBe(42);
    const failure = Object.assign(new Error('x'), { code: 'A.B' });
    await expect(inSpan('work', {}, () => Promise.reject(failure))).rejects.toBe(failure);
    await tracing.shutdown();
  });

  it('sends spans to a collector before it ends, without the text of errors', async () => {
    // Jest loads a package far slower than Node does; the end of a process waits for one second only.
    await import('@opentelemetry/exporter-trace-otlp-http');
    const bodies: string[] = [];
    const collector = createServer((req, res) => {
      const chunks: Buffer[] = [];
      req
        .on('data', (chunk: Buffer) => chunks.push(chunk))
        .on('end', () => {
          bodies.push(`${req.url} ${Buffer.concat(chunks).toString('utf8')}`);
          res.writeHead(200, { 'content-type': 'application/json' }).end('{}');
        });
    });
    await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
    const otlpEndpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}/`;
    const tracing = startTracing({ service: 'parser-service', instance: '1', sampleRatio: 1, otlpEndpoint });
    const failure = Object.assign(new Error('person of note'), { code: 'VK.DENIED' });
    await inSpan('call', { kind: 'client', attributes: { tries: 3 } }, () => Promise.reject(failure)).catch(
      () => undefined,
    );
    await tracing.shutdown();
    collector.closeAllConnections();
    collector.close();
    expect(bodies).toHaveLength(1);
    expect(bodies[0]).toMatch(/^\/v1\/traces /);
    for (const part of ['parser-service', '"call"', 'VK.DENIED', '"tries"'])
      expect(bodies[0]).toContain(part);
    expect(bodies[0]).not.toContain('person of note');
  });
});

describe('a span', () => {
  const UNKEPT = TRACEPARENT.replace(/01$/, '00');
  let tracing: Tracing;
  let ended: FinishedSpan[];
  beforeEach(() => {
    ended = [];
    tracing = startTracing({
      service: 's',
      instance: '1',
      sampleRatio: 0,
      onEnd: (span) => ended.push(span),
    });
  });
  afterEach(() => tracing.shutdown());

  it('may end elsewhere than it began, once, with what was learned meanwhile', () => {
    const span = openSpan('call', {
      kind: 'client',
      parent: extractTrace({ traceparent: TRACEPARENT }),
      attributes: { a: 1 },
    });
    expect(ended).toEqual([]);
    span.note({ b: 'two' });
    span.end();
    span.end(new Error('too late'));
    expect(ended).toEqual([
      {
        name: 'call',
        kind: 'client',
        traceId: '0af7651916cd43dd8448eb211c80319c',
        spanId: span.traceparent?.slice(36, 52),
        parentSpanId: 'b7ad6b7169203331',
        links: [],
        attributes: { a: 1, b: 'two' },
        failed: false,
      },
    ]);
  });

  it('is the active one for what it runs, and annotated from there', () => {
    const span = openSpan('work', { parent: extractTrace({ traceparent: TRACEPARENT }) });
    expect(
      span.run(() => {
        annotateSpan({ importId: 'i' });
        return currentTraceparent();
      }),
    ).toBe(span.traceparent);
    expect(currentTraceparent()).toBeUndefined();
    annotateSpan({ nobody: 'hears' });
    span.end();
    expect(ended.map(({ kind, attributes }) => [kind, attributes])).toEqual([
      ['internal', { importId: 'i' }],
    ]);
  });

  it.each([
    [Object.assign(new Error('person of note'), { code: 'VK.DENIED' }), 'VK.DENIED'],
    [new TypeError('person of note'), 'TypeError'],
    ['too-late', 'too-late'],
    [{ person: 'of note' }, 'unknown'],
  ])('is marked by the code of %p', (error, code) => {
    const span = openSpan('work', { parent: extractTrace({ traceparent: TRACEPARENT }) });
    span.end(error);
    expect(ended).toMatchObject([{ failed: true, attributes: { 'error.type': code } }]);
    expect(JSON.stringify(ended)).not.toContain('of note');
  });

  it('names what else led to it, as far as that is a trace', () => {
    const parent = extractTrace({ traceparent: TRACEPARENT });
    openSpan('work', { parent, links: [TRACEPARENT, 'nothing', UNKEPT] }).end();
    expect(ended[0]?.links).toEqual(['b7ad6b7169203331', 'b7ad6b7169203331']);
  });

  it('is opened in a kept trace only, where one asks for that', async () => {
    openKeptSpan('in a kept one', { parent: extractTrace({ traceparent: TRACEPARENT }) })?.end();
    expect(ended).toHaveLength(1);
    expect(openKeptSpan('in another', { parent: extractTrace({ traceparent: UNKEPT }) })).toBeUndefined();
    expect(openKeptSpan('in none')).toBeUndefined();
    await inSpan('kept', { parent: extractTrace({ traceparent: TRACEPARENT }) }, () => {
      expect(openKeptSpan('below')).toBeDefined();
    });
    await inSpan('not kept', {}, () => {
      expect(openKeptSpan('below')).toBeUndefined();
    });
  });

  it('of a request has the attributes that were known first', () => {
    const span = startServerSpan({ traceparent: TRACEPARENT }, { 'sociograph.correlation.id': 'c' });
    span.end({ route: '/v1/imports', method: 'POST', status: 202 });
    expect(ended).toMatchObject([
      {
        name: 'POST /v1/imports',
        kind: 'server',
        attributes: { 'sociograph.correlation.id': 'c', 'http.response.status_code': 202 },
      },
    ]);
  });

  it('has no traceparent where no tracing is installed', async () => {
    await tracing.shutdown();
    const span = openSpan('work');
    expect(span.traceparent).toBeUndefined();
    span.end();
  });

  it.each([
    [TRACEPARENT, true],
    [Buffer.from(TRACEPARENT), true],
    [UNKEPT, false],
    [TRACEPARENT.replace(/01$/, '03'), true],
    [TRACEPARENT.replace(/01$/, '02'), false],
    ['', false],
    [undefined, false],
    [7, false],
  ])('of %p is kept: %p', (traceparent, kept) => {
    expect(isKept(traceparent)).toBe(kept);
  });
});

describe('the correlation id', () => {
  it.each(['a', 'A-z_0.9', 'x'.repeat(64)])('%s is kept', (id) => {
    expect(acceptCorrelationId(id, ids)).toBe(id);
  });

  it.each([undefined, '', 'a b', 'a\n', 'é', 'x'.repeat(65)])('%p is replaced', (id) => {
    expect(acceptCorrelationId(id, ids)).toBe('made');
  });

  it('holds for all that the work starts, and ends with it', async () => {
    const seen = await runWithCorrelation('c', async () => {
      await new Promise((resolve) => setImmediate(resolve));
      return currentCorrelationId();
    });
    expect(seen).toBe('c');
    expect(currentCorrelationId()).toBeUndefined();
  });
});
