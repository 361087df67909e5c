import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { eventually } from '@sociograph/testing';
import { dateOf, PathProbe, type PathSample } from './path-probe';

describe('probes of a path', () => {
  let server: Server;
  let base: string;
  let seen: string[];
  let answer: (response: ServerResponse) => void;
  let probe: PathProbe;
  const samples: PathSample[] = [];

  beforeEach(async () => {
    seen = [];
    samples.length = 0;
    answer = (response) => response.writeHead(404, { date: 'Sat, 21 Nov 2026 15:00:00 GMT' }).end('no');
    server = createServer((request, response) => {
      seen.push(`${request.method} ${request.url} ${request.headers.authorization ?? '-'}`);
      answer(response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/method`;
  });

  afterEach(async () => {
    probe.stop();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  function start(everyMs: number): void {
    const monotonicMs = () => performance.now();
    probe = new PathProbe({
      baseUrl: base,
      request: { method: 'HEAD', path: '/' },
      poolNow: () => performance.now() + 7_000,
      monotonicMs,
      onSample: (sample) => samples.push(sample),
      everyMs,
    });
    probe.start();
  }

  it('come ten within a second and then slowly; any status is an answer', async () => {
    start(700);
    const before = performance.now();
    await eventually(() => expect(samples.length).toBeGreaterThan(10), { timeoutMs: 5_000, everyMs: 20 });
    expect(new Set(seen)).toEqual(new Set(['HEAD / -']));
    for (const { sentAt, roundTripMs, serverDate } of samples) {
      expect(sentAt - 7_000).toBeGreaterThanOrEqual(before);
      expect(sentAt - 7_000).toBeLessThanOrEqual(performance.now());
      expect(roundTripMs).toBeGreaterThan(0);
      expect(serverDate).toBe(Date.UTC(2026, 10, 21, 15));
    }
    const pauses = samples.slice(1, 11).map(({ sentAt }, n) => sentAt - (samples[n]?.sentAt ?? 0));
    expect(Math.min(...pauses)).toBeLessThan(200);
    expect(pauses.slice(0, 9).reduce((sum, pauseMs) => sum + pauseMs, 0)).toBeGreaterThan(500);
    expect(pauses[9]).toBeGreaterThan(690);
  });

  it('go on at their pace', async () => {
    start(30);
    await eventually(() => expect(samples.length).toBeGreaterThan(14), { timeoutMs: 5_000, everyMs: 20 });
  });

  it('measure until the first byte', async () => {
    answer = (response) => void setTimeout(() => response.end(), 40);
    start(60_000);
    await eventually(() => expect(samples.length).toBeGreaterThan(2), { timeoutMs: 5_000, everyMs: 20 });
    for (const { roundTripMs } of samples) expect(roundTripMs).toBeGreaterThanOrEqual(39);
  });

  it('that are not answered say nothing', async () => {
    answer = (response) => response.destroy();
    start(60_000);
    await eventually(() => expect(seen.length).toBeGreaterThan(5), { timeoutMs: 5_000, everyMs: 20 });
    expect(samples).toEqual([]);
  });

  it('read the network`s clock where it is told', () => {
    expect(dateOf('Sat, 21 Nov 2026 15:00:01 GMT')).toBe(Date.UTC(2026, 10, 21, 15, 0, 1));
    expect([dateOf(undefined), dateOf('soon')]).toEqual([undefined, undefined]);
  });
});
