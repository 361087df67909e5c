import type { Clock } from '@sociograph/kernel';
import { fakeClock, sequentialIds } from '@sociograph/testing';
import { ScriptedPool, type SeenRequest } from '../test/scripted-pool';
import { LeaseClient } from './lease-client';
import type { WorkerLease } from './worker-lease';

const REQUEST = {
  workspaceId: 'demo',
  network: 'vk',
  importId: 'i1',
  methods: { 'friends.get': 25 },
  timeoutMs: 5_000,
};

function optionsOf(pool: ScriptedPool, clock: Clock) {
  const identityKeyPem = pool.identity.privateKey;
  return {
    rpc: pool,
    identityKeyPem,
    service: 'parser-service',
    instanceId: '0',
    clock,
    ids: sequentialIds(),
  };
}

function setUp() {
  const pool = new ScriptedPool();
  const clock = fakeClock();
  const givenUp = jest.fn();
  const client = new LeaseClient({ ...optionsOf(pool, clock), onSettleGivenUp: givenUp });
  return { pool, clock, client, givenUp };
}

function grantOf(pool: ScriptedPool, request: SeenRequest, details: object = {}): object {
  const leaseId = String(request.body['requestId']);
  const token = pool.seal(request.session, 'vk1.a.token', { leaseId, fence: 7, keyId: 'k1' });
  const calls = [
    { notBefore: 50_100, notAfter: 50_104 },
    { notBefore: 50_450, notAfter: 50_454 },
  ];
  const lease = {
    leaseId,
    fence: 7,
    keyId: 'k1',
    keyVersion: 1,
    token,
    methods: { 'friends.get': 25 },
    calls,
  };
  return { kind: 'granted', lease: { ...lease, grantedAt: 50_000, expiresAt: 80_000, ...details } };
}

async function acquired(client: LeaseClient): Promise<WorkerLease> {
  const verdict = await client.acquire(REQUEST);
  if (verdict.kind !== 'granted') throw new Error(verdict.reason);
  return verdict.lease;
}

