import { seededChance } from '@sociograph/testing';
import { Redis } from 'ioredis';
import type { NetworkRules } from '../src/domain/networks';
import type { LearnedPath } from '../src/domain/learned-path';
import type { KeyEvent } from '../src/domain/key-events';
import type { RedisQuotaLedger } from '../src/infrastructure/redis-quota-ledger';
import { aKey, aRequest, nextSequence, vk } from './builders';
import { aLedger, redisUrl, VirtualClock } from './pool-simulation';

const RULES: NetworkRules = { ...vk(), marginMs: 110, horizonMs: 300 };
const REST = { kind: 'rest' as const, baseMs: 1000, capMs: 10_000, atLeastMs: 0, code: 6 };

// Minutes of probes, one round trip each: seconds on a machine that is busy with others.
jest.setTimeout(60_000);

describe('what the pool learns of a path', () => {
  let redis: Redis;
  let clock: VirtualClock;
  let ledger: RedisQuotaLedger;

  beforeAll(() => {
    redis = new Redis(redisUrl());
  });

  afterAll(async () => {
    await redis.quit();
  });

  beforeEach(async () => {
    clock = new VirtualClock();
    ({ ledger } = await aLedger(redis, { clock }));
  });

  const pass = (ms: number) => (clock.micros += Math.round(ms * 1000));

  async function report(
    trips: number[],
    details: { clockErrorMs?: number; dates?: number[]; latenessMs?: [number, number] } = {},
  ): Promise<number> {
    const { clockErrorMs = 0.25, dates, latenessMs } = details;
    const verdict = await ledger.learn({
      session: 'session',
      sequence: nextSequence(),
      rules: RULES,
      probes: trips.map((roundTripMs, index) => ({
        sentAt: clock.nowMs() - roundTripMs,
        roundTripMs,
        serverDate: dates?.[index],
      })),
      lateness: latenessMs && { sends: 10, meanMs: latenessMs[0], maxMs: latenessMs[1] },
      clockErrorMs,
    });
    if (verdict.kind !== 'learned') throw new Error(verdict.reason);
    return verdict.marginMs;
  }

  /** A probe a second of each of two workers, delays even in [10, 10 + jitter]. */
  async function measure(seconds: number, jitter: number, chance: () => number): Promise<number> {
    let margin = NaN;
    for (let second = 0; second < seconds; second += 1) {
      pass(500);
      await report([10 + chance() * jitter]);
      pass(500);
      margin = await report([10 + chance() * jitter]);
    }
    return margin;
  }

  async function callOf(keyId: string, details: object = {}) {
    const request = aRequest(clock.nowMs(), { rules: RULES, ...details });
    const verdict = await ledger.grant(request);
    if (verdict.kind !== 'granted') return undefined;
    expect(verdict.grant.keyId).toBe(keyId);
    return { ...verdict.grant, leaseId: request.leaseId };
  }

  async function settleRefused(
    lease: { leaseId: string; fence: number; slots: number[] },
    tripMs: number,
  ): Promise<KeyEvent[]> {
    const sentAt = lease.slots[0] as number;
    const verdict = await ledger.settle({
      by: 'parser-service',
      session: 'session',
      sequence: nextSequence(),
      rules: RULES,
      settles: [
        {
          leaseId: lease.leaseId,
          fence: lease.fence,
          workspaceId: 'demo',
          reports: [{ slot: 0, outcome: 'answered', sentAt, answeredAt: sentAt + tripMs, effects: [REST] }],
        },
      ],
    });
    if (verdict.kind !== 'settled') throw new Error(verdict.reason);
    return verdict.events;
  }

  const learned = async () => (await ledger.learnedPath('vk')) as LearnedPath;

  it('begins with the declared margin, keeps it until it has ten samples, and lets it go until it has twenty', async () => {
    expect(await ledger.learnedPath('vk')).toBeUndefined();
    expect(await report([10, 11, 12, 13])).toBe(110.5);
    expect(await report([10, 11, 12, 13, 12])).toBe(110.5);
    expect(await report([12])).toBe(110.5);
    expect(await report([12, 12, 12, 12, 12])).toBe(60.5);
    expect(await report([12, 12, 12, 12])).toBe(20.5);
    expect(await report([12])).toBe(20);
  });

  it('is wider than declared at once where the first samples lie further apart', async () => {
    expect(await report([10, 90])).toBeCloseTo(10 + 2 * 160 + 0.5, 1);
  });

  it.each([
    [0, 9, 10],
    [5, 9, 10],
    [20, 20, 24],
    [100, 100, 118],
  ])('comes down to a jitter of %s ms within a minute, never below it', async (jitter, least, most) => {
    const chance = seededChance(jitter + 1);
    await measure(60, jitter, chance);
    for (let minute = 0; minute < 5; minute += 1) {
      await measure(12, jitter, chance);
      const { spreadMs, clockErrorMs } = await learned();
      expect(spreadMs - 2 * clockErrorMs).toBeGreaterThanOrEqual(least);
      expect(spreadMs).toBeLessThanOrEqual(most);
    }
  });

  it('takes a jump of the jitter from its first sample, and comes back down a minute after it fell', async () => {
    const chance = seededChance(3);
    await measure(90, 20, chance);
    expect(await report([90])).toBeGreaterThan(90);
    await measure(30, 100, chance);
    expect((await learned()).spreadMs).toBeGreaterThan(100);
    await measure(66, 20, chance);
    expect((await learned()).spreadMs).toBeLessThan(24);
  });

  it('forgets a lone outlier after five seconds', async () => {
    const chance = seededChance(4);
    await measure(90, 20, chance);
    expect(await report([300])).toBeGreaterThan(290);
    await measure(6, 20, chance);
    expect((await learned()).spreadMs).toBeLessThan(26);
  });

  it('counts the error of the clocks on both sides, and says how late workers send', async () => {
    const trips = [...Array.from({ length: 19 }, () => 10), 12];
    await report(trips, { clockErrorMs: 4, latenessMs: [0.5, 3] });
    expect(await learned()).toMatchObject({
      clockErrorMs: 4,
      shortestTripMs: 10,
      samples: 20,
      learnedAt: clock.nowMs(),
      lateness: { meanMs: 0.5, maxMs: 3 },
    });
    expect((await learned()).spreadMs).toBeCloseTo(2 * 1.3 + 8, 1);
    await report([], { clockErrorMs: 0.2 });
    expect((await learned()).clockErrorMs).toBeCloseTo(3.6, 3);
    await report([], { clockErrorMs: 0.2, latenessMs: [0.4, 1] });
    expect(await learned()).toMatchObject({ lateness: { meanMs: 0.4, maxMs: 2.85 } });
    await report([], { clockErrorMs: 5, latenessMs: [0.4, 4] });
    expect(await learned()).toMatchObject({ clockErrorMs: 5, lateness: { meanMs: 0.4, maxMs: 4 } });
  });

  it('takes each report once', async () => {
    const facts = {
      session: 'session',
      sequence: nextSequence(),
      rules: RULES,
      probes: [],
      clockErrorMs: 1,
    };
    await ledger.learn(facts);
    expect(await ledger.learn(facts)).toMatchObject({ kind: 'denied', reason: 'replay' });
  });

  it('begins again with what was kept, unless it measured since; and forgets when told', async () => {
    const kept = { spreadMs: 31, clockErrorMs: 0.5, shortestTripMs: 9, samples: 77, learnedAt: 5_000 };
    await ledger.restorePath('vk', kept);
    expect(await learned()).toEqual({ ...kept, samples: 0 });
    await ledger.restorePath('vk', { ...kept, spreadMs: 50 });
    expect((await learned()).spreadMs).toBe(31);
    await ledger.forgetPath('vk');
    expect(await ledger.learnedPath('vk')).toBeUndefined();
  });

  it('lies between the slots of a key: with what was learned they come closer together', async () => {
    await ledger.define([aKey('k1', { perSecond: 1 })]);
    const first = (await callOf('k1'))!.slots[0] as number;
    await report([10, 10, 10, 10, 10, 10]);
    const { spreadMs } = await learned();
    pass(900);
    const second = (await callOf('k1'))!.slots[0] as number;
    // Not settled: it may have left as late as notAfter.
    expect(second - first).toBeCloseTo(1000 + 10 + spreadMs, 1);
  });

  describe('from a refusal', () => {
    it('widens when calls of ours can have met, by what was measured and no further, for a minute', async () => {
      const chance = seededChance(5);
      await measure(60, 20, chance);
      await ledger.define([aKey('k1', { perSecond: 1 })]);
      const first = (await callOf('k1'))!;
      pass(900);
      const second = (await callOf('k1'))!;
      pass(300);
      expect(second.slots[0]! - first.slots[0]!).toBeLessThan(1040);
      // Answered after 150 ms: the path is that wide, so the first one can have arrived late.
      expect(await settleRefused(second, 150)).toMatchObject([{ kind: 'resting' }]);
      const { spreadMs, heldUntil } = await learned();
      expect(spreadMs).toBeGreaterThan(139);
      expect(heldUntil).toBeCloseTo(clock.nowMs() + 60_000, 0);
      await measure(59, 20, chance);
      expect((await learned()).spreadMs).toBeGreaterThan(139);
      await measure(8, 20, chance);
      expect((await learned()).spreadMs).toBeLessThan(26);
      expect((await learned()).heldUntil).toBeUndefined();
    });

    it.each([
      [2_000, true],
      [2_001, false],
    ])('takes the path from an answer that was read after %d ms: %s', async (tripMs, isTaken) => {
      await measure(60, 20, seededChance(6));
      await ledger.define([aKey('k1')]);
      await settleRefused((await callOf('k1'))!, tripMs);
      expect((await learned()).spreadMs > 1_900).toBe(isTaken);
      expect((await learned()).spreadMs < 26).toBe(!isTaken);
    });

    it('learns nothing of the path where calls of ours cannot have met, and lowers the quota at the second', async () => {
      await measure(60, 20, seededChance(6));
      const before = (await learned()).spreadMs;
      await ledger.define([aKey('k1'), aKey('k2', { state: 'paused' })]);
      expect(await settleRefused((await callOf('k1'))!, 25)).toMatchObject([{ kind: 'resting' }]);
      pass(4_000);
      expect(await settleRefused((await callOf('k1'))!, 25)).toMatchObject([
        { kind: 'foreign-use', keyId: 'k1', code: 6, forMs: 600_000 },
        { kind: 'resting' },
      ]);
      expect(Math.abs((await learned()).spreadMs - before)).toBeLessThan(1);
      pass(20_000);
      // Two a second from now on: the third slot lies a window after the first.
      const slots: number[] = [];
      for (let call = 0; call < 3; call += 1) {
        const lease = await callOf('k1', { rules: { ...RULES, horizonMs: 1000 } });
        if (lease) slots.push(lease.slots[0]!);
        pass(200);
      }
      expect(slots[1]! - slots[0]!).toBeGreaterThan(500);
      expect((slots[2] ?? Infinity) - slots[0]!).toBeGreaterThan(1000);
    });

    it('does not blame keys when the network refuses many of them', async () => {
      const ids = ['k1', 'k2', 'k3', 'k4', 'k5'];
      await ledger.define(ids.map((id) => aKey(id)));
      const events: KeyEvent[] = [];
      for (let round = 0; round < 3; round += 1) {
        for (let call = 0; call < ids.length; call += 1) {
          const request = aRequest(clock.nowMs(), { rules: RULES });
          const verdict = await ledger.grant(request);
          if (verdict.kind !== 'granted') continue;
          events.push(...(await settleRefused({ ...verdict.grant, leaseId: request.leaseId }, 25)));
          pass(20);
        }
        pass(4_000);
      }
      expect(events.filter(({ kind }) => kind === 'resting').length).toBeGreaterThan(9);
      expect(events.filter(({ kind }) => kind === 'foreign-use')).toEqual([]);
    });
  });
});
