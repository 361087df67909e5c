import { aKey, vk } from '../../test/builders';
import type { LedgerVerdict } from '../domain/quota-ledger';
import { ManualAlarm } from '../infrastructure/in-memory';
import { InMemoryQuotaLedger } from '../infrastructure/in-memory-quota-ledger';
import { type AcquireLease, type AcquireVerdict, LeaseDesk } from './acquire-lease';

const START = 1_000_000;

function setUp(limits = { perImport: 2, perWorkspace: 3 }) {
  const clock = { now: START };
  const ledger = new InMemoryQuotaLedger(() => clock.now);
  const alarm = new ManualAlarm();
  const desk = new LeaseDesk(ledger, alarm, limits);
  let sequence = 0;
  const command = (details: Partial<AcquireLease> = {}): AcquireLease => {
    sequence += 1;
    return {
      requestId: `r${sequence}`,
      service: 'parser-service',
      session: 's1',
      sequence,
      workspaceId: 'demo',
      importId: 'i1',
      rules: vk(),
      methods: { 'friends.get': 25 },
      calls: 1,
      deadlineAt: clock.now + 5_000,
      egress: 'default',
      ...details,
    };
  };
  return { clock, ledger, alarm, desk, command };
}

function denied(reason: 'no-slot' | 'recovering' | 'no-key' | 'expired', retryAt: number): LedgerVerdict {
  return { kind: 'denied', poolNow: START, reason, retryAt };
}

/** Lets everything that is ready run. */
async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

function watch(promise: Promise<AcquireVerdict>): { verdict?: AcquireVerdict } {
  const seen: { verdict?: AcquireVerdict } = {};
  void promise.then((verdict) => (seen.verdict = verdict));
  return seen;
}

