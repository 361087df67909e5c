import { Redis } from 'ioredis';
import type { Strategy } from '../src/domain/networks';
import { aKey, aRequest, vk } from './builders';
import { redisUrl } from './pool-simulation';
import { answered, PoolStand } from './pool-stand';

// A machine that is busy with others takes seconds for hundreds of round trips.
jest.setTimeout(60_000);

const HOUR = 3_600_000;

describe('the choice of a key', () => {
  let redis: Redis;
  let pool: PoolStand;

  beforeAll(() => {
    redis = new Redis(redisUrl());
  });

  afterAll(async () => {
    await redis.quit();
  });

  beforeEach(async () => {
    pool = await PoolStand.make(redis);
  });

  const by = (strategy: Strategy) => ({ rules: { ...vk(), strategy } });

  async function keysOf(calls: number, details: Parameters<PoolStand['grant']>[0], everyMs = 2000) {
    const ids: string[] = [];
    for (let i = 0; i < calls; i += 1) {
      ids.push((await pool.grant(details)).keyId);
      pool.advance(everyMs);
    }
    return ids;
  }

  const countOf = (ids: string[]) =>
    ids.reduce<Record<string, number>>((counts, id) => ({ ...counts, [id]: (counts[id] ?? 0) + 1 }), {});

  it('never tells who is denied to ask again at a time that is over', async () => {
    await pool.define(aKey('resting'));
    // What is remembered of a key that is ruled out is rounded down by up to seven microseconds.
    const until = pool.clock.micros + 800_007;
    await pool.ledger.restoreRests([
      {
        keyId: 'resting',
        tokenVersion: 1,
        kind: 'method',
        name: 'users.get',
        untilAt: until / 1000,
        lengthMs: HOUR,
        code: 29,
        barred: false,
      },
    ]);
    const details = { methods: { 'users.get': 1 } };
    expect(await pool.ask(details)).toEqual(['no-slot', 800.007]);
    for (const left of [9, 7, 6, 5, 4, 3, 2, 1]) {
      pool.clock.micros = until - left;
      const verdict = await pool.ledger.grant(aRequest(pool.now(), details));
      expect(verdict).toMatchObject({ kind: 'denied', reason: 'no-slot' });
      if (verdict.kind === 'denied') expect(Math.round(verdict.retryAt * 1000)).toBeGreaterThan(until - left);
    }
  });

  it('says why: the strategy, what won, and what was ruled out by what', async () => {
    const resting = aKey('resting');
    await pool.define(
      resting,
      aKey('bound', { egress: 'home' }),
      aKey('free'),
      aKey('club', { kind: 'community' }),
    );
    await pool.ledger.restoreRests([
      {
        keyId: 'resting',
        tokenVersion: 1,
        kind: 'key',
        name: '',
        untilAt: pool.now() + HOUR,
        lengthMs: HOUR,
        code: 9,
        barred: false,
      },
    ]);
    const { keyId, why } = await pool.grant();
    expect(keyId).toBe('free');
    expect(why).toMatch(
      /^earliest-free; slot in \d+\.\d ms; 3 ruled out: 1 egress, 1 resting, 1 other kind$/,
    );
  });

  it('says nothing of ruled out keys when there are none', async () => {
    await pool.define(aKey('k1'));
    expect((await pool.grant()).why).toMatch(/^earliest-free; slot in \d+\.\d ms; 0 ruled out$/);
  });

  it('goes round the keys in turns, however early one of them is free', async () => {
    await pool.define(aKey('k1'), aKey('k2'), aKey('k3'));
    const first = await keysOf(3, by('round-robin'));
    expect([...first].sort()).toEqual(['k1', 'k2', 'k3']);
    expect(await keysOf(6, by('round-robin'))).toEqual([...first, ...first]);
    expect((await pool.grant(by('round-robin'))).why).toMatch(/^round-robin; last turn \d+; 0 ruled out$/);
  });

  it('takes keys in proportion to their weights, smoothly', async () => {
    await pool.define(aKey('k1', { weight: 3 }), aKey('k2'));
    const ids = await keysOf(40, by('weighted'));
    expect(countOf(ids)).toEqual({ k1: 30, k2: 10 });
    for (let i = 0; i + 4 <= 40; i += 4)
      expect(ids.slice(i, i + 4).filter((id) => id === 'k2')).toHaveLength(1);
  });

  it('gives a key that comes late no more than its weight', async () => {
    await pool.define(aKey('k1'));
    await keysOf(20, by('weighted'));
    await pool.define(aKey('k1'), aKey('k2'));
    expect(countOf(await keysOf(10, by('weighted')))).toEqual({ k1: 5, k2: 5 });
  });

  it('takes the key that was used least in the last day', async () => {
    await pool.define(aKey('k1'), aKey('k2'));
    await pool.ledger.define([aKey('k2', { state: 'paused', version: 2 })]);
    await keysOf(6, by('least-used'));
    await pool.ledger.define([aKey('k2', { version: 3 })]);
    expect(await keysOf(6, by('least-used'))).toEqual(Array.from({ length: 6 }, () => 'k2'));
    expect(countOf(await keysOf(4, by('least-used')))).toEqual({ k1: 2, k2: 2 });
    expect((await pool.grant(by('least-used'))).why).toMatch(
      /^least-used; 8 calls in the last day; 0 ruled out$/,
    );
  });

  it('lets no request wait for the sake of an order', async () => {
    await pool.define(aKey('k1'), aKey('k2', { perSecond: 1 }));
    const ids = new Set<string>();
    for (let i = 0; i < 8; i += 1) {
      ids.add((await pool.grant(by('round-robin'))).keyId);
      pool.advance(300);
    }
    expect(ids).toEqual(new Set(['k1', 'k2']));
  });

  it('passes over keys that became inactive in every order', async () => {
    await pool.define(aKey('k1'), aKey('k2'));
    await keysOf(2, by('round-robin'));
    await pool.ledger.define([aKey('k1', { state: 'deleted', version: 2 })]);
    for (const strategy of ['round-robin', 'weighted', 'least-used'] as const) {
      expect(await keysOf(2, by(strategy))).toEqual(['k2', 'k2']);
    }
  });

  it('grants a key that is bound to an egress to requests from there only', async () => {
    await pool.define(aKey('k1', { egress: 'home' }));
    expect(await pool.ask()).toEqual(['no-key', 1000]);
    expect(await pool.ask({ egress: 'home' })).toEqual(['granted']);
  });

  it('finds the one key that may be called among many that may not, at any time', async () => {
    const many = Array.from({ length: 150 }, (_, i) => aKey(`bound-${i}`, { egress: 'home' }));
    await pool.define(...many, aKey('free'));
    expect((await pool.grant()).keyId).toBe('free');
    const { keyId, why } = await pool.grant();
    expect(keyId).toBe('free');
    expect(why).toContain('ruled out: 150 egress');
    await pool.ledger.define([aKey('bound-7', { version: 2 })]);
    pool.advance(1001);
    const ids = new Set([(await pool.grant()).keyId, (await pool.grant()).keyId]);
    expect(ids).toEqual(new Set(['free', 'bound-7']));
  });

  it('serves a workspace from keys that others share with it, for as long as they do', async () => {
    await pool.define(aKey('k1', { sharedWith: ['guest'] }));
    const guest = { workspaceId: 'guest' };
    expect((await pool.grant(guest)).keyId).toBe('k1');
    expect((await pool.grant()).keyId).toBe('k1');
    expect(await pool.ask({ workspaceId: 'stranger' })).toEqual(['no-key', 1000]);
    await pool.ledger.define([aKey('k1', { version: 2 })]);
    expect(await pool.ask({ ...guest, ...by('round-robin') })).toEqual(['no-key', 1000]);
    pool.advance(2000);
    expect(await pool.ask()).toEqual(['granted']);
  });

  it('keeps the limit of an egress address over all keys', async () => {
    await pool.define(aKey('k1'), aKey('k2'), aKey('k3', { kind: 'community', limits: { perSecond: 20 } }));
    const rules = { ...vk(), egressQuota: 4 };
    const methods = { 'users.get': 1 };
    const kinds = ['user', 'community'];
    const slots: number[] = [];
    const elsewhere: number[] = [];
    for (let ms = 0; ms < 4000; ms += 20) {
      const ask = async (egress: string, into: number[]) => {
        const verdict = await pool.ledger.grant(aRequest(pool.now(), { rules, methods, kinds, egress }));
        if (verdict.kind === 'granted') into.push(...verdict.grant.slots);
      };
      await ask('default', slots);
      await ask('home', elsewhere);
      pool.advance(20);
    }
    for (const times of [slots, elsewhere]) {
      times.sort((x, y) => x - y);
      for (let i = 4; i < times.length; i += 1) expect(times[i]! - times[i - 4]!).toBeGreaterThan(1000);
      expect(times.length).toBeGreaterThanOrEqual(14);
    }
  });

  it('gives the slot of an egress address back with the slot of the key', async () => {
    await pool.define(aKey('k1', { limits: { perSecond: 3 } }));
    const details = { rules: { ...vk(), egressQuota: 1 } };
    const first = await pool.grant(details);
    expect((await pool.ask(details))[0]).toBe('no-slot');
    expect(await pool.settle(first, [{ slot: 0, outcome: 'unsent' }])).toBe('settled');
    expect((await pool.grant(details)).slots).toEqual(first.slots);
  });

  it('explains every key without charging one', async () => {
    await pool.define(
      aKey('bound', { egress: 'home' }),
      aKey('club', { kind: 'community' }),
      aKey('free', { weight: 7 }),
      aKey('paused', { state: 'paused' }),
      aKey('strange', { workspaceId: 'other' as never }),
    );
    const lease = await pool.grant();
    pool.advance(2000);
    const { poolNow, keys } = await pool.ledger.explain({
      workspaceId: 'demo',
      rules: vk(),
      methods: { 'friends.get': 1 },
      calls: 1,
      egress: 'default',
      keyIds: ['bound', 'club', 'free', 'paused', 'strange', 'gone'],
    });
    expect(poolNow).toBe(pool.now());
    expect(keys).toEqual([
      { keyId: 'bound', reason: 'egress', weight: 1, usedInDay: 0 },
      { keyId: 'club', reason: 'kind', weight: 1, usedInDay: 0 },
      {
        keyId: 'free',
        nextSlotAt: expect.any(Number),
        weight: 7,
        usedInDay: 1,
        lastGrantAt: Math.floor(lease.grantedAt * 1000) / 1000,
      },
      { keyId: 'paused', reason: 'paused', weight: 1, usedInDay: 0 },
      { keyId: 'strange', reason: 'not-shared', weight: 1, usedInDay: 0 },
      { keyId: 'gone', reason: 'unknown', weight: 1, usedInDay: 0 },
    ]);
    const { nextSlotAt } = keys[2]!;
    expect((await pool.grant()).slots).toEqual([nextSlotAt]);
  });

  it('explains until when a key rests, and a method of it', async () => {
    await pool.define(aKey('k1'), aKey('k2'));
    const rest = { tokenVersion: 1, lengthMs: HOUR, code: 29, barred: false };
    await pool.ledger.restoreRests([
      { ...rest, keyId: 'k1', kind: 'key', name: '', untilAt: pool.now() + HOUR },
      { ...rest, keyId: 'k2', kind: 'method', name: 'friends.get', untilAt: pool.now() + 2 * HOUR },
    ]);
    const asked = {
      workspaceId: 'demo',
      rules: vk(),
      methods: { 'friends.get': 1 },
      calls: 1,
      egress: 'default',
    };
    const { keys } = await pool.ledger.explain({ ...asked, keyIds: ['k1', 'k2'] });
    expect(keys).toMatchObject([
      { reason: 'resting', untilAt: pool.now() + HOUR },
      { reason: 'method', untilAt: pool.now() + 2 * HOUR },
    ]);
    expect(await pool.ask()).toEqual(['no-slot', HOUR]);
  });

  it('knows the open leases of a key, and ends one that nobody settles', async () => {
    await pool.define(aKey('k1'));
    const first = await pool.grant({ importId: 'i1', calls: 2, methods: { 'friends.get': 25 } });
    pool.advance(1000);
    const second = await pool.grant({ importId: 'i2' });
    expect(await pool.ledger.leasesOf('k1')).toEqual([
      {
        leaseId: first.leaseId,
        workspaceId: 'demo',
        importId: 'i1',
        service: 'parser-service',
        grantedAt: first.grantedAt,
        expiresAt: first.expiresAt,
        calls: 2,
        methods: ['friends.get'],
        why: first.why,
      },
      expect.objectContaining({ leaseId: second.leaseId, importId: 'i2' }),
    ]);
    expect(await pool.ledger.release('other', first.leaseId)).toBe('unknown');
    expect(await pool.ledger.release('demo', first.leaseId)).toBe('released');
    expect(await pool.ledger.release('demo', first.leaseId)).toBe('ended');
    expect(await pool.ledger.release('demo', 'never')).toBe('unknown');
    expect(await pool.settle(first, [answered(first), { slot: 1, outcome: 'unsent' }])).toBe('late');
    expect(await pool.ledger.leasesOf('k1')).toMatchObject([{ leaseId: second.leaseId }]);
    expect(await pool.settle(second, [answered(second)])).toBe('settled');
    expect(await pool.ledger.leasesOf('k1')).toEqual([]);
    expect(await pool.ledger.release('demo', second.leaseId)).toBe('ended');
  });

  it('counts a lease that ran out as gone', async () => {
    await pool.define(aKey('k1'));
    const lease = await pool.grant();
    pool.advance(lease.expiresAt - pool.now());
    expect(await pool.ledger.leasesOf('k1')).toEqual([]);
  });

  it('lets every session forget its sequences in the end, whichever it began with', async () => {
    await pool.define(aKey('k1'));
    for (const [session, sequence] of [
      ['one', 7],
      ['two', 256],
      ['three', 1],
    ] as const) {
      await pool.ledger.grant(aRequest(pool.now(), { session, sequence }));
      const ttl = await redis.pttl(`${pool.prefix}seq:${session}`);
      expect(ttl).toBeGreaterThan(7_190_000);
    }
  });

  it('refuses sequences beyond what a session can ever need, without keeping a map of them', async () => {
    await pool.define(aKey('k1'));
    expect((await pool.ask({ session: 'long', sequence: 16_777_216 }))[0]).toBe('replay');
    expect(await redis.exists(`${pool.prefix}seq:long`)).toBe(0);
    expect(await pool.ask({ session: 'long', sequence: 16_777_215 })).toEqual(['granted']);
  });
});
