import { DomainError, Secret } from '@sociograph/kernel';
import type { SendOutcome as SlotOutcome, WorkerLease } from '@sociograph/lease-client';
import { inSpan, startTracing, type FinishedSpan, type Tracing } from '@sociograph/observability';
import { LeaseKeyPool } from './lease-key-pool';

const held = {
  leaseId: 'lease-1',
  keyId: 'key-1',
  fence: 9,
  network: 'vk',
  methods: { 'friends.get': 25 },
  token: new Secret('token'),
  slots: [{ index: 0, notBefore: 1, notAfter: 2 }],
} as unknown as WorkerLease;
const request = {
  workspaceId: 'demo',
  network: 'vk',
  importId: 'i',
  methods: { 'friends.get': 25 },
  timeoutMs: 5_000,
};
const lane = { workspaceId: 'demo', network: 'vk' };

function setUp(outcome: SlotOutcome = { kind: 'missed', cause: 'too-late' }) {
  let now = 0;
  const client = {
    acquire: jest.fn().mockResolvedValue({ kind: 'granted', lease: held }),
    settle: jest.fn().mockResolvedValue('settled'),
    capacity: jest.fn().mockResolvedValue({ keys: 2, callsPerSecond: 6 }),
    poolNow: () => 10_000,
    send: jest.fn().mockResolvedValue(outcome),
  };
  const logger = { warn: jest.fn(), error: jest.fn() };
  const pool = new LeaseKeyPool(client, () => now, logger as never);
  const lease = async () => {
    const verdict = await pool.acquire(request);
    if (verdict.kind !== 'granted') throw new Error('not granted');
    return verdict.lease;
  };
  const authorize = (token: Secret) => ({
    path: '/execute',
    headers: { authorization: token.reveal() },
    body: 'b',
    timeoutMs: 7,
  });
  return { client, logger, pool, lease, authorize, pass: (ms: number) => (now += ms) };
}

const unreachable = (kind: 'unavailable' | 'forbidden') =>
  new DomainError({ code: 'LEASE.X', kind, message: 'x' });

