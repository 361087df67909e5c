import http from 'node:http';
import type { ServerResponse } from 'node:http';
import { eventually } from '@sociograph/testing';
import { aDocument, aRoute, GatewayBench, Upstream } from './bench';

const CLIENTS = 500;
const MEGABYTE = 1024 * 1024;

describe('long answers and long bodies', () => {
  let upstream: Upstream;
  let bench: GatewayBench;
  beforeAll(async () => {
    upstream = await new Upstream().start();
    const routes = [
      aRoute('stream', ['/stream'], { response_buffering: false }),
      aRoute('upload', ['/upload'], {
        request_buffering: false,
        plugins: [
          { name: 'request-size-limiting', config: { allowed_payload_size: 20, size_unit: 'megabytes' } },
        ],
      }),
    ];
    bench = await new GatewayBench(aDocument(routes, {}, { read_timeout: 60_000, connect_timeout: 20_000 }), [
      upstream.port,
    ]).start();
  });
  afterAll(async () => {
    await bench.stop();
    await upstream.stop();
  });

  it(`serves ${CLIENTS} streams at once, and a new configuration leaves them alone`, async () => {
    const open: ServerResponse[] = [];
    upstream.behave = (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(': hello\n\n');
      open.push(response);
    };
    const texts = Array.from({ length: CLIENTS }, () => '');
    const ended: number[] = [];
    const requests = texts.map((_, n) =>
      http.get({ port: bench.port, host: '127.0.0.1', path: '/stream', agent: false }, (answer) => {
        answer.on('data', (chunk: Buffer) => (texts[n] += chunk.toString()));
        answer.on('error', () => undefined);
        answer.on('end', () => ended.push(n));
      }),
    );
    for (const request of requests) request.on('error', () => undefined);
    const wait = { timeoutMs: 30_000, everyMs: 50 };
    await eventually(
      () => expect(texts.filter((text) => text === ': hello\n\n')).toHaveLength(CLIENTS),
      wait,
    );
    bench.gateway.install(bench.gateway.configuration);
    for (const response of open) response.write('data: 1\n\n');
    await eventually(
      () => expect(texts.filter((text) => text === ': hello\n\ndata: 1\n\n')).toHaveLength(CLIENTS),
      wait,
    );
    for (const response of open) response.end();
    await eventually(() => expect(ended).toHaveLength(CLIENTS), wait);
  }, 90_000);

  it('passes a body of 10 MB on while it comes', async () => {
    let arrived = 0;
    upstream.behave = undefined;
    upstream.onBody = (bytes) => (arrived += bytes);
    const piece = Buffer.alloc(MEGABYTE, 'a');
    const answered = new Promise<number | undefined>((resolve, reject) => {
      const headers = { 'content-length': String(10 * MEGABYTE) };
      const request = http.request(
        { port: bench.port, host: '127.0.0.1', method: 'POST', path: '/upload', headers, agent: false },
        (answer) => {
          answer.resume();
          answer.on('end', () => resolve(answer.statusCode));
        },
      );
      request.on('error', reject);
      void (async () => {
        for (let n = 1; n <= 10; n += 1) {
          request.write(piece);
          // Nothing more is sent before this piece has come through: a gateway that waits for the whole would hang.
          await eventually(() => expect(arrived).toBe(n * MEGABYTE), { timeoutMs: 20_000, everyMs: 5 });
        }
        request.end();
      })().catch(reject);
    });
    expect(await answered).toBe(200);
    upstream.onBody = undefined;
  }, 60_000);
});
