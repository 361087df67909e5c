import type { SimulatorClock } from './simulator-clock';
import { TimedLine } from './timed-line';

describe('TimedLine', () => {
  it('runs what is due in the order planned, with the planned moments, however late the timer fires', () => {
    jest.useFakeTimers();
    let now = 100;
    const line = new TimedLine({ now: () => now } as SimulatorClock);
    const ran: Array<[string, number]> = [];
    const plan = (name: string, at: number): void => line.plan(at, (moment) => ran.push([name, moment]));
    plan('c', 130);
    plan('b', 120);
    plan('d', 130);
    plan('a', 100);
    expect(ran).toEqual([['a', 100]]);
    now = 125;
    jest.advanceTimersByTime(20);
    expect(ran).toEqual([
      ['a', 100],
      ['b', 120],
    ]);
    now = 500;
    plan('e', 400);
    expect(ran.slice(2)).toEqual([
      ['c', 130],
      ['d', 130],
      ['e', 400],
    ]);
    plan('f', 600);
    line.clear();
    now = 700;
    jest.advanceTimersByTime(1000);
    expect(ran).toHaveLength(5);
    jest.useRealTimers();
  });
});
