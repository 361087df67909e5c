import { aKey, vk } from '../../test/builders';
import type { KeyUse } from '../domain/key-uses';
import { PoolFigures } from '../domain/pool-report';
import type { LedgerGrant } from '../domain/quota-ledger';
import type { AcquireLease } from './acquire-lease';
import type { SettleLeases } from './settle-leases';
import { LeaseWatch } from './watch-leases';

const NOW = 1_000_000_000;

class Recorded extends PoolFigures {
  readonly told: unknown[][] = [];
  keyUsed = (...figure: [string, number]) => void this.told.push(['used', ...figure]);
  keyErred = (...figure: [string, string]) => void this.told.push(['erred', ...figure]);
  called = (...figure: [string, string, string, number]) => void this.told.push(['called', ...figure]);
  slotLost = (...figure: [string, string]) => void this.told.push(['lost', ...figure]);
  waited = (seconds: number) => void this.told.push(['waited', seconds]);
  held = (seconds: number) => void this.told.push(['held', seconds]);
}

function setUp() {
  const figures = new Recorded();
  const uses: KeyUse[] = [];
  const settled: unknown[][] = [];
  const keys = [
    aKey('k1', { workspaceId: 'owner' as never }),
    aKey('k2', { perSecond: 20 }),
    aKey('k3').pause(1),
  ];
  const watch = new LeaseWatch({
    ring: { key: (id) => keys.find((key) => key.id === id), keys: () => keys.values() as never },
    recorder: { granted: (use) => void uses.push(use), settled: (...all) => void settled.push(all) },
    figures,
  });
  return { watch, figures, uses, settled };
}

function settle(reports: SettleLeases['settles'][0]['reports'], more: object = {}) {
  const rules = vk();
  return { leaseId: 'l1', fence: 1, workspaceId: 'demo', rules, reports, keyId: 'k1', ...more };
}

const answered = { outcome: 'answered' as const, slot: 0, sentAt: NOW, answeredAt: NOW + 9, status: 200 };

describe('watching leases', () => {
  const command = {
    requestId: 'l1',
    service: 'parser-service',
    workspaceId: 'demo',
    importId: 'i1',
    rules: vk(),
    methods: { 'friends.get': 25 },
  } as unknown as AcquireLease;
  const grant = { keyId: 'k1', grantedAt: NOW - 1, slots: [NOW + 90, NOW + 95] } as LedgerGrant;

  it('notes a grant as a use of its key by whoever asked, and how long it was waited for', () => {
    const { watch, figures, uses } = setUp();
    watch.granted(command, grant, NOW, 10);
    expect(figures.told).toEqual([
      ['used', 'k1', 2],
      ['waited', 0.1],
    ]);
    expect(uses).toEqual([
      {
        leaseId: 'l1',
        keyId: 'k1',
        keyWorkspaceId: 'owner',
        network: 'vk',
        workspaceId: 'demo',
        importId: 'i1',
        service: 'parser-service',
        methods: { 'friends.get': 25 },
        calls: 2,
        grantedAt: NOW - 1,
        settledAt: null,
        results: null,
      },
    ]);
    watch.granted(command, { ...grant, keyId: 'unknown', slots: [NOW - 5] }, NOW, 10);
    expect(uses[1]?.keyWorkspaceId).toBe('demo');
    expect(figures.told.at(-1)).toEqual(['waited', 0.01]);
  });

  it('counts calls by method, those inside a packed call by their own result', () => {
    const { watch, figures, settled } = setUp();
    const methodErrors = [
      { method: 'friends.get', code: 30 },
      { method: 'friends.get', code: 18 },
    ];
    const reports = [{ ...answered, methodErrors }];
    watch.settled(
      settle(reports, { methods: { 'friends.get': 25, 'made.up': 1 }, grantedAt: NOW - 500 }),
      'settled',
      NOW,
    );
    expect(settled).toEqual([['l1', reports, NOW]]);
    expect(figures.told).toEqual([
      ['held', 0.5],
      ['called', 'vk', 'friends.get', 'error-30', 1],
      ['called', 'vk', 'friends.get', 'error-18', 1],
      ['called', 'vk', 'friends.get', 'ok', 23],
      ['called', 'vk', 'other', 'ok', 1],
    ]);
  });

  it('shares the methods of a lease among its calls, and tells causes and errors', () => {
    const { watch, figures } = setUp();
    const reports = [
      { outcome: 'unsent' as const, slot: 0, cause: 'too-late' },
      { outcome: 'unsent' as const, slot: 1 },
      { ...answered, slot: 2, error: { code: 6 } },
      { ...answered, slot: 3, status: 502 },
    ];
    watch.settled(settle(reports, { methods: { 'users.get': 4 } }), 'late', NOW);
    expect(figures.told).toEqual([
      ['lost', 'vk', 'too-late'],
      ['called', 'vk', 'users.get', 'unsent', 1],
      ['lost', 'vk', 'unknown'],
      ['called', 'vk', 'users.get', 'unsent', 1],
      ['called', 'vk', 'users.get', 'error-6', 1],
      ['erred', 'k1', '6'],
      ['called', 'vk', 'users.get', 'http-502', 1],
      ['erred', 'k1', 'http-502'],
    ]);
  });

  it('counts a call of which no method was told as other, and no error of a key that nobody knows', () => {
    const { watch, figures } = setUp();
    const failed = { ...answered, error: { code: 5 } };
    watch.settled(settle([failed], { keyId: 'made-up' }), 'settled', NOW);
    watch.settled(settle([failed], { keyId: undefined }), 'settled', NOW);
    expect(figures.told).toEqual([
      ['called', 'vk', 'other', 'error-5', 1],
      ['called', 'vk', 'other', 'error-5', 1],
    ]);
  });

  it.each(['unknown', 'already-settled'] as const)('counts nothing of a settle that is %s', (status) => {
    const { watch, figures, settled } = setUp();
    watch.settled(settle([answered]), status, NOW);
    expect([figures.told, settled]).toEqual([[], []]);
  });

  it('knows the share of the active keys quota that was sent', () => {
    const { watch } = setUp();
    expect([...watch.utilisation(NOW)]).toEqual([['vk', 0]]);
    const reports = Array.from({ length: 10 }, (_, slot) => ({ ...answered, slot }));
    watch.settled(settle([...reports, { outcome: 'unsent', slot: 10 }]), 'settled', NOW);
    expect(watch.utilisation(NOW + 1_000).get('vk')).toBeCloseTo(10 / (23 * 59), 12);
  });
});
