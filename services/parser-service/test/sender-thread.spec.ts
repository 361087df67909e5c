import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { Secret } from '@sociograph/kernel';
import type { SendSlot, WorkerLease } from '@sociograph/lease-client';
import { SenderThread } from '../src/infrastructure/sending/sender-thread';
import { hrNow } from '../src/infrastructure/sending/thread-guard';

jest.setTimeout(30_000);

const entry = join(__dirname, '..', 'dist', 'infrastructure', 'sending', 'sender-worker.js');

/** A server in a thread of its own, so that blocking this one does not delay what it notes. */
const SERVER = `
  const { parentPort } = require('node:worker_threads');
  const server = require('node:http').createServer((req, res) => {
    const at = Number(process.hrtime.bigint()) / 1e6;
    let body = '';
    req.on('data', (part) => (body += part));
    req.on('end', () => res.end(JSON.stringify({ at, body, path: req.url, token: req.headers.authorization })));
  });
  server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));
`;

/** The pool's clock of these specs runs exactly 5,000 ms ahead of this thread's performance.now(). */
const AHEAD = 5_000;
const poolNow = (): number => performance.now() + AHEAD;
const clock = {
  now: poolNow,
  toPool: (ms: number) => ms + AHEAD,
  toMonotonic: (ms: number) => ms - AHEAD,
  generation: 0,
};

let server: Worker;
let thread: SenderThread;

beforeAll(async () => {
  if (!existsSync(entry)) throw new Error('parser-service is not built: npx nx run parser-service:build');
  server = new Worker(SERVER, { eval: true });
  const port = await new Promise<number>((resolve) => server.once('message', resolve));
  const client = { clock, poolNow, voidCause: () => undefined } as never;
  const fail = (): void => undefined;
  thread = new SenderThread({
    baseUrl: `http://127.0.0.1:${port}/method`,
    client,
    logger: console as never,
    fail,
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
  const lease = {
    keyId: 'key-1',
    grantedAt: poolNow(),
    expiresAt: notBefore + 10_000,
    generation: 0,
    wallAhead: Date.now() - performance.now(),
    token: new Secret('t'),
    ...changes,
  } as WorkerLease;
  return { index: 0, notBefore, notAfter: notBefore + 4, lease };
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
        const seen = JSON.parse(outcome.body) as { at: number; body: string; path: string; token: string };
        expect(seen).toMatchObject({ body: 'code=1', path: '/method/execute', token: 'Bearer t' });
        expect(seen.at - atHr).toBeGreaterThanOrEqual(-1);
        expect(outcome.sentAt).toBeGreaterThanOrEqual(notBefore - 1);
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
    thread.keyChanged('key-1');
    expect(await sending).toEqual({ kind: 'missed', cause: 'key-state-changed' });
    expect((await send(poolNow() + 200, { keyId: 'key-2' })).kind).toBe('answered');
  });
});
