import type { PathMeasured } from './lease-client';
import { PathReports } from './path-reports';

function setUp() {
  const at = { now: 0, generation: 0 };
  const told: PathMeasured[] = [];
  const margins: number[] = [];
  let fail = false;
  const reports = new PathReports({
    network: 'vk',
    report: async (measured) => {
      told.push(measured);
      if (fail) throw new Error('away');
      return 20 + told.length;
    },
    monotonicMs: () => at.now,
    clockGeneration: () => at.generation,
    onMargin: (marginMs) => margins.push(marginMs),
  });
  const probe = async (roundTripMs: number) => {
    reports.probe({ sentAt: at.now, roundTripMs });
    await Promise.resolve();
  };
  const trips = () => told.map(({ probes }) => probes.map(({ roundTripMs }) => roundTripMs));
  return { at, told, margins, reports, probe, trips, away: (is: boolean) => (fail = is) };
}

describe('reports of a path', () => {
  it('go at once when a round trip lies outside of those before by more than 2 ms', async () => {
    const { probe, trips, reports } = setUp();
    await probe(10);
    await probe(12);
    await probe(8);
    expect(trips()).toEqual([[10]]);
    await probe(14.1);
    await probe(14);
    await probe(5.9);
    expect(trips()).toEqual([[10], [12, 8, 14.1], [14, 5.9]]);
    await probe(16.1);
    await probe(3.9);
    await reports.flush();
    expect(trips().slice(3)).toEqual([[16.1, 3.9]]);
  });

  it('forget round trips after half a minute to a minute', async () => {
    const { probe, trips, at } = setUp();
    await probe(100);
    at.now = 30_001;
    await probe(50);
    expect(trips()).toEqual([[100], [50]]);
    await probe(101);
    expect(trips()).toHaveLength(2);
    at.now = 60_002;
    await probe(102);
    at.now = 90_003;
    await probe(101);
    expect(trips()).toHaveLength(2);
    at.now = 150_004;
    await probe(102);
    expect(trips().at(-1)).toEqual([101, 102, 101, 102]);
  });

  it('tell how late calls left, never early, and the margin that came back', async () => {
    const { reports, told, margins } = setUp();
    for (const lateness of [0.5, -0.3, 1]) reports.sent(lateness);
    await reports.flush();
    await reports.flush();
    expect(told).toEqual([{ network: 'vk', probes: [], lateness: { sends: 3, meanMs: 0.5, maxMs: 1 } }]);
    expect(margins).toEqual([21]);
  });

  it('keep what the pool did not hear for the next report, 50 probes at most', async () => {
    const { reports, told, probe, away, margins } = setUp();
    away(true);
    await probe(10);
    reports.sent(3);
    await reports.flush();
    expect(told.at(-1)).toMatchObject({ probes: [{ roundTripMs: 10 }], lateness: { sends: 1 } });
    away(false);
    reports.sent(1);
    for (let i = 0; i < 50; i += 1) await probe(10 + i / 100);
    await reports.flush();
    const last = told.at(-1);
    expect(last?.lateness).toEqual({ sends: 2, meanMs: 2, maxMs: 3 });
    expect(last?.probes).toHaveLength(50);
    expect(last?.probes.at(-1)?.roundTripMs).toBe(10.49);
    expect(margins).toHaveLength(1);
  });

  it('go once a second while there is something to tell', () => {
    jest.useFakeTimers();
    try {
      const { reports, told } = setUp();
      reports.start();
      reports.start();
      jest.advanceTimersByTime(1_000);
      expect(told).toHaveLength(0);
      reports.sent(1);
      jest.advanceTimersByTime(999);
      expect(told).toHaveLength(0);
      jest.advanceTimersByTime(1);
      expect(told).toHaveLength(1);
      reports.stop();
      reports.sent(1);
      jest.advanceTimersByTime(5_000);
      expect(told).toHaveLength(1);
    } finally {
      jest.useRealTimers();
    }
  });

  it('leave out when it was on the network once the pool has another clock than the one that stamped it', async () => {
    const { at, told, reports, probe, away } = setUp();
    const serverDate = Date.UTC(2026, 10, 21, 15);
    away(true);
    reports.probe({ sentAt: 5, roundTripMs: 10, serverDate });
    await Promise.resolve();
    expect(told[0]?.probes).toEqual([{ sentAt: 5, roundTripMs: 10, serverDate }]);
    away(false);
    await reports.flush();
    expect(told[1]?.probes).toEqual([{ sentAt: 5, roundTripMs: 10, serverDate }]);
    await probe(10);
    reports.probe({ sentAt: 6, roundTripMs: 10, serverDate });
    at.generation = 1;
    reports.probe({ sentAt: 7, roundTripMs: 10, serverDate });
    await reports.flush();
    expect(told[2]?.probes).toEqual([
      { sentAt: 0, roundTripMs: 10 },
      { sentAt: 6, roundTripMs: 10 },
      { sentAt: 7, roundTripMs: 10, serverDate },
    ]);
  });

  it('do not pile up while the pool is slow', async () => {
    const told: PathMeasured[] = [];
    const never = new Promise<number>(() => undefined);
    const report = (measured: PathMeasured) => (told.push(measured), never);
    const reports = new PathReports({
      network: 'vk',
      report,
      monotonicMs: () => 0,
      clockGeneration: () => 0,
    });
    for (const roundTripMs of [1, 10, 20, 30, 40]) reports.probe({ sentAt: 0, roundTripMs });
    expect(told.map(({ probes }) => probes.length)).toEqual([1, 1, 1]);
  });
});