describe('the key pool of key-service', () => {
  it('grants a lease', async () => {
    const { pool, client } = setUp();
    expect(await pool.acquire(request)).toMatchObject({
      kind: 'granted',
      // The pool's clock is 10 s ahead of this process', the slot begins at 1 ms of it.
      lease: { leaseId: 'lease-1', keyId: 'key-1', fence: 9, slotAt: -9_999 },
    });
    expect(client.acquire).toHaveBeenCalledWith(request);
  });

  it.each([
    ['budget-spent', 60_000],
    ['network-resting', 30_000],
    ['no-key', 5_000],
  ])('waits for what comes back by itself: %s at most %s ms', async (reason, retryInMs) => {
    const { pool, client } = setUp();
    client.acquire.mockResolvedValue({ kind: 'denied', reason, retryAt: 10_000_000 });
    expect(await pool.acquire(request)).toEqual({ kind: 'denied', reason, retryInMs });
  });

  it.each([
    [10_700.2, 701],
    [9_000, 200],
    [99_000, 5_000],
    [Number.NaN, 200],
  ])('says of a denial until %s how long to wait: %s ms', async (retryAt, retryInMs) => {
    const { pool, client } = setUp();
    client.acquire.mockResolvedValue({ kind: 'denied', reason: 'no-slot', retryAt });
    expect(await pool.acquire(request)).toEqual({ kind: 'denied', reason: 'no-slot', retryInMs });
  });

  it('takes a pool that is away or refuses as a denial', async () => {
    const { pool, client, logger } = setUp();
    client.acquire.mockRejectedValueOnce(unreachable('unavailable'));
    expect(await pool.acquire(request)).toEqual({ kind: 'denied', reason: 'LEASE.X', retryInMs: 1_000 });
    expect(logger.error).not.toHaveBeenCalled();
    client.acquire.mockRejectedValueOnce(unreachable('forbidden'));
    expect(await pool.acquire(request)).toEqual({ kind: 'denied', reason: 'LEASE.X', retryInMs: 5_000 });
    expect(logger.error).toHaveBeenCalledTimes(1);
    client.acquire.mockRejectedValueOnce(new Error('a bug'));
    await expect(pool.acquire(request)).rejects.toThrow('a bug');
  });

  it('sends in the slot of the lease and reports stamps, errors and what was not used', async () => {
    const headers = { 'retry-after': '2' };
    const answer: SlotOutcome = {
      kind: 'answered',
      checkedAt: 11.4,
      sentAt: 11.5,
      late: false,
      answeredAt: 90,
      status: 200,
      headers,
      body: 'text',
    };
    const { pool, client, lease, authorize } = setUp(answer);
    const granted = await lease();
    const { signal } = new AbortController();
    const outcome = await pool.send(granted, authorize, signal);
    expect(outcome).toEqual({ kind: 'answered', observedAt: 11.5, status: 200, body: 'text' });
    expect(client.send).toHaveBeenCalledWith(
      held.slots[0],
      {
        path: '/execute',
        headers: { authorization: 'token' },
        body: 'b',
        timeoutMs: 7,
      },
      signal,
    );
    await pool.settle(granted, outcome, {
      failure: { method: 'execute', code: 13, message: 'm'.repeat(300) },
      errors: [{ method: 'friends.get', code: 30, message: 'private' }],
      made: { 'friends.get': 20 },
    });
    const report = {
      outcome: 'answered',
      slot: 0,
      sentAt: 11.5,
      answeredAt: 90,
      status: 200,
      error: { code: 13, text: 'm'.repeat(200) },
      methodErrors: [{ method: 'friends.get', code: 30, text: 'private' }],
      retryAfterMs: 2_000,
    };
    expect(client.settle).toHaveBeenCalledWith(held, [report], { 'friends.get': 5 });
  });

  it('reports a call without errors in few words', async () => {
    const answer: SlotOutcome = {
      kind: 'answered',
      checkedAt: 1,
      sentAt: 1,
      late: false,
      answeredAt: 2,
      status: 200,
      headers: { date: 'Sat, 21 Nov 2026 15:00:00 GMT' },
      body: '',
    };
    const { pool, client, lease, authorize } = setUp(answer);
    const granted = await lease();
    await pool.settle(granted, await pool.send(granted, authorize), {
      errors: [],
      made: { 'friends.get': 25 },
    });
    const serverDate = Date.UTC(2026, 10, 21, 15);
    const report = { outcome: 'answered', slot: 0, sentAt: 1, answeredAt: 2, status: 200, serverDate };
    expect(client.settle).toHaveBeenCalledWith(held, [report]);
  });

  it.each<[SlotOutcome, object]>([
    [
      { kind: 'missed', cause: 'too-late' },
      { outcome: 'unsent', slot: 0, cause: 'too-late' },
    ],
    [
      { kind: 'broken', checkedAt: 3, sentAt: 9, late: true, cause: 'ECONNRESET' },
      { outcome: 'broken', slot: 0, checkedAt: 3, sentAt: 9, late: true, cause: 'ECONNRESET' },
    ],
  ])('reports %j', async (slotOutcome, report) => {
    const { pool, client, lease, authorize } = setUp(slotOutcome);
    const granted = await lease();
    await pool.settle(granted, await pool.send(granted, authorize), { errors: [], made: {} });
    expect(client.settle).toHaveBeenCalledWith(held, [report]);
  });

  it('reports a lease that was not used at all', async () => {
    const { pool, client, lease } = setUp();
    await pool.settle(await lease(), { kind: 'missed', cause: 'stopping' }, { errors: [], made: {} });
    expect(client.settle).toHaveBeenCalledWith(held, [{ outcome: 'unsent', slot: 0, cause: 'not-wanted' }]);
  });

  it('does not fail a call whose lease cannot be settled', async () => {
    const { pool, client, lease, logger } = setUp();
    client.settle.mockRejectedValue(unreachable('unavailable'));
    await pool.settle(await lease(), { kind: 'missed', cause: 'stopping' }, { errors: [], made: {} });
    await new Promise(setImmediate);
    expect(logger.warn).toHaveBeenCalledTimes(1);
  });

  it('asks for the capacity of a lane twice a second at most', async () => {
    const { pool, client, pass } = setUp();
    expect(await pool.callsPerSecond(lane)).toBe(6);
    pass(499);
    await pool.callsPerSecond(lane);
    expect(client.capacity).toHaveBeenCalledTimes(1);
    pass(1);
    client.capacity.mockResolvedValue({ keys: 3, callsPerSecond: 9 });
    expect(await pool.callsPerSecond(lane)).toBe(9);
    expect(await pool.callsPerSecond({ ...lane, workspaceId: 'other' })).toBe(9);
    expect(client.capacity).toHaveBeenCalledTimes(3);
  });

  it('keeps the capacity last known while the pool is away, none when it never was', async () => {
    const { pool, client, pass } = setUp();
    await pool.callsPerSecond(lane);
    pass(1_000);
    client.capacity.mockRejectedValue(unreachable('unavailable'));
    expect(await pool.callsPerSecond(lane)).toBe(6);
    expect(await pool.callsPerSecond({ ...lane, network: 'other' })).toBe(0);
  });

  describe('in a kept trace', () => {
    let tracing: Tracing;
    let ended: FinishedSpan[];
    beforeEach(() => {
      ended = [];
      tracing = startTracing({
        service: 's',
        instance: '0',
        sampleRatio: 1,
        onEnd: (span) => ended.push(span),
      });
    });
    afterEach(() => tracing.shutdown());

    /** What the span of a call tells. */
    const told = async (outcome: SlotOutcome): Promise<FinishedSpan | undefined> => {
      const { pool, lease, authorize } = setUp(outcome);
      const granted = await lease();
      await inSpan('task', {}, () => pool.send(granted, authorize));
      return ended.find(({ name }) => name === 'call vk');
    };
    const stamps = { checkedAt: 11, sentAt: 11.5, late: false };

    it('shows a call and its answer, without token and people', async () => {
      const answer = {
        ...stamps,
        answeredAt: 90,
        status: 200,
        headers: {},
        body: '{"response":[{"id":42}]}',
      };
      const span = await told({ kind: 'answered', ...answer });
      expect(span).toMatchObject({ kind: 'client', failed: false });
      expect(span?.attributes).toEqual({
        'sociograph.network': 'vk',
        'sociograph.lease.id': 'lease-1',
        'sociograph.key.id': 'key-1',
        'sociograph.methods': ['friends.get 25'],
        'http.response.status_code': 200,
        'sociograph.call.answer_ms': 78.5,
        'sociograph.slot.lateness_ms': 10.5,
      });
    });

    it.each([
      [{ kind: 'missed', cause: 'too-late' } as const, 'too-late'],
      [{ kind: 'broken', ...stamps, cause: 'ECONNRESET' } as const, 'ECONNRESET'],
    ])('marks one that was not answered', async (outcome, cause) => {
      expect(await told(outcome)).toMatchObject({ failed: true, attributes: { 'error.type': cause } });
    });
  });
});
