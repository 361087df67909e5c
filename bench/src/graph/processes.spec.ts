import { CoreMeter, machineCoreSeconds } from './processes';

describe('machineCoreSeconds', () => {
  it('adds up what any process used, without idling and waiting, in hundredths of a second', () => {
    const stat = 'cpu  1000 20 300 50000 700 4 60 9 999 999\ncpu0 1 1 1 1\nintr 5\n';
    expect(machineCoreSeconds(stat)).toBeCloseTo(13.93, 10);
    expect(machineCoreSeconds('nothing of that kind')).toBeUndefined();
  });
});

describe('CoreMeter', () => {
  it('tells what others used from what the watched processes used', () => {
    const meter = new CoreMeter(new Map([['this', process.pid]]));
    const until = process.cpuUsage().user + 200_000;
    while (process.cpuUsage().user < until);
    const own = meter.used().find(([name]) => name === 'this')?.[1] ?? 0;
    expect(own).toBeGreaterThan(0);
    expect(Number.isFinite(meter.others())).toBe(true);
  });
});
