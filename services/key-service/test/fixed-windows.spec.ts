import { seededChance } from '@sociograph/testing';
import { Redis } from 'ioredis';
import type { NetworkRules } from '../src/domain/networks';
import type { SlotReport } from '../src/domain/quota-ledger';
import type { RedisQuotaLedger } from '../src/infrastructure/redis-quota-ledger';
import { aKey, aRequest, nextSequence, vk } from './builders';
import { aLedger, redisUrl, VirtualClock } from './pool-simulation';

jest.setTimeout(60_000);

const PATH_MS = 10;
const SERVICE_MS = 80;

type Alignment = NetworkRules['windowAlignment'];

/** A network that counts in windows that follow one another; its clock is not the pool's. */
class StrictNetwork {
  readonly accepted = new Map<string, number[]>();
  refused = 0;
  readonly #origin = new Map<string, number>();
  readonly #counts = new Map<string, number>();

  constructor(
    readonly alignment: Alignment,
    readonly aheadMs: number,
  ) {}

  arrive(keyId: string, at: number, quota: number): void {
    const own = at + this.aheadMs;
    if (!this.#origin.has(keyId)) this.#origin.set(keyId, this.alignment === 'clock' ? 0 : own);
    const window = `${keyId} ${Math.floor((own - (this.#origin.get(keyId) as number)) / 1000)}`;
    const count = (this.#counts.get(window) ?? 0) + 1;
    this.#counts.set(window, count);
    if (count > quota) this.refused += 1;
    else this.accepted.set(keyId, [...(this.accepted.get(keyId) ?? []), at]);
  }

  dateAt(at: number): number {
    return Math.floor((at + this.aheadMs) / 1000) * 1000;
  }

  /** Accepted calls of what the windows allow, keys averaged, from a moment on. */
  utilisation(quota: number, from: number): number {
    const shares = [...this.accepted.values()].map((times) => {
      const counted = times.filter((at) => at >= from).sort((a, b) => a - b);
      const span = (counted.at(-1) as number) - (counted[quota - 1] as number);
      return ((counted.length - quota) * 1000) / (quota * span);
    });
    return shares.reduce((sum, share) => sum + share, 0) / shares.length;
  }
}

describe('windows that are declared fixed', () => {
  let redis: Redis;

  beforeAll(() => {
    redis = new Redis(redisUrl());
  });

  afterAll(async () => {
    await redis.quit();
  });

  /** Workers that always want more: every slot that is dealt is used. */
  async function saturate(
    alignment: Alignment,
    options: { jitterMs: number; quota: number; aheadMs: number; seconds: number; seed: number },
  ): Promise<{ network: StrictNetwork; utilisation: number }> {
    const { jitterMs, quota, aheadMs, seconds, seed } = options;
    const chance = seededChance(seed);
    const clock = new VirtualClock();
    const { ledger } = await aLedger(redis, { clock });
    const network = new StrictNetwork(alignment, aheadMs);
    const rules: NetworkRules = {
      ...vk(),
      marginMs: 110,
      horizonMs: 300,
      windowKind: 'fixed',
      windowAlignment: alignment,
    };
    clock.micros += 5_000_000;
    await ledger.define([1, 2, 3].map((n) => aKey(`k${n}`, { perSecond: quota, createdAt: clock.nowMs() })));
    await probe(ledger, rules, clock, jitterMs, chance);
    const begin = clock.nowMs();
    const events: { at: number; run: () => Promise<void> }[] = [];
    const plan = (at: number, run: () => Promise<void>) => events.push({ at, run });
    const ask = async (): Promise<void> => {
      const request = aRequest(clock.nowMs(), { rules, kinds: ['user'] });
      const verdict = await ledger.grant(request);
      if (verdict.kind === 'denied') {
        plan(Math.max(verdict.retryAt, clock.nowMs() + 1), ask);
        return;
      }
      const { keyId, fence, slots } = verdict.grant;
      const sentAt = (slots[0] as number) + chance();
      const arrival = sentAt + PATH_MS + chance() * jitterMs;
      const answeredAt = arrival + SERVICE_MS + PATH_MS;
      plan(arrival, () => Promise.resolve(network.arrive(keyId, arrival, quota)));
      plan(answeredAt, async () => {
        await ledger.settle({
          by: 'parser-service',
          session: 'session',
          sequence: nextSequence(),
          rules,
          settles: [
            {
              leaseId: request.leaseId,
              fence,
              workspaceId: 'demo',
              reports: [
                {
                  slot: 0,
                  outcome: 'answered',
                  sentAt,
                  answeredAt,
                  serverDate: network.dateAt(arrival + SERVICE_MS),
                  effects: [{ kind: 'fine', except: [] }],
                },
              ],
            },
          ],
        });
      });
      plan(clock.nowMs() + 0.5, ask);
    };
    plan(begin, ask);
    for (let second = 1; second < seconds; second += 1)
      plan(begin + second * 1000, () => probe(ledger, rules, clock, jitterMs, chance));
    while (clock.nowMs() < begin + seconds * 1000) {
      events.sort((a, b) => b.at - a.at);
      const next = events.pop();
      if (next === undefined) break;
      clock.micros = Math.max(clock.micros, Math.round(next.at * 1000));
      await next.run();
    }
    return { network, utilisation: network.utilisation(quota, begin + 5_000) };
  }

  async function probe(
    ledger: RedisQuotaLedger,
    rules: NetworkRules,
    clock: VirtualClock,
    jitterMs: number,
    chance: () => number,
  ): Promise<void> {
    await ledger.learn({
      session: 'session',
      sequence: nextSequence(),
      rules,
      probes: Array.from({ length: 10 }, () => ({
        sentAt: clock.nowMs(),
        roundTripMs: 2 * PATH_MS + chance() * jitterMs,
      })),
      clockErrorMs: 0.3,
    });
  }

  it.each([
    ['that was answered', 'answered', 10, true],
    ['whose worker stood still before it stamped it', 'answered', 11, false],
    ['that may never have reached the network', 'broken', 0, false],
  ] as const)(
    'begin with a first call %s: %s, %s ms after its slot began',
    async (_, outcome, lateMs, isKnown) => {
      const clock = new VirtualClock();
      const { ledger, prefix } = await aLedger(redis, { clock });
      const rules: NetworkRules = {
        ...{ ...vk(), slackMs: 10 },
        ...{ windowKind: 'fixed', windowAlignment: 'first-call' },
      };
      clock.micros += 5_000_000;
      await ledger.define([aKey('k1', { createdAt: clock.nowMs() })]);
      const request = aRequest(clock.nowMs(), { rules, kinds: ['user'] });
      const verdict = await ledger.grant(request);
      if (verdict.kind === 'denied') throw new Error(verdict.reason);
      const { fence, slots } = verdict.grant;
      const sentAt = (slots[0] as number) + lateMs;
      clock.micros = Math.round((sentAt + 200) * 1000);
      const report: SlotReport =
        outcome === 'answered'
          ? { slot: 0, outcome, sentAt, answeredAt: sentAt + 100, effects: [] }
          : { slot: 0, outcome, sentAt, effects: [] };
      await ledger.settle({
        by: 'parser-service',
        session: 'session',
        sequence: nextSequence(),
        rules,
        settles: [{ leaseId: request.leaseId, fence, workspaceId: 'demo', reports: [report] }],
      });
      const [kept] = await redis.keys(`${prefix}f:*`);
      const bounds = await redis.getBuffer(kept as string);
      expect(bounds?.includes('lo')).toBe(isKnown);
    },
  );

  it.each([
    [-251, false],
    [-249, true],
    [249, true],
    [251, false],
  ])('are found by reports that left %d ms ago by their own clock: %s', async (ago, isTaken) => {
    const clock = new VirtualClock();
    const { ledger, prefix } = await aLedger(redis, { clock });
    const now = clock.nowMs();
    await ledger.learn({
      session: 'session',
      sequence: nextSequence(),
      rules: { ...vk(), windowKind: 'fixed', windowAlignment: 'clock' },
      probes: [{ sentAt: now - 20, roundTripMs: 10, serverDate: Math.floor(now / 1000) * 1000 }],
      clockErrorMs: 0.3,
      issuedAt: now - ago,
    });
    const record = await redis.getBuffer(`${prefix}path:vk`);
    // The offset of the network's clock as MessagePack has its name: a text of one letter.
    expect(record?.includes(Buffer.from([0xa1, 'o'.charCodeAt(0)]))).toBe(isTaken);
  });

  it.each([
    ['in its slot', 10, true],
    ['later: its worker stood still before it took the stamp', 11, false],
  ] as const)('are found by an answer whose call was stamped %s', async (_, lateMs, isTaken) => {
    const clock = new VirtualClock();
    const { ledger, prefix } = await aLedger(redis, { clock });
    const rules: NetworkRules = { ...vk(), slackMs: 10, windowKind: 'fixed', windowAlignment: 'clock' };
    clock.micros += 5_000_000;
    await ledger.define([aKey('k1')]);
    const request = aRequest(clock.nowMs(), { rules, kinds: ['user'] });
    const verdict = await ledger.grant(request);
    if (verdict.kind === 'denied') throw new Error(verdict.reason);
    const { fence, slots } = verdict.grant;
    const sentAt = (slots[0] as number) + lateMs;
    const serverDate = Math.floor(clock.nowMs() / 1000) * 1000;
    clock.micros = Math.round((sentAt + 200) * 1000);
    const report: SlotReport = {
      ...{ slot: 0, outcome: 'answered', sentAt, answeredAt: sentAt + 100, serverDate },
      effects: [],
    };
    await ledger.settle({
      ...{ by: 'parser-service', session: 'session', sequence: nextSequence(), rules },
      settles: [{ leaseId: request.leaseId, fence, workspaceId: 'demo', reports: [report] }],
    });
    const record = await redis.getBuffer(`${prefix}path:vk`);
    expect(record?.includes(Buffer.from([0xa1, 'o'.charCodeAt(0)])) ?? false).toBe(isTaken);
  });

  it.each<[Alignment, number, number]>([
    ['clock', 20, 3],
    ['clock', 100, 3],
    ['clock', 5, 20],
    ['first-call', 20, 3],
    ['first-call', 100, 20],
  ])(
    'aligned by %s are filled at a jitter of %s ms and %s calls each',
    async (alignment, jitterMs, quota) => {
      for (const [seed, aheadMs] of [
        [1, 137.125],
        [2, -862.5],
      ] as const) {
        const { network, utilisation } = await saturate(alignment, {
          jitterMs,
          quota,
          aheadMs,
          seed,
          seconds: quota > 3 ? 20 : 65,
        });
        expect(network.refused).toBe(0);
        expect(utilisation).toBeGreaterThanOrEqual(0.995);
      }
    },
  );
});
