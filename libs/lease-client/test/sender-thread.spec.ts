import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { Secret } from '@sociograph/kernel';
import { eventually } from '@sociograph/testing';
import { type PathSample, SenderThread, type SendSlot, type WorkerLease } from '../src/index';
import { hrNow } from '../src/thread-guard';

jest.setTimeout(30_000);

const entry = join(__dirname, '..', 'dist', 'sender-worker.js');

/** A server in a thread of its own, so that blocking this one does not delay what it notes. */
const SERVER = `
  const { parentPort } = require('node:worker_threads');
  const server = require('node:http').createServer((req, res) => {
    const at = Number(process.hrtime.bigint()) / 1e6;
    let body = '';
    req.on('data', (part) => (body += part));
    req.on('end', () => {
      res.setHeader('date', 'Sat, 21 Nov 2026 15:00:00 GMT');
      res.end(JSON.stringify({ at, body, path: req.url, token: req.headers.authorization, name: 'Я' }));
    });
  });
  server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));
`;

/** The pool's clock of these specs runs exactly 5,000 ms ahead of this thread's performance.now(). */
const AHEAD = 5_000;
const poolNow = (): number => performance.now() + AHEAD;
const clock = { now: poolNow, toPool: (ms: number) => ms + AHEAD, generation: 0 };

/** What this side knows of the lease at hand: nothing that speaks against it, so that every check is the thread's. */
let believed: WorkerLease;
const client = {
  clock,
  poolNow,
  view: () => ({ now: 0, generation: believed.generation, wallAhead: believed.wallAhead }),
};

let server: Worker;
let thread: SenderThread;
const probes: PathSample[] = [];
const failures: unknown[] = [];

beforeAll(async () => {
  if (!existsSync(entry)) throw new Error('lease-client is not built: npx nx run lease-client:build');
  server = new Worker(SERVER, { eval: true });
  const port = await new Promise<number>((resolve) => server.once('message', resolve));
  thread = new SenderThread({
    baseUrl: `http://127.0.0.1:${port}/method`,
    client: client as never,
    fail: (error) => failures.push(error),
    pathProbe: { method: 'GET', path: '/' },
    onProbe: (sample) => probes.push(sample),
    entry,
  });
  thread.open();
  await send(poolNow() + 300); // Connections and code are warm afterwards.
});

afterAll(async () => {
  await thread.close();
  await server.terminate();
});

function slotAt(notBefore: number, changes: Partial<WorkerLease> = {}): SendSlot {
  believed = {
    keyId: 'key-1',
    grantedAt: poolNow(),
    expiresAt: notBefore + 10_000,
    generation: 0,
    wallAhead: Date.now() - performance.now(),
    token: new Secret('t'),
    ...changes,
  } as WorkerLease;
  return { index: 0, notBefore, notAfter: notBefore + 4, lease: believed };
}

const send = (notBefore: number, changes: Partial<WorkerLease> = {}) =>
  thread.send(slotAt(notBefore, changes), {
    path: '/execute',
    headers: { authorization: 'Bearer t' },
    body: 'code=1',
    timeoutMs: 2_000,
  });

function blockThisThread(ms: number): void {
  for (const end = performance.now() + ms; performance.now() < end;);
}

describe('the sending thread', () => {
  it('sends in the slot while the main thread is busy', async () => {
    const outcomes = [];
    for (let round = 0; round < 5; round += 1) {
      const notBefore = poolNow() + 60;
      const atHr = hrNow() + 60;
      const sending = send(notBefore);
      await new Promise((resolve) => setImmediate(resolve));
      blockThisThread(120);
      const outcome = await sending;
      if (outcome.kind === 'answered') {
        const seen = JSON.parse(outcome.body) as { at: number };
        expect(seen).toMatchObject({
          body: 'code=1',
          path: '/method/execute',
          token: 'Bearer t',
          name: 'Я',
        });
        expect(seen.at - atHr).toBeGreaterThanOrEqual(-1);
        expect(outcome.checkedAt).toBeGreaterThanOrEqual(notBefore - 0.1);
        expect(outcome.sentAt).toBeGreaterThanOrEqual(outcome.checkedAt);
      }
      outcomes.push(outcome.kind);
    }
    // A machine that is itself too busy may miss one or the other slot; it never sends late.
    expect(outcomes.filter((kind) => kind === 'answered').length).toBeGreaterThanOrEqual(3);
  });

  it('sends nothing after its slot', async () => {
    expect(await send(poolNow() - 5)).toEqual({ kind: 'missed', cause: 'too-late' });
  });

  it('sends nothing with a lease of an older clock, or of a key that changed', async () => {
    expect(await send(poolNow() + 50, { generation: 7 })).toEqual({
      kind: 'missed',
      cause: 'clock-contradicted',
    });
    const sending = send(poolNow() + 200);
    thread.keyChanged({ keyId: 'key-1', state: 'invalid' });
    expect(await sending).toEqual({ kind: 'missed', cause: 'key-state-changed' });
    const resting = send(poolNow() + 200, { keyId: 'key-2' });
    thread.keyChanged({ keyId: 'key-2', state: 'active', restingUntil: poolNow() + 1_000 });
    expect(await resting).toEqual({ kind: 'missed', cause: 'key-resting' });
    expect((await send(poolNow() + 200, { keyId: 'key-3' })).kind).toBe('answered');
  });

  it('measures the path: ten probes at first', async () => {
    await eventually(() => expect(probes.length).toBeGreaterThanOrEqual(10), {
      timeoutMs: 5_000,
      everyMs: 50,
    });
    for (const { sentAt, roundTripMs, serverDate } of probes) {
      expect(sentAt).toBeLessThanOrEqual(poolNow());
      expect(roundTripMs).toBeGreaterThan(0);
      expect(serverDate).toBe(Date.UTC(2026, 10, 21, 15));
    }
  });

  it('says so when the thread died', async () => {
    const mortal = new SenderThread({
      baseUrl: 'http://127.0.0.1:1',
      client: client as never,
      fail: (error) => failures.push(error),
      entry: join(__dirname, 'no-such-entry.js'),
    });
    mortal.open();
    await eventually(() => expect(failures).toHaveLength(1), { timeoutMs: 5_000, everyMs: 20 });
    await mortal.close();
    expect(await mortal.send(slotAt(poolNow() + 50), { path: '', body: '', timeoutMs: 1 })).toEqual({
      kind: 'missed',
      cause: 'no-connection',
    });
  });
});
