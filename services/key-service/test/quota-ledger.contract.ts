import type { LedgerGrant, QuotaLedger } from '../src/domain/quota-ledger';
import { aKey, aRequest, nextSequence, vk } from './builders';

export interface LedgerUnderTest {
  ledger: QuotaLedger;
  /** Pool time, ms. */
  now(): number;
  advance(ms: number): void;
}

/** What every quota ledger keeps, whatever it is made of. */
export function quotaLedgerContract(make: () => Promise<LedgerUnderTest>): void {
  let under: LedgerUnderTest;
  let ledger: QuotaLedger;
  const rules = vk();

  beforeEach(async () => {
    under = await make();
    ledger = under.ledger;
  });

  async function granted(
    details: Parameters<typeof aRequest>[1] = {},
  ): Promise<LedgerGrant & { leaseId: string }> {
    const request = aRequest(under.now(), details);
    const verdict = await ledger.grant(request);
    if (verdict.kind !== 'granted') throw new Error(`denied: ${verdict.reason}`);
    return { ...verdict.grant, leaseId: request.leaseId };
  }

  async function settle(
    lease: { leaseId: string; fence: number },
    reports: Parameters<QuotaLedger['settle']>[0]['settles'][0]['reports'],
    by = 'parser-service',
  ) {
    const { leaseId, fence } = lease;
    const settles = [{ leaseId, fence, workspaceId: 'demo', reports }];
    return ledger.settle({ by, session: 'session', sequence: nextSequence(), rules, settles });
  }

  it('grants a slot at least 10 ms ahead with a fence that grows', async () => {
    await ledger.define([aKey('k1')]);
    const first = await granted();
    const second = await granted();
    expect(first).toMatchObject({ keyId: 'k1', tokenVersion: 1, grantedAt: under.now() });
    expect(first.slots[0]! - under.now()).toBeGreaterThanOrEqual(10);
    expect(first.expiresAt).toBeCloseTo(first.slots[0]! + rules.slackMs + 30_000, 3);
    expect(second.fence).toBeGreaterThan(first.fence);
  });

  it('spreads the slots of a key and never reaches further than one window', async () => {
    await ledger.define([aKey('k1')]);
    const slots = [(await granted()).slots[0]!, (await granted()).slots[0]!];
    expect(slots[1]! - slots[0]!).toBeCloseTo(1030 / 3, 2);
    for (;;) {
      const verdict = await ledger.grant(aRequest(under.now()));
      if (verdict.kind === 'granted') {
        slots.push(verdict.grant.slots[0]!);
        continue;
      }
      expect(verdict.reason).toBe('no-slot');
      expect(verdict.retryAt).toBeGreaterThan(under.now());
      expect(verdict.retryAt).toBeLessThanOrEqual(slots.at(-1)! + 1030 / 3 - 1000 + 10.01);
      break;
    }
    expect(slots.at(-1)! - under.now()).toBeLessThanOrEqual(1000);
    expect(slots.length).toBeLessThanOrEqual(4);
  });

  it('grants all the calls of a lease from one key, or none of them', async () => {
    await ledger.define([aKey('k1'), aKey('k2')]);
    const { slots } = await granted({ calls: 2 });
    expect(slots).toHaveLength(2);
    expect(slots[1]! - slots[0]!).toBeCloseTo(1030 / 3, 2);
    expect(await ledger.grant(aRequest(under.now(), { calls: 9 }))).toMatchObject({ reason: 'no-slot' });
  });

  it('takes the key that is free earliest', async () => {
    await ledger.define([aKey('k1'), aKey('k2')]);
    const keys = new Set([(await granted()).keyId, (await granted()).keyId]);
    expect(keys).toEqual(new Set(['k1', 'k2']));
  });

  it('denies where no key may be used: other workspace, other kind, paused', async () => {
    await ledger.define([aKey('k1')]);
    const noKey = { kind: 'denied', reason: 'no-key' };
    expect(await ledger.grant(aRequest(under.now(), { workspaceId: 'other' }))).toMatchObject(noKey);
    expect(await ledger.grant(aRequest(under.now(), { kinds: ['community'] }))).toMatchObject(noKey);
    await ledger.define([aKey('k1', { state: 'paused', version: 2 })]);
    expect(await ledger.grant(aRequest(under.now()))).toMatchObject(noKey);
    await ledger.define([aKey('k1', { version: 3 })]);
    expect((await granted()).keyId).toBe('k1');
  });

  it('refuses a request whose deadline is over', async () => {
    await ledger.define([aKey('k1')]);
    const verdict = await ledger.grant(aRequest(under.now(), { deadlineAt: under.now() }));
    expect(verdict).toMatchObject({ kind: 'denied', reason: 'expired' });
  });

  it('answers the same request id with the same grant and charges nothing for it', async () => {
    await ledger.define([aKey('k1')]);
    const first = await granted({ leaseId: 'same' });
    const again = await granted({ leaseId: 'same' });
    expect(again).toEqual(first);
    expect((await granted()).slots[0]! - first.slots[0]!).toBeCloseTo(1030 / 3, 2);
    const other = aRequest(under.now(), { leaseId: 'same', workspaceId: 'other' });
    expect(await ledger.grant(other)).toMatchObject({ reason: 'replay' });
    const thief = aRequest(under.now(), { leaseId: 'same', by: 'other-service' });
    expect(await ledger.grant(thief)).toMatchObject({ reason: 'replay' });
  });

  it('takes a sequence once, and only with the first try of a request', async () => {
    await ledger.define([aKey('k1')]);
    const used = aRequest(under.now());
    await ledger.grant(used);
    const replay = aRequest(under.now(), { sequence: used.sequence });
    expect(await ledger.grant(replay)).toMatchObject({ reason: 'replay' });
    expect(await ledger.grant({ ...replay, first: false })).toMatchObject({ kind: 'granted' });
  });

  it('gives twenty who ask at once no more than the windows hold', async () => {
    await ledger.define([aKey('k1'), aKey('k2')]);
    const verdicts = await Promise.all(Array.from({ length: 20 }, () => ledger.grant(aRequest(under.now()))));
    const slots = new Map<string, number[]>();
    for (const verdict of verdicts) {
      if (verdict.kind !== 'granted') continue;
      const { keyId } = verdict.grant;
      slots.set(keyId, [...(slots.get(keyId) ?? []), ...verdict.grant.slots]);
    }
    for (const times of slots.values()) {
      times.sort((a, b) => a - b);
      for (let i = 3; i < times.length; i += 1)
        expect(times[i]! - times[i - 3]!).toBeGreaterThanOrEqual(1039.99);
    }
    expect([...slots.values()].flat().length).toBeGreaterThanOrEqual(4);
  });

  it('gives a slot again that was reported unsent before its time', async () => {
    await ledger.define([aKey('k1')]);
    const first = await granted();
    const second = await granted();
    expect(await settle(second, [{ slot: 0, outcome: 'unsent' }])).toMatchObject({ statuses: ['settled'] });
    expect((await granted()).slots).toEqual(second.slots);
    expect((await granted()).slots[0]! - first.slots[0]!).toBeCloseTo((2 * 1030) / 3, 2);
  });

  it('gives a slot as far ahead as is asked for, and leaves nearer ones to those who can use them', async () => {
    await ledger.define([aKey('k1'), aKey('k2')]);
    const near = [await granted(), await granted()];
    for (const lease of near) await settle(lease, [{ slot: 0, outcome: 'unsent' }]);
    const far = await granted({ leadMs: 40 });
    const used = near.find(({ keyId }) => keyId === far.keyId);
    expect(far.slots[0]! - under.now()).toBeGreaterThanOrEqual(40);
    expect(far.slots[0]! - used!.slots[0]!).toBeCloseTo(1030 / 3, 2);
    const again = [(await granted()).slots[0]!, (await granted()).slots[0]!];
    expect(again.sort((a, b) => a - b)).toEqual(near.map(({ slots }) => slots[0]!).sort((a, b) => a - b));
  });

  it('leaves a slot that is too near for one of two that ask together to the other', async () => {
    await ledger.define([aKey('k1')]);
    const first = await granted();
    while ((await ledger.grant(aRequest(under.now()))).kind === 'granted');
    await settle(first, [{ slot: 0, outcome: 'unsent' }]);
    const { verdicts } = await ledger.deal([
      aRequest(under.now(), { importId: 'late', leadMs: 40 }),
      aRequest(under.now(), { importId: 'prompt' }),
    ]);
    expect(verdicts).toMatchObject([
      { kind: 'denied', reason: 'no-slot' },
      { kind: 'granted', grant: { slots: first.slots } },
    ]);
  });

  it('deals slots as much sooner to who needs them farther ahead', async () => {
    await ledger.define([aKey('k1')]);
    while ((await ledger.grant(aRequest(under.now()))).kind === 'granted');
    const { verdicts } = await ledger.deal([
      aRequest(under.now(), { importId: 'late', leadMs: 40 }),
      aRequest(under.now(), { importId: 'prompt' }),
    ]);
    const [late, prompt] = verdicts.map((verdict) => (verdict?.kind === 'denied' ? verdict.retryAt : NaN));
    expect(prompt! - late!).toBeCloseTo(30, 2);
  });

  it('never gives a slot nearer than ten milliseconds, whatever is asked for', async () => {
    await ledger.define([aKey('k1')]);
    expect((await granted({ leadMs: 3 })).slots[0]! - under.now()).toBeGreaterThanOrEqual(10);
  });

  it('gives an idle key`s first slot when it was asked for', async () => {
    await ledger.define([aKey('k1')]);
    const { slots } = await granted({ leadMs: 45 });
    expect(slots[0]! - under.now()).toBeGreaterThanOrEqual(45);
    // What keeps keys out of phase comes on top: 5 ms of one key.
    expect(slots[0]! - under.now()).toBeLessThanOrEqual(50.01);
  });

  it('settles once, for the right fence, workspace and service only', async () => {
    await ledger.define([aKey('k1')]);
    const lease = await granted();
    const sent = lease.slots[0]!;
    under.advance(1000);
    const report = {
      slot: 0,
      outcome: 'answered' as const,
      sentAt: sent,
      answeredAt: sent + 80,
      effects: [],
    };
    expect(await settle({ ...lease, fence: lease.fence + 1 }, [report])).toMatchObject({
      statuses: ['unknown'],
    });
    expect(await settle(lease, [report], 'other-service')).toMatchObject({ statuses: ['unknown'] });
    expect(await settle({ leaseId: 'never', fence: 1 }, [report])).toMatchObject({ statuses: ['unknown'] });
    expect(await settle(lease, [report])).toMatchObject({ statuses: ['settled'], events: [] });
    expect(await settle(lease, [report])).toMatchObject({ statuses: ['already-settled'] });
  });

  it('calls a settle late after the lease has expired', async () => {
    await ledger.define([aKey('k1')]);
    const lease = await granted();
    under.advance(lease.expiresAt - under.now());
    const report = { slot: 0, outcome: 'broken' as const, sentAt: lease.slots[0]!, effects: [] };
    expect(await settle(lease, [report])).toMatchObject({ statuses: ['late'] });
  });

  it('denies a settle whose sequence was seen', async () => {
    const request = {
      by: 'parser-service',
      session: 'session',
      sequence: nextSequence(),
      rules,
      settles: [],
    };
    await ledger.settle(request);
    expect(await ledger.settle(request)).toMatchObject({ kind: 'denied', reason: 'replay' });
  });

  it('says what may be called', async () => {
    await ledger.define([
      aKey('k1'),
      aKey('k2', { kind: 'community', perSecond: 20 }),
      aKey('k3', { state: 'paused' }),
    ]);
    const capacity = (kinds: string[]) => ledger.capacity({ workspaceId: 'demo', rules, kinds });
    expect(await capacity(['user', 'community'])).toMatchObject({ keys: 2, callsPerSecond: 23 });
    expect(await capacity(['user'])).toMatchObject({ keys: 1, callsPerSecond: 3 });
    expect(await capacity(['service'])).toMatchObject({ keys: 0, callsPerSecond: 0 });
  });

  it('tells the time', async () => {
    expect(await ledger.readClock()).toBe(under.now());
    expect(ledger.poolNow()).toBeCloseTo(under.now(), 3);
  });
}
