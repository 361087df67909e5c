import type { KeyUse } from '../domain/key-uses';
import { InMemoryKeyUses, RecordingPoolReport } from '../infrastructure/in-memory';
import { USE_LIMITS, UseRecorder } from './record-uses';

const START = 1_000_000_000;
const OK = { outcome: 'answered' as const, slot: 0, sentAt: START, answeredAt: START + 90, status: 200 };

function use(leaseId: string, more: Partial<KeyUse> = {}): KeyUse {
  return {
    leaseId,
    keyId: 'k1',
    keyWorkspaceId: 'demo',
    network: 'vk',
    workspaceId: 'demo',
    importId: 'i1',
    service: 'parser-service',
    methods: { 'friends.get': 25 },
    calls: 1,
    grantedAt: START,
    settledAt: null,
    results: null,
    ...more,
  };
}

function setUp(limits: Partial<typeof USE_LIMITS> = {}) {
  const uses = new InMemoryKeyUses();
  const report = new RecordingPoolReport();
  return { uses, report, recorder: new UseRecorder(uses, report, { ...USE_LIMITS, ...limits }) };
}

describe('the record of uses', () => {
  it('is one row a lease, written complete once it is settled', async () => {
    const { uses, report, recorder } = setUp();
    recorder.granted(use('l1'));
    recorder.granted(use('l1', { grantedAt: START + 5 }));
    await recorder.flush(START + 999);
    expect(uses.rows.size).toBe(0);
    recorder.settled(
      'l1',
      [OK, { ...OK, slot: 1, error: { code: 6 } }, { outcome: 'unsent', slot: 2 }],
      START + 99,
    );
    expect(recorder.held).toBe(1);
    await recorder.flush(START + 999);
    expect([...uses.rows.values()]).toEqual([
      use('l1', { settledAt: START + 99, results: { ok: 1, 'error-6': 1, unsent: 1 } }),
    ]);
    expect(report.uses).toEqual({ written: 1, dropped: 0 });
    expect(recorder.held).toBe(0);
  });

  it('does not wait longer than a second for a settle, and adds its results later', async () => {
    const { uses, recorder } = setUp();
    recorder.granted(use('l1'));
    await recorder.flush(START + 1_000);
    expect(uses.rows.get('l1')).toEqual(use('l1'));
    recorder.settled('l1', [OK], START + 1_500);
    await recorder.flush(START + 3_499);
    expect(uses.rows.get('l1')?.results).toBeNull();
    await recorder.flush(START + 3_500);
    expect(uses.rows.get('l1')).toEqual(use('l1', { settledAt: START + 1_500, results: { ok: 1 } }));
    expect(recorder.held).toBe(0);
  });

  it('loses no result that comes while the row is being written', async () => {
    const { uses, recorder } = setUp();
    recorder.granted(use('l1'));
    const write = uses.write.bind(uses);
    uses.write = async (rows) => {
      recorder.settled('l1', [OK], START + 1_001);
      await write(rows);
    };
    await recorder.flush(START + 1_000);
    expect(uses.rows.get('l1')?.results).toBeNull();
    await recorder.flush(START + 3_001);
    expect(uses.rows.get('l1')?.results).toEqual({ ok: 1 });
  });

  it('holds back what cannot be written, up to a limit, and counts what it drops', async () => {
    const { uses, report, recorder } = setUp({ mostHeld: 2 });
    uses.fault = new Error('PostgreSQL is away');
    for (const id of ['l1', 'l2', 'l3']) recorder.granted(use(id));
    recorder.settled('elsewhere', [OK], START);
    await expect(recorder.flush(START, true)).rejects.toThrow('PostgreSQL is away');
    expect(recorder.held).toBe(2);
    expect(report.uses).toEqual({ written: 0, dropped: 2 });
    uses.fault = undefined;
    await recorder.flush(START, true);
    expect([...uses.rows.keys()]).toEqual(['l1', 'l2']);
    expect(report.uses).toEqual({ written: 2, dropped: 2 });
  });

  it('announces what each key was used for every ten seconds, also what was not written', async () => {
    const { uses, recorder } = setUp({ mostHeld: 1 });
    await recorder.flush(START);
    recorder.granted(use('l1'));
    recorder.granted(use('l2', { methods: { 'wall.get': 2, 'friends.get': 1 }, grantedAt: START + 700 }));
    recorder.granted(use('l3', { keyId: 'k2', keyWorkspaceId: 'other' }));
    await recorder.flush(START + 9_999);
    expect(uses.announced).toEqual([]);
    await recorder.flush(START + 10_000);
    const period = { keyWorkspaceId: 'demo', network: 'vk', from: START, to: START };
    expect(uses.announced).toEqual([
      { ...period, keyId: 'k1', to: START + 700, calls: { 'friends.get': 26, 'wall.get': 2 } },
      { ...period, keyId: 'k2', keyWorkspaceId: 'other', calls: { 'friends.get': 25 } },
    ]);
    await recorder.flush(START + 30_000);
    expect(uses.announced).toHaveLength(2);
  });

  it('announces the sum when the first try failed', async () => {
    const { uses, recorder } = setUp();
    recorder.granted(use('l1', { settledAt: START, results: { ok: 1 } }));
    const announce = uses.announce.bind(uses);
    uses.announce = async () => {
      recorder.granted(use('l2', { grantedAt: START + 8 }));
      throw new Error('away');
    };
    await expect(recorder.flush(START, true)).rejects.toThrow('away');
    uses.announce = announce;
    await recorder.flush(START, true);
    expect(uses.announced).toMatchObject([{ from: START, to: START + 8, calls: { 'friends.get': 50 } }]);
  });

  it('forgets what is older than thirty days, in chunks, a chunk a minute once little is left', async () => {
    const { uses, recorder } = setUp();
    const asked: [number, number][] = [];
    const removed = [5_000, 4_999, 0];
    uses.forget = async (before, most) => {
      asked.push([before, most]);
      return removed.shift() as number;
    };
    const now = START + 40 * 86_400_000;
    await recorder.flush(now);
    await recorder.flush(now + 1);
    await recorder.flush(now + 60_000);
    await recorder.flush(now + 60_001);
    const before = now - 30 * 86_400_000;
    expect(asked).toEqual([
      [before, 5_000],
      [before + 1, 5_000],
      [before + 60_001, 5_000],
    ]);
  });

  it('writes one batch at a time', async () => {
    const { uses, recorder } = setUp();
    recorder.granted(use('l1'));
    let writes = 0;
    const write = uses.write.bind(uses);
    uses.write = (rows) => ((writes += 1), write(rows));
    await Promise.all([recorder.flush(START, true), recorder.flush(START, true)]);
    expect(writes).toBe(1);
  });
});
