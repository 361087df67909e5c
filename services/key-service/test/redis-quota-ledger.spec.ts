import { eventually } from '@sociograph/testing';
import { Redis } from 'ioredis';
import type { Effect } from '../src/domain/outcomes';
import type { KeyEvent, LedgerGrant } from '../src/domain/ports';
import { PoolMemory } from '../src/infrastructure/pool-memory';
import { aKey, aRequest, nextSequence, vk } from './builders';
import { aLedger, redisUrl, VirtualClock } from './pool-simulation';
import { quotaLedgerContract } from './quota-ledger.contract';

const HOUR = 3_600_000;

describe('the quota ledger in Redis', () => {
  let redis: Redis;

  beforeAll(() => {
    redis = new Redis(redisUrl());
  });

  afterAll(async () => {
    await redis.quit();
  });

  async function make() {
    const clock = new VirtualClock();
    const { ledger, prefix, epochs, define } = await aLedger(redis, { clock });
    clock.micros += 60_000_000;
    const now = () => clock.micros / 1000;
    return {
      ledger,
      prefix,
      epochs,
      define,
      now,
      advance: (ms: number) => void (clock.micros += Math.ceil(ms * 1000)),
    };
  }

  quotaLedgerContract(make);

  describe('draws its conclusions about keys in the settle', () => {
    type Under = Awaited<ReturnType<typeof make>>;

    async function grant(under: Under, details: Parameters<typeof aRequest>[1] = {}) {
      const request = aRequest(under.now(), details);
      const verdict = await under.ledger.grant(request);
      if (verdict.kind !== 'granted') throw new Error(verdict.reason);
      return { ...verdict.grant, leaseId: request.leaseId };
    }

    async function report(
      under: Under,
      lease: LedgerGrant & { leaseId: string },
      effects: Effect[],
    ): Promise<KeyEvent[]> {
      const sentAt = lease.slots[0]!;
      const reports = [{ slot: 0, outcome: 'answered' as const, sentAt, answeredAt: sentAt + 80, effects }];
      const settles = [{ leaseId: lease.leaseId, fence: lease.fence, workspaceId: 'demo', reports }];
      const head = { by: 'parser-service', session: 'session', sequence: nextSequence(), rules: vk() };
      const verdict = await under.ledger.settle({ ...head, settles });
      if (verdict.kind !== 'settled') throw new Error(verdict.reason);
      return verdict.events;
    }

    async function callAndReport(under: Under, effects: Effect[], details = {}): Promise<KeyEvent[]> {
      const lease = await grant(under, details);
      under.advance(lease.slots[0]! - under.now() + 100);
      return report(under, lease, effects);
    }

    const denied = async (under: Under, details = {}) => {
      const verdict = await under.ledger.grant(aRequest(under.now(), details));
      return verdict.kind === 'denied' ? [verdict.reason, verdict.retryAt - under.now()] : ['granted'];
    };

    const tooMany: Effect = { kind: 'rest', baseMs: 1500, capMs: 10_000, atLeastMs: 0, code: 6 };

    it('lets a key rest, longer with each refusal after it came back, and start anew after a success', async () => {
      const under = await make();
      await under.ledger.define([aKey('k1')]);
      for (const forMs of [1500, 3000, 6000, 10_000, 10_000]) {
        const events = await callAndReport(under, [tooMany]);
        expect(events.filter(({ kind }) => kind !== 'foreign-use')).toEqual([
          { keyId: 'k1', kind: 'resting', code: 6, forMs },
        ]);
        const [reason, inMs] = await denied(under);
        expect(reason).toBe('no-slot');
        expect(inMs).toBeCloseTo(forMs > 1010 + 400 ? forMs : (inMs as number), 0);
        under.advance(forMs);
      }
      expect(await callAndReport(under, [{ kind: 'fine', except: [] }])).toEqual([]);
      expect(await callAndReport(under, [tooMany])).toMatchObject([{ forMs: 1500 }]);
    });

    it('counts refusals of calls that were under way together once', async () => {
      const under = await make();
      await under.ledger.define([aKey('k1')]);
      const first = await grant(under);
      const second = await grant(under);
      under.advance(900);
      expect(await report(under, first, [tooMany])).toHaveLength(1);
      expect(await report(under, second, [tooMany])).toEqual([]);
    });

    it('goes on with the other keys while one rests', async () => {
      const under = await make();
      await under.ledger.define([aKey('k1'), aKey('k2')]);
      const lease = await grant(under);
      under.advance(500);
      await report(under, lease, [{ ...tooMany, baseMs: HOUR, capMs: HOUR }]);
      for (let i = 0; i < 4; i += 1) {
        expect((await grant(under)).keyId).toBe(lease.keyId === 'k1' ? 'k2' : 'k1');
        under.advance(500);
      }
      expect(
        await under.ledger.capacity({ workspaceId: 'demo', rules: vk(), kinds: ['user'] }),
      ).toMatchObject({
        keys: 1,
        callsPerSecond: 3,
      });
    });

    it('rests a method for an hour, then tries one call, and doubles when that fails', async () => {
      const under = await make();
      await under.ledger.define([aKey('k1')]);
      const limit: Effect = { kind: 'restMethods', methods: 'all', baseMs: HOUR, capMs: 24 * HOUR, code: 29 };
      expect(await callAndReport(under, [limit])).toEqual([
        { keyId: 'k1', kind: 'method-resting', code: 29, forMs: HOUR },
      ]);
      expect(await denied(under)).toEqual(['no-slot', HOUR]);
      expect(await denied(under, { methods: { 'users.get': 1 } })).toEqual(['granted']);
      under.advance(HOUR);
      expect(await callAndReport(under, [limit])).toMatchObject([{ forMs: 2 * HOUR }]);
      under.advance(2 * HOUR);
      const trial = await grant(under);
      expect((await denied(under))[0]).toBe('no-slot');
      under.advance(trial.slots[0]! - under.now() + 100);
      await report(under, trial, [{ kind: 'fine', except: [] }]);
      expect(await denied(under)).toEqual(['granted']);
    });

    it('keeps a trial open when the packed call succeeded but not this method', async () => {
      const under = await make();
      await under.ledger.define([aKey('k1')]);
      await callAndReport(under, [
        { kind: 'restMethods', methods: ['friends.get'], baseMs: HOUR, capMs: 24 * HOUR, code: 29 },
      ]);
      under.advance(HOUR);
      await callAndReport(under, [{ kind: 'fine', except: ['friends.get'] }]);
      expect((await denied(under))[0]).toBe('no-slot');
    });

    it('bars methods and addresses, until the token is another one', async () => {
      const under = await make();
      await under.ledger.define([aKey('k1')]);
      expect(
        await callAndReport(under, [{ kind: 'barMethods', methods: ['friends.get'], code: 28 }]),
      ).toEqual([{ keyId: 'k1', kind: 'method-barred', code: 28, forMs: 0 }]);
      expect((await denied(under))[0]).toBe('no-key');
      expect(await denied(under, { methods: { 'users.get': 1 } })).toEqual(['granted']);
      const elsewhere = { methods: { 'users.get': 1 }, egress: 'home' };
      expect(await callAndReport(under, [{ kind: 'barEgress', code: 42 }], elsewhere)).toMatchObject([
        { kind: 'egress-barred' },
      ]);
      expect((await denied(under, elsewhere))[0]).toBe('no-key');
      under.advance(2000);
      expect(await denied(under, { methods: { 'users.get': 1 } })).toEqual(['granted']);
      await under.ledger.define([aKey('k1', { version: 2, tokenVersion: 2 })]);
      expect(await denied(under, { egress: 'home' })).toEqual(['granted']);
    });

    it('takes an invalid key out at once, and says so to whoever defines it as active', async () => {
      const under = await make();
      await under.ledger.define([aKey('k1')]);
      const invalid: Effect = { kind: 'invalidate', reason: 'token-refused', code: 5 };
      expect(await callAndReport(under, [invalid])).toEqual([
        { keyId: 'k1', kind: 'invalid', code: 5, forMs: 0, reason: 'token-refused' },
      ]);
      expect((await denied(under))[0]).toBe('no-key');
      expect(await under.ledger.define([aKey('k1')])).toEqual([{ keyId: 'k1', state: 'invalid' }]);
      expect((await denied(under))[0]).toBe('no-key');
      expect(await under.ledger.define([aKey('k1', { version: 2, tokenVersion: 2 })])).toEqual([]);
      expect(await denied(under)).toEqual(['granted']);
    });

    it('applies a report of a key once, and only to the token that made the call', async () => {
      const under = await make();
      await under.ledger.define([aKey('k1')]);
      const late = await grant(under);
      const old = await grant(under);
      under.advance(40_000);
      expect(await report(under, late, [tooMany])).toHaveLength(1);
      expect(await report(under, late, [tooMany])).toEqual([]);
      await under.ledger.define([aKey('k1', { version: 2, tokenVersion: 2 })]);
      expect(await report(under, old, [{ kind: 'invalidate', reason: 'x', code: 5 }])).toEqual([]);
      expect(await denied(under)).toEqual(['granted']);
    });

    it('frees what was not sent when a lease is lost: its windows pass by themselves', async () => {
      const under = await make();
      await under.ledger.define([aKey('k1')]);
      for (let i = 0; i < 3; i += 1) await grant(under);
      under.advance(3000);
      expect(await denied(under)).toEqual(['granted']);
    });

    it('ignores an older definition of a key', async () => {
      const under = await make();
      await under.ledger.define([aKey('k1', { state: 'paused', version: 3 })]);
      await under.ledger.define([aKey('k1', { version: 2 })]);
      expect((await denied(under))[0]).toBe('no-key');
    });

    it('gives keys of one bucket one window', async () => {
      const under = await make();
      await under.ledger.define([aKey('k1', { bucket: 'owner' }), aKey('k2', { bucket: 'owner' })]);
      const slots = [];
      for (let i = 0; i < 2; i += 1) slots.push((await grant(under)).slots[0]!);
      expect(slots[1]! - slots[0]!).toBeCloseTo(1030 / 3, 2);
    });
  });

  describe('after a loss of memory', () => {
    /** Real clock: what is tried is the guard, not the windows. */
    async function lossOf(lose: (prefix: string) => Promise<unknown>) {
      const { ledger, prefix, epochs, define } = await aLedger(redis);
      const keys = [aKey(`k-${prefix}`)];
      define(keys);
      await ledger.define(keys);
      await eventuallyGranted(ledger);
      const before = await epochs.current();
      await lose(prefix);
      expect(await ledger.grant(aRequest(Date.now()))).toMatchObject({
        kind: 'denied',
        reason: 'recovering',
      });
      const fence = await eventuallyGranted(ledger);
      expect(await epochs.current()).toBe(before + 1);
      expect(fence).toBeGreaterThan((before + 1) * 1e10);
      return { ledger, prefix };
    }

    async function eventuallyGranted(ledger: Awaited<ReturnType<typeof aLedger>>['ledger']): Promise<number> {
      let fence = 0;
      await eventually(
        async () => {
          const verdict = await ledger.grant(aRequest(Date.now()));
          expect(verdict.kind).toBe('granted');
          if (verdict.kind === 'granted') fence = verdict.grant.fence;
        },
        { timeoutMs: 5_000, everyMs: 20 },
      );
      return fence;
    }

    it('begins a new epoch when its keys are gone', async () => {
      await lossOf(async (prefix) => {
        const names = await redis.keys(`${prefix}*`);
        await redis.del(...names);
      });
    });

    it('takes a missing script for a loss', async () => {
      await lossOf(() => redis.script('FLUSH'));
    });

    it('takes another run of the server for a loss', async () => {
      await lossOf(async (prefix) => {
        const record = (await redis.get(`${prefix}epoch`)) as string;
        await redis.set(`${prefix}epoch`, record.replace(/\|[0-9a-f]+\|/, `|${'0'.repeat(40)}|`));
      });
    });

    it('grants nothing until what was granted before is over', async () => {
      const { prefix, epochs } = await aLedger(redis);
      const memory = new PoolMemory({ redis, epochs, prefix, settleMs: 2290 });
      const known = await memory.adopt();
      const record = await memory.adopt(known);
      const [seconds, micros] = await redis.time();
      const inMs = record.readyAt / 1000 - (Number(seconds) * 1000 + Number(micros) / 1000);
      expect(record.epoch).toBe(known.epoch + 1);
      expect(inMs).toBeGreaterThan(1500);
      expect(inMs).toBeLessThanOrEqual(2290);
    });

    it('takes over a memory that is intact, without a wait', async () => {
      const { prefix, epochs } = await aLedger(redis);
      const first = await new PoolMemory({ redis, epochs, prefix, settleMs: 0 }).adopt();
      const second = await new PoolMemory({ redis, epochs, prefix, settleMs: 60_000 }).adopt();
      expect(second).toEqual(first);
    });

    it('lets one of two that recover at once begin the epoch, and the other take it over', async () => {
      const { prefix, epochs } = await aLedger(redis);
      const memories = [1, 2, 3].map(() => new PoolMemory({ redis, epochs, prefix, settleMs: 0 }));
      const lost = await memories[0]!.adopt();
      await redis.del(`${prefix}epoch`);
      const records = await Promise.all(memories.map((memory) => memory.adopt(lost)));
      const newest = Math.max(...records.map(({ epoch }) => epoch));
      expect(await epochs.current()).toBe(newest);
      expect(await redis.get(`${prefix}epoch`)).toBe(records.find(({ epoch }) => epoch === newest)?.text);
    });
  });
});
