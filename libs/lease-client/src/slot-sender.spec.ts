import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { Secret } from '@sociograph/kernel';
import { eventually } from '@sociograph/testing';
import { SlotSender } from './slot-sender';
import type { KeyTidings } from './slot-verdict';
import type { SendSlot, WorkerLease } from './worker-lease';

/** The pool's clock is this process' monotonic one, 5 s ahead. */
const AHEAD = 5_000;

const lease: WorkerLease = {
  leaseId: 'l1',
  fence: 1,
  keyId: 'k1',
  keyVersion: 1,
  token: new Secret('token'),
  workspaceId: 'demo',
  network: 'vk',
  importId: 'i1',
  methods: {},
  slots: [],
  grantedAt: 0,
  expiresAt: Infinity,
  why: undefined,
  generation: 0,
  wallAhead: 0,
};

function slot(inMs: number, lengthMs = 1000): SendSlot {
  const notBefore = performance.now() + AHEAD + inMs;
  return { index: 0, notBefore, notAfter: notBefore + lengthMs, lease };
}

const call = {
  path: 'friends.get',
  headers: { 'content-type': 'text/plain' },
  body: 'a=1',
  timeoutMs: 2_000,
};

describe('sending in slots', () => {
  let server: Server;
  let sockets: Set<Socket>;
  let sender: SlotSender;
  let handle: (request: IncomingMessage, response: ServerResponse) => void;
  let news: KeyTidings | undefined;
  let generation: number;
  let skewed: number;
  const poolNow = () => performance.now() + AHEAD + skewed;

  beforeEach(async () => {
    sockets = new Set();
    news = undefined;
    generation = 0;
    skewed = 0;
    handle = (_, response) => response.end('ok');
    server = createServer((request, response) => handle(request, response));
    server.on('connection', (socket: Socket) => sockets.add(socket));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    sender = new SlotSender({
      baseUrl: `http://127.0.0.1:${port}/method`,
      connections: 2,
      client: {
        clock: { now: poolNow },
        view: (keyId) => ({
          now: poolNow(),
          generation,
          wallAhead: 0,
          news: keyId === 'k1' ? news : undefined,
        }),
      },
    });
    await eventually(() => {
      expect(sockets.size).toBe(2);
    });
  });

  afterEach(async () => {
    sender.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  it('does not send what is withdrawn before its slot, and says so at once', async () => {
    let requests = 0;
    handle = (_, response) => ((requests += 1), response.end('ok'));
    const withdrawal = new AbortController();
    const sending = sender.send(slot(500), call, withdrawal.signal);
    withdrawal.abort();
    expect(await sending).toEqual({ kind: 'missed', cause: 'withdrawn' });
    expect(await sender.send(slot(10), call, withdrawal.signal)).toEqual({
      kind: 'missed',
      cause: 'withdrawn',
    });
    expect(await sender.send(slot(10), call)).toMatchObject({ kind: 'answered' });
    expect(requests).toBe(1);
  });

  it('leaves a request alone that is withdrawn after it was sent', async () => {
    const withdrawal = new AbortController();
    handle = (_, response) => {
      withdrawal.abort();
      response.end('ok');
    };
    expect(await sender.send(slot(10), call, withdrawal.signal)).toMatchObject({
      kind: 'answered',
      body: 'ok',
    });
  });

  it('sends not before its slot, over a connection that was open', async () => {
    const seen: { at: number; url: string; method: string; body: string; length: string | undefined }[] = [];
    handle = (request, response) => {
      const at = performance.now() + AHEAD;
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        const { url = '', method = '', headers } = request;
        seen.push({ at, url, method, body, length: headers['content-length'] });
        response.setHeader('x-answer', 'yes').end('hello');
      });
    };
    const planned = slot(40);
    const outcome = await sender.send(planned, call);
    expect(outcome).toMatchObject({ kind: 'answered', status: 200, body: 'hello' });
    if (outcome.kind !== 'answered') throw new Error(outcome.kind);
    expect(outcome.headers['x-answer']).toBe('yes');
    expect(seen).toEqual([
      { at: expect.any(Number), url: '/method/friends.get', method: 'POST', body: 'a=1', length: '3' },
    ]);
    expect(outcome.sentAt).toBeGreaterThanOrEqual(planned.notBefore);
    expect(seen[0]!.at).toBeGreaterThanOrEqual(planned.notBefore);
    expect(outcome.answeredAt).toBeGreaterThanOrEqual(seen[0]!.at);
    expect(sockets.size).toBe(2);
  });

  it('uses its connections again', async () => {
    for (let round = 0; round < 5; round += 1) {
      expect(await sender.send(slot(0), call)).toMatchObject({ kind: 'answered' });
    }
    expect(sockets.size).toBe(2);
  });

  it('opens more connections when more slots are planned than connections are open', async () => {
    handle = (_, response) => void setTimeout(() => response.end('ok'), 50);
    const outcomes = await Promise.all([1, 2, 3, 4].map(() => sender.send(slot(60), call)));
    expect(outcomes.map(({ kind }) => kind)).toEqual(['answered', 'answered', 'answered', 'answered']);
    expect(sockets.size).toBe(4);
  });

  it('does not send after its slot', async () => {
    let requests = 0;
    handle = (_, response) => {
      requests += 1;
      response.end();
    };
    expect(await sender.send(slot(-10, 5), call)).toEqual({ kind: 'missed', cause: 'too-late' });
    expect(await sender.send(slot(0), call)).toMatchObject({ kind: 'answered' });
    expect(requests).toBe(1);
    expect(sockets.size).toBe(2);
  });

  it('does not send when the clock is not mapped', async () => {
    skewed = NaN;
    expect(await sender.send(slot(0), call)).toEqual({ kind: 'missed', cause: 'too-late' });
  });

  it('does not send a lease that was voided meanwhile', async () => {
    news = { voidUpTo: 0, restNotedAt: -1, restingUntil: -1 };
    expect(await sender.send(slot(0), call)).toEqual({ kind: 'missed', cause: 'key-state-changed' });
  });

  it('misses the slot when no connection is open by then', async () => {
    const lost = new SlotSender({
      baseUrl: 'http://127.0.0.1:1/method',
      connections: 0,
      client: { clock: { now: poolNow }, view: () => ({ now: poolNow(), generation: 0, wallAhead: 0 }) },
    });
    expect(await lost.send(slot(20), call)).toEqual({ kind: 'missed', cause: 'no-connection' });
    lost.close();
  });

  it('never repeats a call whose connection broke', async () => {
    let requests = 0;
    handle = (request) => {
      requests += 1;
      request.socket.destroy();
    };
    const outcome = await sender.send(slot(0), call);
    expect(outcome).toMatchObject({ kind: 'broken' });
    expect(outcome.kind === 'broken' && outcome.sentAt).toBeGreaterThan(AHEAD);
    expect(requests).toBe(1);
  });

  it('reports an answer that ends early as broken', async () => {
    handle = (_, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('part');
      setTimeout(() => response.destroy(), 20);
    };
    expect(await sender.send(slot(0), call)).toMatchObject({ kind: 'broken' });
  });

  it('gives a call up at its timeout', async () => {
    handle = () => undefined;
    expect(await sender.send(slot(0), { ...call, timeoutMs: 50 })).toMatchObject({
      kind: 'broken',
      cause: 'timeout',
    });
  });
});