describe("a worker's client of the key pool", () => {
  it('opens a session by a signed hello and reads the pool clock from it', async () => {
    const { pool, client } = setUp();
    await client.open();
    expect(pool.hellos).toBe(1);
    expect(client.poolNow()).toBe(50_000);
    await client.close();
    expect(pool.seen.map(({ kind }) => kind)).toEqual(['bye']);
  });

  it('reads the pool clock once a second, not while prompt replies tell it anyway', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] });
    try {
      const { pool, client, clock } = setUp();
      const kinds = () => pool.seen.map(({ kind }) => kind);
      const pass = async (ms: number) => {
        clock.advance(ms);
        await jest.advanceTimersByTimeAsync(ms);
      };
      await client.open();
      pool.answer = () => ({ keys: 0, callsPerSecond: 0, marginMs: 1 });
      await pass(999);
      expect(kinds()).toEqual([]);
      await pass(1);
      expect(kinds()).toEqual(['capacity']);
      await pass(500);
      await client.reportPath({ network: 'vk', probes: [] });
      await pass(500);
      expect(kinds()).toEqual(['capacity', 'path']);
      await pass(1_000);
      expect(kinds()).toEqual(['capacity', 'path', 'capacity']);
      await client.close();
      await pass(5_000);
      expect(kinds()).toEqual(['capacity', 'path', 'capacity', 'bye']);
    } finally {
      jest.useRealTimers();
    }
  });

  it('asks for a lease with a deadline on the pool clock and holds what it is granted', async () => {
    const { pool, client } = setUp();
    pool.answer = (request) => grantOf(pool, request);
    const lease = await acquired(client);
    expect(pool.seen).toHaveLength(1);
    expect(pool.seen[0]!.body).toEqual({
      requestId: lease.leaseId,
      issuedAt: 50_000,
      sequence: 1,
      workspaceId: 'demo',
      network: 'vk',
      importId: 'i1',
      methods: { 'friends.get': 25 },
      deadlineAt: 55_000,
    });
    expect(pool.timeouts).toEqual([2_000, 7_000]);
    expect(lease).toMatchObject({
      fence: 7,
      keyId: 'k1',
      keyVersion: 1,
      workspaceId: 'demo',
      network: 'vk',
      importId: 'i1',
      grantedAt: 50_000,
      expiresAt: 80_000,
    });
    expect(lease.token.reveal()).toBe('vk1.a.token');
    expect(lease.slots.map(({ index, notBefore, notAfter }) => [index, notBefore, notAfter])).toEqual([
      [0, 50_100, 50_104],
      [1, 50_450, 50_454],
    ]);
    expect(lease.slots[1]!.lease).toBe(lease);
    expect(JSON.stringify({ ...lease, slots: [] })).not.toContain('vk1.a.token');
  });

  it('asks for slots as far ahead as its leases come in late, and as slots that are near are lost', async () => {
    const { pool, client, clock } = setUp();
    const lateBy = { ms: 0, slotInMs: 20 };
    pool.answer = (request) => {
      clock.advance(lateBy.ms);
      const grantedAt = Number(request.body['issuedAt']);
      const notBefore = grantedAt + lateBy.slotInMs;
      return grantOf(pool, request, { grantedAt, calls: [{ notBefore, notAfter: notBefore + 4 }] });
    };
    const asked = async (): Promise<unknown> => {
      await acquired(client);
      return pool.seen.at(-1)?.body['leadMs'];
    };
    pool.poolNow = () => 50_000 + clock.monotonicMs();
    await client.open();
    expect([await asked(), await asked()]).toEqual([undefined, undefined]);
    lateBy.ms = 17;
    await asked();
    lateBy.ms = 0;
    expect(await asked()).toBe(22);
    const [far] = (await acquired(client)).slots;
    client.cameTooLate({ ...far!, notBefore: far!.lease.grantedAt + 61 });
    clock.advance(30);
    client.cameTooLate({ ...far!, notBefore: far!.lease.grantedAt + 61 });
    expect(await asked()).toBe(22);
    const [near] = (await acquired(client)).slots;
    clock.advance(31);
    client.cameTooLate({ ...near!, notBefore: near!.lease.grantedAt + 60 });
    expect(await asked()).toBe(36);
    await client.close();
  });

  it('hands on a denial as a value', async () => {
    const { pool, client } = setUp();
    pool.answer = () => ({ kind: 'denied', reason: 'no-slot', retryAt: 51_000 });
    expect(await client.acquire(REQUEST)).toEqual({ kind: 'denied', reason: 'no-slot', retryAt: 51_000 });
  });

  it('asks once more with the same request id when a reply was lost', async () => {
    const { pool, client } = setUp();
    let asked = 0;
    pool.answer = (request) => ((asked += 1) === 1 ? 'lost' : grantOf(pool, request));
    await acquired(client);
    const [first, second] = pool.seen;
    expect(second!.body['requestId']).toBe(first!.body['requestId']);
    expect([first!.body['sequence'], second!.body['sequence']]).toEqual([1, 2]);
  });

  it('gives up after two lost replies', async () => {
    const { pool, client } = setUp();
    await expect(client.acquire(REQUEST)).rejects.toMatchObject({
      code: 'LEASE.POOL_UNREACHABLE',
      kind: 'unavailable',
      retryAfterSeconds: 1,
    });
    expect(pool.seen).toHaveLength(2);
  });

  it('opens another session when the pool forgot the old one', async () => {
    const { pool, client } = setUp();
    await client.open();
    pool.forgetSessions();
    pool.answer = (request) => grantOf(pool, request);
    const lease = await acquired(client);
    expect(pool.hellos).toBe(2);
    expect(lease.token.reveal()).toBe('vk1.a.token');
    expect(pool.seen[0]!.body['sequence']).toBe(1);
    await client.close();
  });

  it('opens one session for all who ask at the same time', async () => {
    const { pool, client } = setUp();
    pool.answer = (request) => grantOf(pool, request);
    await Promise.all([acquired(client), acquired(client)]);
    expect(pool.hellos).toBe(1);
    expect(pool.seen.map(({ body }) => body['sequence'])).toEqual([1, 2]);
  });

  it.each([
    ['refused', 'LEASE.REQUEST_REFUSED', 'forbidden'],
    ['forged', 'LEASE.REQUEST_REFUSED', 'forbidden'],
    ['lost', 'LEASE.POOL_UNREACHABLE', 'unavailable'],
  ] as const)('says so when its hello is %s', async (answer, code, kind) => {
    const { pool, client } = setUp();
    pool.helloAnswer = answer;
    await expect(client.open()).rejects.toMatchObject({ code, kind });
  });

  it('believes no reply that the pool did not sign, nor one to another request', async () => {
    const { pool, client } = setUp();
    pool.answer = () => 'unsigned';
    await expect(client.acquire(REQUEST)).rejects.toMatchObject({ facts: { reason: 'forged' } });
    pool.answer = () => ({ requestId: 'other', kind: 'denied', reason: 'no-key', retryAt: 0 });
    await expect(client.acquire(REQUEST)).rejects.toMatchObject({ facts: { reason: 'forged' } });
  });

  it('tries a refusal once more and then reports it', async () => {
    const { pool, client } = setUp();
    pool.answer = () => 'refused';
    await expect(client.acquire(REQUEST)).rejects.toMatchObject({
      kind: 'forbidden',
      facts: { reason: 'forged' },
    });
    expect(pool.seen).toHaveLength(2);
  });

  it('sends settles together that come together, and the next ones after the reply', async () => {
    const { pool, client } = setUp();
    pool.answer = (request) => grantOf(pool, request);
    const lease = await acquired(client);
    pool.answer = ({ body }) => ({
      results: (body['settles'] as unknown[]).map((_, i) => (i === 0 ? 'settled' : 'late')),
    });
    const unsent = { outcome: 'unsent' as const, slot: 0 };
    const results = [client.settle(lease, [unsent]), client.settle(lease, [unsent], { 'friends.get': 5 })];
    expect(await Promise.all(results)).toEqual(['settled', 'late']);
    expect(pool.seen).toHaveLength(2);
    expect(pool.seen[1]).toMatchObject({ kind: 'settle' });
    const { leaseId, fence, keyId, grantedAt, methods } = lease;
    const about = { leaseId, fence, keyId, grantedAt, methods };
    const entry = { ...about, workspaceId: 'demo', network: 'vk', importId: 'i1', reports: [unsent] };
    expect(pool.seen[1]!.body['settles']).toEqual([entry, { ...entry, unusedMethods: { 'friends.get': 5 } }]);
    expect(await client.settle(lease, [unsent])).toBe('settled');
  });

  it('repeats a settle that the pool did not hear, in a new session when the old one is not known', async () => {
    const { pool, client } = setUp();
    pool.answer = (request) => grantOf(pool, request);
    const lease = await acquired(client);
    let cut = 3;
    pool.answer = () => {
      if ((cut -= 1) > 0) return 'lost';
      if (cut === 0) pool.forgetSessions();
      return cut < 0 ? { results: ['already-settled'] } : 'lost';
    };
    expect(await client.settle(lease, [{ outcome: 'unsent', slot: 0 }])).toBe('already-settled');
    expect(pool.hellos).toBe(2);
  });

  it('gives a settle up after 30 s, and goes on', async () => {
    const { pool, client, clock, givenUp } = setUp();
    pool.answer = (request) => grantOf(pool, request);
    const lease = await acquired(client);
    pool.answer = () => {
      clock.advance(15_000);
      return 'lost';
    };
    await expect(client.settle(lease, [{ outcome: 'unsent', slot: 0 }])).rejects.toMatchObject({
      code: 'LEASE.POOL_UNREACHABLE',
    });
    expect(givenUp).toHaveBeenCalledTimes(1);
    pool.answer = () => ({ results: ['settled'] });
    expect(await client.settle(lease, [{ outcome: 'unsent', slot: 0 }])).toBe('settled');
  });

  it('tells what was measured of a path, and from which address it calls', async () => {
    const { pool, clock } = setUp();
    const client = new LeaseClient({ ...optionsOf(pool, clock), egress: 'frankfurt' });
    pool.answer = () => ({ marginMs: 23.5 });
    await client.open();
    const probes = [{ sentAt: 49_990, roundTripMs: 21.25 }];
    const lateness = { sends: 3, meanMs: 0.5, maxMs: 1 };
    expect(await client.reportPath({ network: 'vk', probes, lateness })).toBe(23.5);
    expect(pool.seen[0]).toMatchObject({
      kind: 'path',
      body: { network: 'vk', egress: 'frankfurt', probes, lateness, clockErrorMs: 0 },
    });
    pool.answer = () => ({ kind: 'denied', reason: 'budget-spent', retryAt: 60_000 });
    await client.acquire(REQUEST);
    await client.acquire({ ...REQUEST, egress: 'paris' });
    expect(pool.seen.slice(1).map(({ body }) => body['egress'])).toEqual(['frankfurt', 'paris']);
    await client.close();
  });

  it('sends its last settles before it ends the session', async () => {
    const { pool, client } = setUp();
    pool.answer = (request) => grantOf(pool, request);
    const lease = await acquired(client);
    pool.answer = () => ({ results: ['settled'] });
    const settled = client.settle(lease, [{ outcome: 'unsent', slot: 0 }]);
    await client.close();
    expect(await settled).toBe('settled');
    expect(pool.seen.map(({ kind }) => kind)).toEqual(['lease', 'settle', 'bye']);
  });

  it('asks how much may be called', async () => {
    const { pool, client } = setUp();
    pool.answer = () => ({ keys: 20, callsPerSecond: 60 });
    expect(await client.capacity({ workspaceId: 'demo', network: 'vk' })).toEqual({
      keys: 20,
      callsPerSecond: 60,
    });
    expect(pool.seen[0]!.body).toMatchObject({ workspaceId: 'demo', network: 'vk' });
  });

  describe('voids the slots of a lease', () => {
    async function held() {
      const parts = setUp();
      parts.pool.answer = (request) => grantOf(parts.pool, request);
      const lease = await acquired(parts.client);
      expect(parts.client.voidCause(lease)).toBeUndefined();
      return { ...parts, lease };
    }

    const change = { keyId: 'k1', workspaceId: 'demo', network: 'vk', state: 'invalid', version: 2, at: 1 };

    it('when its key is not active any more', async () => {
      const { client, lease } = await held();
      client.keyStateChanged({ ...change, keyId: 'k2' });
      client.keyStateChanged({ ...change, state: 'active' });
      expect(client.voidCause(lease)).toBeUndefined();
      client.keyStateChanged(change);
      expect(client.voidCause(lease)).toBe('key-state-changed');
    });

    it('when its key rests, up to the end of the rest', async () => {
      const { client, lease } = await held();
      client.keyStateChanged({ ...change, state: 'active', restingUntil: 50_300 });
      expect(client.voidCause(lease, 50_299)).toBe('key-resting');
      expect(client.voidCause(lease, 50_300)).toBeUndefined();
    });

    it('only when its own address is meant', async () => {
      const { client, lease } = await held();
      client.keyStateChanged({ ...change, egress: 'frankfurt' });
      expect(client.voidCause(lease)).toBeUndefined();
      client.keyStateChanged({ ...change, egress: 'default' });
      expect(client.voidCause(lease)).toBe('key-state-changed');
    });

    it('but not of one that was granted after the change', async () => {
      const { pool, client, clock } = await held();
      client.keyStateChanged(change);
      clock.advance(5);
      pool.answer = (request) => grantOf(pool, request, { grantedAt: 50_001 });
      expect(client.voidCause(await acquired(client))).toBeUndefined();
    });

    it('when the machine slept: its wall clock ran ahead by more than 50 ms', async () => {
      const { client, clock, lease } = await held();
      clock.jumpWallClock(50);
      expect(client.voidCause(lease)).toBeUndefined();
      clock.jumpWallClock(1);
      expect(client.voidCause(lease)).toBe('suspended');
    });

    it('when a reply contradicts the clock mapping', async () => {
      const { pool, client, lease } = await held();
      pool.poolNow = () => 50_021;
      pool.answer = () => ({ keys: 0, callsPerSecond: 0 });
      await client.capacity({ workspaceId: 'demo', network: 'vk' });
      expect(client.voidCause(lease)).toBe('clock-contradicted');
    });

    it('when the lease has expired', async () => {
      const { client, clock, lease } = await held();
      clock.advance(30_000);
      expect(client.voidCause(lease)).toBeUndefined();
      clock.advance(1);
      expect(client.voidCause(lease)).toBe('lease-expired');
    });
  });
});
