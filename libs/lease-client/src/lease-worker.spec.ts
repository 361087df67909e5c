import { join } from 'node:path';
import { SystemClock } from '@sociograph/kernel';
import { eventually, sequentialIds } from '@sociograph/testing';
import { ScriptedPool, type SeenRequest } from '../test/scripted-pool';
import { LeaseWorker, type SlotFate } from './lease-worker';
import type { WorkerLease } from './worker-lease';

/** Stands for the sending thread: probes at once, answers each call by what its body says. */
const entry = join(__dirname, '..', 'test', 'scripted-thread.js');

const REQUEST = {
  workspaceId: 'demo',
  network: 'vk',
  importId: 'i1',
  methods: { 'friends.get': 25 },
  timeoutMs: 5_000,
};
const change = { keyId: 'k1', workspaceId: 'demo', network: 'vk', version: 2, at: 1 };

describe('a worker', () => {
  let worker: LeaseWorker;
  const fates: SlotFate[] = [];
  const margins: [string, number][] = [];
  const failures: unknown[] = [];

  function setUp(pathProbe = true) {
    const pool = new ScriptedPool();
    pool.poolNow = () => 50_000 + performance.now();
    pool.answer = (request) => (request.kind === 'lease' ? grantOf(pool, request) : { marginMs: 31 });
    worker = new LeaseWorker({
      rpc: pool,
      identityKeyPem: pool.identity.privateKey,
      service: 'parser-service',
      instanceId: '0',
      clock: new SystemClock(),
      ids: sequentialIds(),
      networks: {
        vk: { baseUrl: 'http://x/method', ...(pathProbe && { pathProbe: { method: 'HEAD', path: '/' } }) },
      },
      onSlot: (fate) => fates.push(fate),
      onMargin: (network, marginMs) => margins.push([network, marginMs]),
      fail: (error) => failures.push(error),
      threadEntry: entry,
    });
    return pool;
  }

  function grantOf(pool: ScriptedPool, { body, session }: SeenRequest): object {
    const ids = { leaseId: String(body['requestId']), fence: 7, keyId: 'k1' };
    const grantedAt = pool.poolNow();
    const calls = [{ notBefore: grantedAt + 5_000, notAfter: grantedAt + 5_004 }];
    const lease = { ...ids, keyVersion: 1, token: pool.seal(session, 't', ids), methods: {}, calls };
    return { kind: 'granted', lease: { ...lease, grantedAt, expiresAt: grantedAt + 30_000 } };
  }

  async function granted(): Promise<WorkerLease> {
    const verdict = await worker.acquire(REQUEST);
    if (verdict.kind !== 'granted') throw new Error(verdict.reason);
    return verdict.lease;
  }

  const send = (lease: WorkerLease, says: object) =>
    worker.send(lease.slots[0]!, { path: 'execute', body: JSON.stringify(says), timeoutMs: 1_000 });

  beforeEach(() => {
    for (const list of [fates, margins, failures]) list.length = 0;
  });

  afterEach(() => worker.close());

  it('tells the pool of the path before it asks for its first lease', async () => {
    const pool = setUp();
    await granted();
    const kinds = pool.seen.map(({ kind }) => kind);
    expect(kinds.slice(0, -1)).toEqual(kinds.slice(0, -1).map(() => 'path'));
    expect(kinds.at(-1)).toBe('lease');
    const probes = pool.seen.flatMap(({ body }) => (body['probes'] as object[] | undefined) ?? []);
    expect(probes).toEqual(Array.from({ length: 10 }, (_, i) => ({ sentAt: i, roundTripMs: 5 })));
    expect(margins.at(-1)).toEqual(['vk', 31]);
  });

  it('waits for no probes where a path is not probed', async () => {
    const pool = setUp(false);
    await worker.open();
    expect(pool.seen).toEqual([]);
  });

  it('can be opened later when the pool was away', async () => {
    const pool = setUp(false);
    pool.helloAnswer = 'lost';
    await expect(worker.open()).rejects.toMatchObject({ code: 'LEASE.POOL_UNREACHABLE' });
    pool.helloAnswer = 'welcome';
    await worker.open();
  });

  it('sends, and says of each slot what became of it', async () => {
    const pool = setUp(false);
    const lease = await granted();
    const { notBefore } = lease.slots[0]!;
    const stamps = { checkedAt: notBefore, sentAt: notBefore + 0.5, late: false };
    const answered = { kind: 'answered', ...stamps, status: 200, headers: {}, answeredAt: 9 };
    expect(await send(lease, { ...answered, text: 'Я' })).toEqual({ ...answered, body: 'Я' });
    const frozen = { checkedAt: notBefore, sentAt: notBefore + 70, late: true };
    await send(lease, { kind: 'broken', ...frozen, cause: 'x' });
    const cameTooLate = jest.spyOn(worker.client, 'cameTooLate');
    await send(lease, { kind: 'missed', cause: 'no-connection' });
    expect(cameTooLate).not.toHaveBeenCalled();
    expect(await send(lease, { kind: 'missed', cause: 'too-late' })).toEqual({
      kind: 'missed',
      cause: 'too-late',
    });
    expect(cameTooLate.mock.calls).toEqual([[lease.slots[0]]]);
    expect(fates).toEqual([
      { network: 'vk', kind: 'sent', latenessMs: 0.5, ...stamps },
      { network: 'vk', kind: 'sent', latenessMs: 70, ...frozen },
      { network: 'vk', kind: 'missed', cause: 'no-connection' },
      { network: 'vk', kind: 'missed', cause: 'too-late' },
    ]);
    const pathTold = () => pool.seen.find(({ kind }) => kind === 'path')?.body;
    // A send that was frozen says nothing of how punctual the others are.
    await eventually(
      () => expect(pathTold()).toMatchObject({ lateness: { sends: 1, meanMs: 0.5, maxMs: 0.5 } }),
      { timeoutMs: 3_000, everyMs: 20 },
    );
  });

  it('knows no network but its own', async () => {
    setUp(false);
    const lease = await granted();
    const elsewhere = { ...lease.slots[0]!, lease: { ...lease, network: 'ok' } };
    expect(await worker.send(elsewhere, { path: '', body: '', timeoutMs: 1 })).toEqual({
      kind: 'missed',
      cause: 'no-connection',
    });
  });

  it('tells its thread of keys that changed, where its address is meant', async () => {
    setUp(false);
    const lease = await granted();
    worker.keyStateChanged({ ...change, state: 'invalid', egress: 'elsewhere' });
    const changes = async () => {
      const outcome = await worker.send(
        { ...lease.slots[0]!, lease: { ...lease, keyId: 'other' } },
        { path: '', body: '{"kind":"changes"}', timeoutMs: 1 },
      );
      return outcome.kind === 'answered' ? (JSON.parse(outcome.body) as unknown[]) : [];
    };
    expect(await changes()).toEqual([]);
    worker.keyStateChanged({ ...change, state: 'invalid' });
    expect(await changes()).toEqual([{ keyId: 'k1', state: 'invalid' }]);
    expect(await send(lease, {})).toEqual({ kind: 'missed', cause: 'key-state-changed' });
  });

  it('settles, asks for the capacity, and tells the time', async () => {
    const pool = setUp(false);
    const lease = await granted();
    pool.answer = ({ kind }) =>
      kind === 'settle' ? { results: ['settled'] } : { keys: 2, callsPerSecond: 6 };
    expect(await worker.settle(lease, [{ outcome: 'unsent', slot: 0 }], { 'friends.get': 1 })).toBe(
      'settled',
    );
    expect(await worker.capacity({ workspaceId: 'demo', network: 'vk' })).toEqual({
      keys: 2,
      callsPerSecond: 6,
    });
    expect(Math.abs(worker.poolNow() - pool.poolNow())).toBeLessThan(50);
  });

  it('fails when its thread dies', async () => {
    setUp(false);
    void send(await granted(), { kind: 'die' });
    await eventually(() => expect(failures).toHaveLength(1), { timeoutMs: 3_000, everyMs: 10 });
  });
});
