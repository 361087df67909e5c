import { eventually } from '@sociograph/testing';
import { Redis } from 'ioredis';
import { PoolMemory } from '../src/infrastructure/pool-memory';
import { aKey, aRequest } from './builders';
import { libraryOf, POOL_LUA } from '../src/infrastructure/pool-script';
import { aLedger, redisUrl, VirtualClock } from './pool-simulation';
import { quotaLedgerContract } from './quota-ledger.contract';

// A machine that is busy with others takes seconds for hundreds of round trips.
jest.setTimeout(60_000);

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

  describe('with keys', () => {
    type Under = Awaited<ReturnType<typeof make>>;

    async function grant(under: Under, details: Parameters<typeof aRequest>[1] = {}) {
      const request = aRequest(under.now(), details);
      const verdict = await under.ledger.grant(request);
      if (verdict.kind !== 'granted') throw new Error(verdict.reason);
      return { ...verdict.grant, leaseId: request.leaseId };
    }

    const denied = async (under: Under, details = {}) => {
      const verdict = await under.ledger.grant(aRequest(under.now(), details));
      return verdict.kind === 'denied' ? [verdict.reason, verdict.retryAt - under.now()] : ['granted'];
    };

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

    it('takes a missing function for a loss', async () => {
      await lossOf(() => redis.function('DELETE', libraryOf(POOL_LUA).name));
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
