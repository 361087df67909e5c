import { createServer, type Server } from 'node:http';
import { TokenSource } from '@sociograph/api-client';
import { eventually } from '@sociograph/testing';
import { type LoadRequest, RequestLoad } from './request-load';

class OneToken extends TokenSource {
  token(): Promise<string> {
    return Promise.resolve('t');
  }
  discard(): void {}
}

describe('a load of requests', () => {
  const seen: string[] = [];
  let server: Server;
  let url: string;

  beforeAll(async () => {
    server = createServer((req, res) => {
      const chunks: Buffer[] = [];
      req.on('data', (chunk: Buffer) => chunks.push(chunk));
      req.on('end', () => {
        seen.push(
          `${req.method} ${req.url} ${req.headers.authorization} ${Buffer.concat(chunks).toString()}`,
        );
        if (req.url?.startsWith('/breaks') === true) return res.destroy();
        return res.writeHead(req.url?.startsWith('/bad') === true ? 502 : 200).end('x');
      });
    });
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    url = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
  });
  afterAll((done) => {
    server.closeAllConnections();
    server.close(done);
  });

  const loadOf = (...requests: LoadRequest[]): RequestLoad => {
    let turn = 0;
    return new RequestLoad(url, new OneToken(), () => requests[turn++ % requests.length] as LoadRequest);
  };

  it('counts what was answered well, and the rest by status and route', async () => {
    const load = loadOf(
      { method: 'GET', path: '/good/1' },
      { method: 'GET', path: '/bad/12/x?limit=3' },
      { method: 'POST', path: '/breaks', body: '{"a":1}' },
    ).open(200);
    await eventually(() => load.figures.sent >= 9, { timeoutMs: 20_000 });
    const { sent, succeeded, failed } = await load.stop();
    const broken = Object.values(failed).reduce((sum, count) => sum + count, 0);
    expect(succeeded + broken).toBe(sent);
    expect(Object.keys(failed).sort()).toEqual(['502 GET /bad/N/x', 'ECONNRESET POST /breaks']);
    expect(seen).toContain('GET /good/1 Bearer t ');
    expect(seen).toContain('POST /breaks Bearer t {"a":1}');
  });

  it('of clients without a pause ends by itself', async () => {
    const figures = await loadOf({ method: 'GET', path: '/good/2' }).closed(2, 50);
    expect(figures.succeeded).toBe(figures.sent);
    expect(figures.sent).toBeGreaterThan(0);
    expect(figures.p50Ms).toBeLessThanOrEqual(figures.p99Ms);
  });
});
