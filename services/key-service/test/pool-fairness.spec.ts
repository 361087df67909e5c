import { Redis } from 'ioredis';
import { type AcquireVerdict, LeaseDesk } from '../src/application/acquire-lease';
import { Alarm } from '../src/domain/ports';
import type { LedgerGrantRequest, QuotaLedger } from '../src/domain/quota-ledger';
import { aKey, aRequest, nextSequence, vk } from './builders';
import { redisUrl } from './pool-simulation';
import { PoolStand } from './pool-stand';

// A machine that is busy with others takes seconds for hundreds of round trips.
jest.setTimeout(60_000);

/** How far ahead slots are dealt: what was dealt before a newcomer came is not taken back. */
const HORIZON = vk().horizonMs;

class VirtualAlarm extends Alarm {
  dueAt: number | undefined;
  ring: () => void = () => undefined;

  constructor(private readonly now: () => number) {
    super();
  }

  set(inMs: number, ring: () => void): void {
    this.dueAt = this.now() + inMs;
    this.ring = ring;
  }

  clear(): void {
    this.dueAt = undefined;
  }
}

/** Desks of several instances over one memory of the pool; virtual time goes on when nobody has anything to do. */
class Desks {
  readonly desks: { desk: LeaseDesk; alarm: VirtualAlarm }[];
  asking = 0;
  calls = 0;

  constructor(readonly pool: PoolStand) {
    this.desks = pool.ledgers.map((ledger) => {
      const alarm = new VirtualAlarm(() => pool.now());
      const counted = {
        poolNow: () => pool.now(),
        grant: (request: LedgerGrantRequest) => this.#count(() => ledger.grant(request)),
        deal: (requests: LedgerGrantRequest[]) => this.#count(() => ledger.deal(requests)),
      };
      const limits = { perImport: 5000, perWorkspace: 5000 };
      return { alarm, desk: new LeaseDesk(counted as unknown as QuotaLedger, alarm, limits) };
    });
  }

  async #count<T>(ask: () => Promise<T>): Promise<T> {
    this.asking += 1;
    this.calls += 1;
    return ask().finally(() => (this.asking -= 1));
  }

  /** The slots that `requests` requests of a flow get, in the order of time. */
  ask(desk: number, requests: number, flow: { workspaceId?: string; importId?: string; calls?: number }) {
    const slots: number[] = [];
    const verdicts: AcquireVerdict[] = [];
    for (let i = 0; i < requests; i += 1) {
      const {
        leaseId: requestId,
        by: service,
        kinds: _,
        first: __,
        ...rest
      } = aRequest(this.pool.now(), {
        deadlineAt: this.pool.now() + 600_000,
        sequence: nextSequence(),
        ...flow,
      });
      void this.desks[desk]!.desk.acquire({ ...rest, requestId, service }).then((verdict) => {
        verdicts.push(verdict);
        if (verdict.kind === 'granted') slots.push(...verdict.grant.slots);
      });
    }
    return { slots, verdicts };
  }

  async #quiet(): Promise<void> {
    for (let idle = 0; idle < 3; idle += 1) {
      if (this.asking > 0) idle = 0;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async until(done: () => boolean, forMs = 120_000): Promise<void> {
    const end = this.pool.now() + forMs;
    for (;;) {
      await this.#quiet();
      if (done() || this.pool.now() >= end) return;
      const due = this.desks.flatMap(({ alarm }) => (alarm.dueAt === undefined ? [] : [alarm.dueAt]));
      if (due.length === 0) return;
      this.pool.advance(Math.max(0, Math.min(...due) - this.pool.now()));
      for (const { alarm } of this.desks) {
        if (alarm.dueAt === undefined || alarm.dueAt > this.pool.now()) continue;
        alarm.dueAt = undefined;
        alarm.ring();
      }
    }
  }
}

