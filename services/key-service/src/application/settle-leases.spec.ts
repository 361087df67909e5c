import { aKey, aRequest, vk } from '../../test/builders';
import type { KeyEvent } from '../domain/key-events';
import { InMemoryQuotaLedger } from '../infrastructure/in-memory-quota-ledger';
import { resultOf, SettleDesk, type SettleLeases } from './settle-leases';

const START = 1_000_000;

async function setUp() {
  const ledger = new InMemoryQuotaLedger(() => START);
  await ledger.define([aKey('k1')]);
  const counted: string[] = [];
  const desk = new SettleDesk(ledger, (settle, status, poolNow) =>
    counted.push(`${settle.leaseId} ${settle.reports.map(resultOf).join()} ${status} ${poolNow - START}`),
  );
  const grant = async (leaseId: string) => {
    const verdict = await ledger.grant(aRequest(START, { leaseId }));
    if (verdict.kind !== 'granted') throw new Error(verdict.reason);
    return { leaseId, fence: verdict.grant.fence, workspaceId: 'demo', rules };
  };
  const rules = vk();
  const command = (settles: SettleLeases['settles'], sequence = 1000): SettleLeases => ({
    service: 'parser-service',
    session: 's1',
    sequence,
    settles,
  });
  return { ledger, desk, counted, grant, command, rules };
}

describe('the desk where leases are settled', () => {
  it('books answers with what they say about the key, and counts them', async () => {
    const { ledger, desk, counted, grant, command } = await setUp();
    const lease = await grant('l1');
    const answered = { outcome: 'answered' as const, slot: 0, sentAt: START + 11, answeredAt: START + 90 };
    const verdict = await desk.settle(
      command([{ ...lease, reports: [{ ...answered, status: 200, error: { code: 6 } }] }]),
    );
    expect(verdict).toEqual({
      kind: 'settled',
      poolNow: START,
      results: ['settled'],
      events: [],
      freed: false,
    });
    expect(ledger.settled).toEqual([
      {
        leaseId: 'l1',
        fence: lease.fence,
        workspaceId: 'demo',
        reports: [
          { ...answered, effects: [{ kind: 'rest', baseMs: 1000, capMs: 10_000, atLeastMs: 0, code: 6 }] },
        ],
      },
    ]);
    expect(counted).toEqual(['l1 error-6 settled 0']);
  });

  it('tells of every settle with its status, and of results by a bounded name', async () => {
    const { desk, counted, grant, command } = await setUp();
    const sent = { sentAt: START + 11 };
    const lease = await grant('l1');
    const answered = { outcome: 'answered' as const, slot: 0, ...sent, answeredAt: START + 90 };
    await desk.settle(command([{ ...lease, reports: [{ ...answered, status: 200 }] }]));
    await desk.settle(command([{ ...lease, reports: [{ ...answered, status: 502 }] }], 1001));
    await desk.settle(command([{ ...lease, reports: [{ outcome: 'broken', slot: 0, ...sent }] }], 1002));
    await desk.settle(command([{ ...lease, reports: [{ outcome: 'unsent', slot: 0 }] }], 1003));
    expect(counted).toEqual([
      'l1 ok settled 0',
      'l1 http-502 already-settled 0',
      'l1 broken already-settled 0',
      'l1 unsent already-settled 0',
    ]);
  });

  it('passes broken and unsent calls on without an answer', async () => {
    const { ledger, desk, grant, command } = await setUp();
    const lease = await grant('l1');
    await desk.settle(command([{ ...lease, reports: [{ outcome: 'broken', slot: 0, sentAt: START + 12 }] }]));
    await desk.settle(command([{ ...lease, reports: [{ outcome: 'unsent', slot: 0 }] }], 1001));
    expect(ledger.settled.flatMap(({ reports }) => reports)).toEqual([
      {
        slot: 0,
        outcome: 'broken',
        sentAt: START + 12,
        effects: [{ kind: 'fail', what: 'broken', code: 0 }],
      },
      { slot: 0, outcome: 'unsent' },
    ]);
  });

  it('says that slots were freed only when the settle that gave them back was the one that counted', async () => {
    const { desk, grant, command } = await setUp();
    const lease = { ...(await grant('l1')), reports: [{ outcome: 'unsent' as const, slot: 0 }] };
    expect(await desk.settle(command([lease]))).toMatchObject({ results: ['settled'], freed: true });
    expect(await desk.settle(command([lease], 1001))).toMatchObject({
      results: ['already-settled'],
      freed: false,
    });
  });

  it('answers in the order asked, whatever the networks, and takes the sequence once', async () => {
    const { ledger, desk, grant, command, rules } = await setUp();
    const first = { ...(await grant('l1')), reports: [{ outcome: 'unsent' as const, slot: 0 }] };
    const second = { ...(await grant('l2')), reports: [{ outcome: 'unsent' as const, slot: 0 }] };
    const unknown = { ...second, leaseId: 'l9', rules: { ...rules, network: 'other' } };
    const verdict = await desk.settle(command([first, unknown, second]));
    expect(verdict).toMatchObject({ results: ['settled', 'unknown', 'settled'], freed: true });
    expect(ledger.settled.map(({ leaseId }) => leaseId)).toEqual(['l1', 'l2', 'l9']);
  });

  it('hands on what happened to keys', async () => {
    const { ledger, desk, grant, command } = await setUp();
    const event: KeyEvent = { keyId: 'k1', kind: 'invalid', code: 5, forMs: 0 };
    ledger.events = [event];
    const lease = { ...(await grant('l1')), reports: [{ outcome: 'unsent' as const, slot: 0 }] };
    expect(await desk.settle(command([lease]))).toMatchObject({ events: [event] });
  });

  it('denies a sequence that was seen', async () => {
    const { desk, grant, command } = await setUp();
    const lease = { ...(await grant('l1')), reports: [{ outcome: 'unsent' as const, slot: 0 }] };
    await desk.settle(command([lease], 77));
    expect(await desk.settle(command([lease], 77))).toEqual({
      kind: 'denied',
      poolNow: START,
      reason: 'replay',
    });
  });
});