describe('the desk where leases are asked for', () => {
  it('grants at once what the ledger grants, and asks it for what was asked', async () => {
    const { desk, ledger, command } = setUp();
    await ledger.define([aKey('k1')]);
    const request = command({ calls: 2 });
    const verdict = await desk.acquire(request);
    expect(verdict).toMatchObject({ kind: 'granted', grant: { keyId: 'k1', fence: 1 } });
    expect(verdict.kind === 'granted' && verdict.grant.slots).toHaveLength(2);
    const { requestId, service, ...rest } = request;
    expect(ledger.asked).toEqual([
      { ...rest, leaseId: requestId, by: service, kinds: ['user', 'service'], first: true },
    ]);
  });

  it('denies without a key at once, to be asked again after a second', async () => {
    const { desk, command } = setUp();
    expect(await desk.acquire(command())).toEqual({
      kind: 'denied',
      poolNow: START,
      reason: 'no-key',
      retryAt: START + 1000,
    });
  });

  it('denies methods that no kind of key may call together, without asking the ledger', async () => {
    const { desk, ledger, command } = setUp();
    const rules = { ...vk(), callers: { 'a.get': ['user' as const], 'b.get': ['service' as const] } };
    const methods = { 'a.get': 1, 'b.get': 1 };
    expect(await desk.acquire(command({ rules, methods }))).toEqual({
      kind: 'denied',
      poolNow: START,
      reason: 'no-key',
      retryAt: START + 1000,
    });
    expect(ledger.asked).toEqual([]);
  });

  it('waits for a slot until the ledger has one, taking the sequence once only', async () => {
    const { desk, ledger, alarm, clock, command } = setUp();
    await ledger.define([aKey('k1')]);
    ledger.scripted.push(denied('no-slot', START + 300));
    const seen = watch(desk.acquire(command()));
    await settled();
    expect(seen.verdict).toBeUndefined();
    expect(desk.waiting).toBe(1);
    expect(alarm.inMs).toBe(300);
    clock.now += 300;
    alarm.ring();
    await settled();
    expect(seen.verdict).toMatchObject({ kind: 'granted' });
    expect(desk.waiting).toBe(0);
    expect(alarm.inMs).toBeUndefined();
    expect(ledger.asked.map(({ first }) => first)).toEqual([true, false]);
  });

  it('waits while the pool recovers', async () => {
    const { desk, ledger, alarm, command } = setUp();
    ledger.scripted.push(denied('recovering', START + 2300));
    const seen = watch(desk.acquire(command()));
    await settled();
    expect(seen.verdict).toBeUndefined();
    expect(alarm.inMs).toBe(2300);
  });

  it('never sleeps less than eight milliseconds', async () => {
    const { desk, ledger, alarm, command } = setUp();
    ledger.scripted.push(denied('no-slot', START - 5));
    watch(desk.acquire(command()));
    await settled();
    expect(alarm.inMs).toBe(8);
  });

  it('lets nobody overtake those who wait, and denies when their deadline is over', async () => {
    const { desk, ledger, alarm, clock, command } = setUp();
    await ledger.define([aKey('k1')]);
    ledger.scripted.push(denied('no-slot', START + 300));
    const first = watch(desk.acquire(command({ deadlineAt: START + 200 })));
    await settled();
    const second = watch(desk.acquire(command()));
    await settled();
    expect(ledger.asked).toHaveLength(1);
    expect(desk.waiting).toBe(2);
    clock.now += 200;
    alarm.ring();
    await settled();
    expect(first.verdict).toEqual({
      kind: 'denied',
      poolNow: START + 200,
      reason: 'no-slot',
      retryAt: START + 300,
    });
    expect(second.verdict).toBeUndefined();
    expect(alarm.inMs).toBe(100);
    clock.now += 100;
    alarm.ring();
    await settled();
    expect(second.verdict).toMatchObject({ kind: 'granted' });
    expect(ledger.asked.map(({ first: firstTry }) => firstTry)).toEqual([true, true]);
  });

  it('puts back who finds no slot when it is their turn', async () => {
    const { desk, ledger, alarm, clock, command } = setUp();
    ledger.scripted.push(denied('no-slot', START + 100), denied('no-slot', START + 250));
    const seen = watch(desk.acquire(command()));
    await settled();
    clock.now += 100;
    alarm.ring();
    await settled();
    expect(seen.verdict).toBeUndefined();
    expect(desk.waiting).toBe(1);
    expect(alarm.inMs).toBe(150);
  });

  it('denies at once when the line of an import is full', async () => {
    const { desk, ledger, command } = setUp();
    ledger.scripted.push(denied('no-slot', START + 300));
    watch(desk.acquire(command()));
    await settled();
    watch(desk.acquire(command()));
    expect(await desk.acquire(command())).toEqual({
      kind: 'denied',
      poolNow: START,
      reason: 'line-full',
      retryAt: START + 100,
    });
    expect(desk.waiting).toBe(2);
  });

  it('tries again at once when slots were freed', async () => {
    const { desk, ledger, alarm, command } = setUp();
    await ledger.define([aKey('k1')]);
    ledger.scripted.push(denied('no-slot', START + 300));
    const seen = watch(desk.acquire(command()));
    await settled();
    await desk.slotsFreed();
    await settled();
    expect(seen.verdict).toMatchObject({ kind: 'granted' });
    expect(alarm.inMs).toBeUndefined();
  });

  it('does not let one lane hold up another', async () => {
    const { desk, ledger, command } = setUp();
    await ledger.define([aKey('k1')]);
    ledger.scripted.push(denied('no-slot', START + 300));
    watch(desk.acquire(command()));
    await settled();
    for (const other of [{ methods: { 'users.get': 1 } }, { egress: 'home' }]) {
      expect(await desk.acquire(command(other))).toMatchObject({ kind: 'granted' });
    }
    ledger.scripted.push(denied('no-key', START + 1000));
    expect(await desk.acquire(command({ workspaceId: 'other' }))).toMatchObject({ reason: 'no-key' });
  });

  it('takes methods in another order for the same lane', async () => {
    const { desk, ledger, command } = setUp();
    ledger.scripted.push(denied('no-slot', START + 300));
    watch(desk.acquire(command({ methods: { 'friends.get': 1, 'users.get': 1 } })));
    await settled();
    watch(desk.acquire(command({ methods: { 'users.get': 1, 'friends.get': 1 } })));
    await settled();
    expect(ledger.asked).toHaveLength(1);
    expect(desk.waiting).toBe(2);
  });

  it('answers everyone who waits when it is dismissed', async () => {
    const { desk, ledger, alarm, command } = setUp();
    ledger.scripted.push(denied('no-slot', START + 300));
    const seen = watch(desk.acquire(command()));
    await settled();
    desk.dismiss();
    await settled();
    expect(seen.verdict).toEqual({ kind: 'denied', poolNow: START, reason: 'no-slot', retryAt: START + 300 });
    expect(desk.waiting).toBe(0);
    expect(alarm.inMs).toBeUndefined();
  });

  it('passes on a denial that no time cures', async () => {
    const { desk, ledger, command } = setUp();
    ledger.scripted.push(denied('expired', START));
    expect(await desk.acquire(command())).toEqual(denied('expired', START));
    expect(desk.waiting).toBe(0);
  });

  it.each(['budget-spent', 'network-resting'] as const)(
    'waits while it is %s only when that is over before the deadline',
    async (reason) => {
      const { desk, ledger, alarm, command } = setUp();
      const verdict = (retryAt: number): LedgerVerdict => ({
        kind: 'denied',
        poolNow: START,
        reason,
        retryAt,
      });
      ledger.scripted.push(verdict(START + 5_000));
      expect(await desk.acquire(command())).toEqual(verdict(START + 5_000));
      expect(desk.waiting).toBe(0);
      ledger.scripted.push(verdict(START + 4_999));
      const seen = watch(desk.acquire(command()));
      await settled();
      expect(seen.verdict).toBeUndefined();
      expect(alarm.inMs).toBe(4_999);
    },
  );

  it('lets the ledger choose among the heads of all lists, at most eight at a time', async () => {
    const { desk, ledger, alarm, clock, command } = setUp({ perImport: 2, perWorkspace: 99 });
    for (let i = 0; i < 10; i += 1) ledger.scripted.push(denied('no-slot', START + 300));
    for (let i = 0; i < 10; i += 1) watch(desk.acquire(command({ importId: `i${i}`, calls: 1 + (i % 2) })));
    await settled();
    expect(desk.waiting).toBe(10);
    const deal = jest.spyOn(ledger, 'deal');
    clock.now += 300;
    for (let i = 0; i < 20; i += 1) ledger.scripted.push(denied('no-slot', START + 900));
    alarm.ring();
    await settled();
    expect(deal.mock.calls.map(([candidates]) => candidates.map(({ importId }) => importId))).toEqual([
      ['i0', 'i1', 'i2', 'i3', 'i4', 'i5', 'i6', 'i7'],
      ['i8', 'i9'],
    ]);
    expect(deal.mock.calls[0]?.[0].every(({ first }) => !first)).toBe(true);
    expect(alarm.inMs).toBe(600);
    expect(desk.waiting).toBe(10);
  });

  it('asks nothing while the pool has no clock, and looks again soon', async () => {
    const { desk, ledger, alarm, clock, command } = setUp();
    ledger.scripted.push(denied('recovering', START + 300));
    const seen = watch(desk.acquire(command()));
    await settled();
    const deal = jest.spyOn(ledger, 'deal');
    clock.now = NaN;
    alarm.ring();
    await settled();
    expect(deal).not.toHaveBeenCalled();
    expect(alarm.inMs).toBe(50);
    clock.now = START + 300;
    await ledger.define([aKey('k1')]);
    alarm.ring();
    await settled();
    expect(seen.verdict).toMatchObject({ kind: 'granted' });
  });

  it('begins with two deals at once, each with requests of its own, and with one more for each lease, up to sixteen', async () => {
    const { desk, ledger, alarm, clock, command } = setUp({ perImport: 99, perWorkspace: 99 });
    ledger.scripted.push(denied('no-slot', START + 300));
    for (let i = 0; i < 60; i += 1) {
      watch(desk.acquire(command()));
      await settled();
    }
    clock.now += 300;
    const grant = { fence: 1, keyId: 'k1', tokenVersion: 1, grantedAt: 0, expiresAt: 0, slots: [], why: '' };
    const underWay: (() => void)[] = [];
    const asked: string[] = [];
    jest.spyOn(ledger, 'deal').mockImplementation(
      (candidates) =>
        new Promise((resolve) => {
          asked.push(...candidates.map(({ leaseId }) => leaseId));
          const poolNow = clock.now;
          underWay.push(() => resolve({ poolNow, verdicts: [{ kind: 'granted', poolNow, grant }] }));
        }),
    );
    alarm.ring();
    const most: number[] = [];
    for (let round = 0; round < 5; round += 1) {
      await settled();
      most.push(underWay.length);
      for (const grantIt of underWay.splice(0)) grantIt();
    }
    expect(most).toEqual([2, 4, 8, 16, 16]);
    expect(new Set(asked).size).toBe(asked.length);
  });

  it('asks for no more at once when a deal gave nothing', async () => {
    const { desk, ledger, alarm, clock, command } = setUp({ perImport: 9, perWorkspace: 99 });
    ledger.scripted.push(denied('no-slot', START + 300));
    for (let i = 0; i < 9; i += 1) {
      watch(desk.acquire(command()));
      await settled();
    }
    clock.now += 300;
    const deal = jest.spyOn(ledger, 'deal').mockResolvedValue({ poolNow: clock.now, verdicts: [undefined] });
    deal.mockResolvedValueOnce({
      poolNow: clock.now,
      verdicts: [denied('no-slot', START + 900) as LedgerVerdict],
    });
    alarm.ring();
    await settled();
    expect(deal).toHaveBeenCalledTimes(2);
  });

  it('answers the one that was served and offers the others again in the order that they had', async () => {
    const { desk, ledger, alarm, clock, command } = setUp({ perImport: 9, perWorkspace: 99 });
    ledger.scripted.push(denied('no-slot', START + 300));
    const seen = [];
    for (const importId of ['i1', 'i2', 'i3']) {
      seen.push(watch(desk.acquire(command({ importId }))));
      await settled();
    }
    clock.now += 300;
    const offered: string[][] = [];
    jest.spyOn(ledger, 'deal').mockImplementation(async (candidates) => {
      offered.push(candidates.map(({ importId }) => importId));
      const poolNow = clock.now;
      const grant = {
        fence: 1,
        keyId: 'k1',
        tokenVersion: 1,
        grantedAt: 0,
        expiresAt: 0,
        slots: [],
        why: '',
      };
      const served = offered.length === 1 ? 1 : 0;
      const verdicts: (LedgerVerdict | undefined)[] = candidates.map(() => undefined);
      verdicts[served] = { kind: 'granted', poolNow, grant };
      return { poolNow, verdicts };
    });
    alarm.ring();
    await settled();
    expect(offered).toEqual([['i1', 'i2', 'i3'], ['i1', 'i3'], ['i3']]);
    expect(seen.every(({ verdict }) => verdict?.kind === 'granted')).toBe(true);
    expect(desk.waiting).toBe(0);
    expect(alarm.inMs).toBeUndefined();
  });

  it('says with each request whether others of its import wait behind it', async () => {
    const { desk, ledger, alarm, clock, command } = setUp({ perImport: 9, perWorkspace: 99 });
    ledger.scripted.push(denied('no-slot', START + 300));
    for (const importId of ['i1', 'i1', 'i1', 'i2']) {
      watch(desk.acquire(command({ importId })));
      await settled();
    }
    clock.now += 300;
    const deal = jest.spyOn(ledger, 'deal').mockReturnValue(new Promise(() => undefined));
    alarm.ring();
    await settled();
    const said = deal.mock.calls.map(([heads]) => heads.map(({ importId, more }) => [importId, more]));
    expect(said).toEqual([
      [
        ['i1', true],
        ['i2', false],
      ],
      [['i1', true]],
    ]);
  });

  it('tries again at once when slots came back while it was being told that there are none', async () => {
    const { desk, ledger, clock, command, alarm } = setUp();
    await ledger.define([aKey('k1')]);
    ledger.scripted.push(denied('no-slot', START + 300));
    const seen = watch(desk.acquire(command()));
    await settled();
    clock.now += 300;
    const deal = ledger.deal.bind(ledger);
    jest.spyOn(ledger, 'deal').mockImplementationOnce(async (candidates) => {
      await desk.slotsFreed();
      return { poolNow: clock.now, verdicts: candidates.map(() => denied('no-slot', START + 9_000)) };
    });
    alarm.ring();
    await settled();
    expect(seen.verdict).toMatchObject({ kind: 'granted' });
    expect(deal).toBeDefined();
  });

  it('answers those who are being dealt to when it is dismissed, and whoever comes later', async () => {
    const { desk, ledger, clock, command, alarm } = setUp();
    ledger.scripted.push(denied('no-slot', START + 300));
    const seen = watch(desk.acquire(command()));
    await settled();
    clock.now += 300;
    let reply: () => void = () => undefined;
    jest.spyOn(ledger, 'deal').mockImplementationOnce(
      (candidates) =>
        new Promise((resolve) => {
          const verdicts = candidates.map(() => denied('no-slot', START + 900));
          reply = () => resolve({ poolNow: clock.now, verdicts });
        }),
    );
    alarm.ring();
    desk.dismiss();
    reply();
    await settled();
    expect(seen.verdict).toMatchObject({ kind: 'denied', reason: 'no-slot', retryAt: START + 900 });
    expect(desk.waiting).toBe(0);
    ledger.scripted.push(denied('no-slot', START + 950));
    expect(await desk.acquire(command())).toMatchObject({ kind: 'denied', reason: 'no-slot' });
    expect(desk.waiting).toBe(0);
  });

  it('asks nobody again in less than eight milliseconds, whatever it was told', async () => {
    const { desk, ledger, alarm, command, clock } = setUp();
    ledger.scripted.push(denied('no-slot', START + 300));
    watch(desk.acquire(command()));
    await settled();
    clock.now += 300;
    ledger.scripted.push({ kind: 'denied', poolNow: clock.now, reason: 'no-slot', retryAt: clock.now });
    alarm.ring();
    await settled();
    expect(alarm.inMs).toBe(8);
  });

  it('has nothing to do when slots come back and nobody waits', async () => {
    const { desk, alarm } = setUp();
    await desk.slotsFreed();
    expect(alarm.inMs).toBeUndefined();
  });
});