describe('fair shares of the pool', () => {
  let redis: Redis;

  beforeAll(() => {
    redis = new Redis(redisUrl());
  });

  afterAll(async () => {
    await redis.quit();
  });

  const shared = (id: string) => aKey(id, { workspaceId: 'owner' as never, sharedWith: ['whale', 'minnow'] });
  const keys = [shared('k1'), shared('k2')];

  async function make(instances = 1): Promise<Desks> {
    const pool = await PoolStand.make(redis, instances);
    await pool.define(...keys);
    return new Desks(pool);
  }

  /** How long ten requests take when nobody else asks, of keys that were in use before. */
  async function alone(): Promise<number> {
    const desks = await make();
    const before = desks.ask(0, 10, { workspaceId: 'minnow' });
    await desks.until(() => before.slots.length === 10);
    const began = Math.max(...before.slots);
    const minnow = desks.ask(0, 10, { workspaceId: 'minnow' });
    await desks.until(() => minnow.slots.length === 10);
    return Math.max(...minnow.slots) - began;
  }

  it.each([
    ['one instance', 1, 0],
    ['another instance', 2, 1],
  ])('lets no whale with a thousand requests starve a minnow with ten at %s', async (_, instances, at) => {
    const limit = 2 * (await alone()) + HORIZON;
    const desks = await make(instances);
    const whale = desks.ask(0, 1000, { workspaceId: 'whale' });
    await desks.until(() => whale.slots.length >= 30);
    const began = desks.pool.now();
    const minnow = desks.ask(at, 10, { workspaceId: 'minnow' });
    await desks.until(() => minnow.slots.length === 10);
    expect(minnow.slots).toHaveLength(10);
    expect(Math.max(...minnow.slots) - began).toBeLessThanOrEqual(limit);
    // Meanwhile nothing was left unused: the whale had the other half.
    const meanwhile = whale.slots.filter((slot) => slot > began && slot < began + limit).length;
    expect(meanwhile).toBeGreaterThanOrEqual(8);
  });

  it('shares evenly between the imports of a workspace, however much one of them asks for', async () => {
    const desks = await make();
    const big = desks.ask(0, 500, { workspaceId: 'whale', importId: 'big' });
    await desks.until(() => big.slots.length >= 20);
    const [bigBefore, began] = [big.slots.length, desks.pool.now()];
    const small = desks.ask(0, 100, { workspaceId: 'whale', importId: 'small' });
    await desks.until(() => desks.pool.now() > began + 8000);
    const more = big.slots.length - bigBefore;
    expect(small.slots.length).toBeGreaterThanOrEqual(20);
    expect(Math.abs(small.slots.length - more)).toBeLessThanOrEqual(2);
  });

  it('shares evenly between workspaces, however many imports one of them has', async () => {
    const desks = await make(2);
    const many = Array.from({ length: 12 }, (_, i) =>
      desks.ask(i % 2, 40, { workspaceId: 'whale', importId: `i${i}` }),
    );
    const minnow = desks.ask(1, 60, { workspaceId: 'minnow' });
    const began = desks.pool.now();
    await desks.until(() => desks.pool.now() > began + 8000);
    const whale = many.reduce((sum, { slots }) => sum + slots.length, 0);
    expect(minnow.slots.length + whale).toBeGreaterThanOrEqual(42);
    expect(Math.abs(minnow.slots.length - whale)).toBeLessThanOrEqual(6);
    for (const { slots } of many) expect(slots.length).toBeGreaterThanOrEqual(1);
  });

  it('shares evenly between workspaces that ask different instances, one of them ten times as much', async () => {
    const desks = await make(2);
    const whale = desks.ask(0, 500, { workspaceId: 'whale' });
    await desks.until(() => whale.slots.length >= 20);
    const [before, began] = [whale.slots.length, desks.pool.now()];
    const minnow = desks.ask(1, 50, { workspaceId: 'minnow' });
    await desks.until(() => desks.pool.now() > began + 8000);
    expect(minnow.slots.length).toBeGreaterThanOrEqual(20);
    expect(Math.abs(minnow.slots.length - (whale.slots.length - before))).toBeLessThanOrEqual(2);
  });

  it('counts calls, not requests', async () => {
    const desks = await make();
    const pairs = desks.ask(0, 100, { workspaceId: 'whale', calls: 2 });
    const singles = desks.ask(0, 100, { workspaceId: 'minnow' });
    const began = desks.pool.now();
    await desks.until(() => desks.pool.now() > began + 10_000);
    expect(pairs.slots.length + singles.slots.length).toBeGreaterThanOrEqual(52);
    // Several deals are under way at once, so a share may be ahead by what these give.
    expect(Math.abs(pairs.slots.length - singles.slots.length)).toBeLessThanOrEqual(14);
  });

  it('holds up nobody who can be served by somebody who cannot', async () => {
    const desks = await make();
    await desks.pool.ledger.define([aKey('own', { workspaceId: 'minnow' as never })]);
    const stuck = desks.ask(0, 5, { workspaceId: 'nobody' });
    const whale = desks.ask(0, 20, { workspaceId: 'whale' });
    await desks.until(() => whale.slots.length === 20);
    expect(stuck.verdicts).toHaveLength(5);
    expect(stuck.verdicts.every((verdict) => verdict.kind === 'denied' && verdict.reason === 'no-key')).toBe(
      true,
    );
    expect(whale.slots).toHaveLength(20);
  });

  it.each([
    ['leaves the next slot to who has had less', true],
    ['leaves it to them for no longer than they need to come', false],
  ])('%s', async (_, comes) => {
    const pool = await PoolStand.make(redis, 2);
    await pool.define(...keys);
    const ask = async (instance: number, workspaceId: string) =>
      pool.ledgers[instance]!.grant(aRequest(pool.now(), { workspaceId }));
    const noSlot = async (instance: number, workspaceId: string): Promise<number> => {
      const verdict = await ask(instance, workspaceId);
      if (verdict.kind === 'granted') throw new Error('granted');
      expect(verdict.reason).toBe('no-slot');
      return verdict.retryAt - pool.now();
    };
    while ((await ask(0, 'whale')).kind === 'granted');
    pool.advance((await noSlot(1, 'minnow')) + 0.01);
    expect(await noSlot(0, 'whale')).toBeCloseTo(2, 2);
    if (comes) expect(await ask(1, 'minnow')).toMatchObject({ kind: 'granted' });
    else pool.advance(59.98);
    if (!comes) expect(await noSlot(0, 'whale')).toBeCloseTo(2, 2);
    pool.advance(0.02);
    if (!comes) expect(await ask(0, 'whale')).toMatchObject({ kind: 'granted' });
  });

  it.each([
    ['keeps the turn of an import whose other requests stand behind the one that was just served', true],
    ['keeps no turn for an import that has asked for everything', false],
  ])('%s', async (_, more) => {
    const pool = await PoolStand.make(redis, 2);
    await pool.define(...keys);
    const ask = async (instance: number, workspaceId: string, calls: number) =>
      (await pool.ledgers[instance]!.grant(aRequest(pool.now(), { workspaceId, calls, more }))).kind;
    // Two calls at a time: whoever comes now may have two before the whale has its next.
    while ((await ask(0, 'whale', 2)) === 'granted');
    // By then two slots are within reach that lie far enough ahead to be left to somebody.
    pool.advance(240);
    expect(await ask(1, 'minnow', 1)).toBe('granted');
    expect(await ask(0, 'whale', 1)).toBe(more ? 'denied' : 'granted');
    if (more) expect(await ask(1, 'minnow', 1)).toBe('granted');
  });

  it('answers each request once, those whose deadline is over among them', async () => {
    const desks = await make(2);
    const late = { workspaceId: 'whale', deadlineAt: desks.pool.now() + 1500 };
    const first = desks.ask(0, 30, late as object);
    const second = desks.ask(1, 30, late as object);
    await desks.until(() => first.verdicts.length + second.verdicts.length === 60);
    await desks.until(() => false, 5000);
    const all = [...first.verdicts, ...second.verdicts];
    expect(all).toHaveLength(60);
    const granted = all.filter(({ kind }) => kind === 'granted');
    expect(granted.length).toBeGreaterThanOrEqual(6);
    expect(granted.length).toBeLessThanOrEqual(18);
  });

  it('asks Redis once per lease while there are slots, and little more while there are none', async () => {
    const pool = await PoolStand.make(redis);
    const many = Array.from({ length: 30 }, (_, i) => aKey(`k${i}`));
    await pool.define(...many);
    const desks = new Desks(pool);
    const before = await evaluations(redis);
    const free = desks.ask(0, 20, {});
    await desks.until(() => free.slots.length === 20);
    expect(desks.calls).toBe(20);
    expect((await evaluations(redis)) - before).toBeGreaterThanOrEqual(20);
    const busy = desks.ask(0, 300, {});
    await desks.until(() => busy.slots.length === 300);
    expect(busy.slots).toHaveLength(300);
    expect(desks.calls).toBeLessThan(20 + 3.6 * 300);
  });
});

async function evaluations(redis: Redis): Promise<number> {
  return Number(/cmdstat_fcall:calls=(\d+)/.exec(await redis.info('commandstats'))?.[1] ?? 0);
}
