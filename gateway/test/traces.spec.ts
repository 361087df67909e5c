import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { TraceExporter, traceOf, traceparentOf } from '../embedded/traces';

const PARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const never = (): number => 0.999;
const always = (): number => 0;

describe('a trace', () => {
  it('begins here by chance', () => {
    expect(traceOf(undefined, 0.01, () => 0.0099).sampled).toBe(true);
    expect(traceOf(undefined, 0.01, () => 0.01).sampled).toBe(false);
    expect(traceparentOf(traceOf(undefined, 1, always))).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
  });

  it('goes on, sampled only if both its parent and chance say so', () => {
    const on = traceOf(PARENT, 0.5, always);
    expect(on).toMatchObject({
      traceId: '0af7651916cd43dd8448eb211c80319c',
      parentSpanId: 'b7ad6b7169203331',
      sampled: true,
    });
    expect(on.spanId).not.toBe(on.parentSpanId);
    expect(traceOf(PARENT, 0.5, never).sampled).toBe(false);
    expect(traceOf(PARENT.replace(/01$/, '00'), 0.5, always).sampled).toBe(false);
    expect(traceparentOf(traceOf(PARENT, 0.5, never))).toMatch(
      /^00-0af7651916cd43dd8448eb211c80319c-.{16}-00$/,
    );
  });

  it.each([
    ['', 'nothing'],
    ['x', 'no traceparent'],
    [PARENT.replace('0af7651916cd43dd8448eb211c80319c', '0'.repeat(32)), 'a trace id of zeroes'],
    [PARENT.replace('b7ad6b7169203331', '0'.repeat(16)), 'a span id of zeroes'],
    [PARENT.replace(/^00/, 'ff'), 'the forbidden version'],
    [`${PARENT}-more`, 'more than version 00 has'],
    [PARENT.toUpperCase(), 'capital letters'],
  ])('begins anew for %j: %s', (header) => {
    expect(traceOf(header, 1).parentSpanId).toBeUndefined();
  });
});

describe('the exporter', () => {
  it('sends sampled spans as OTLP, and counts what is lost', async () => {
    const bodies: unknown[] = [];
    const server = http.createServer((request, response) => {
      let text = '';
      request.on('data', (chunk: Buffer) => (text += chunk.toString()));
      request.on('end', () => {
        bodies.push(JSON.parse(text));
        response.statusCode = bodies.length === 1 ? 200 : 500;
        response.end(() => arrived());
      });
    });
    let arrived: () => void = () => undefined;
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const exporter = new TraceExporter(new URL(`http://127.0.0.1:${port}/v1/traces`));
    const span = {
      ...traceOf(PARENT, 1, always),
      name: 'GET me',
      startedAtMs: 1000.5,
      endedAtMs: 1002,
      attributes: { 'http.response.status_code': 200, 'http.route': 'me' },
    };
    const send = (): Promise<void> =>
      new Promise((resolve) => {
        arrived = resolve;
        exporter.add(span);
        exporter.flush();
      });
    await send();
    expect(bodies[0]).toEqual({
      resourceSpans: [
        {
          resource: { attributes: [{ key: 'service.name', value: { stringValue: 'gateway' } }] },
          scopeSpans: [
            {
              scope: { name: 'gateway-embedded' },
              spans: [
                {
                  traceId: span.traceId,
                  spanId: span.spanId,
                  parentSpanId: 'b7ad6b7169203331',
                  name: 'GET me',
                  kind: 2,
                  startTimeUnixNano: '1000500000',
                  endTimeUnixNano: '1002000000',
                  attributes: [
                    { key: 'http.response.status_code', value: { intValue: '200' } },
                    { key: 'http.route', value: { stringValue: 'me' } },
                  ],
                },
              ],
            },
          ],
        },
      ],
    });
    exporter.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  it('keeps at most 2048 spans for a collector that is slow, and none without one', () => {
    const exporter = new TraceExporter(new URL('http://127.0.0.1:1/v1/traces'));
    const span = { ...traceOf(undefined, 1), name: 'x', startedAtMs: 0, endedAtMs: 0, attributes: {} };
    for (let n = 0; n < 2050; n += 1) exporter.add(span);
    expect(exporter.dropped).toBe(2);
    exporter.close();
    const off = new TraceExporter(undefined);
    for (let n = 0; n < 2050; n += 1) off.add(span);
    expect(off.dropped).toBe(0);
    off.close();
  });
});
