import { fakeClock, type FakeClock } from '@sociograph/testing';
import { FetchWatchdog } from './fetch-watchdog';

describe('FetchWatchdog', () => {
  let clock: FakeClock;
  let answers: boolean;
  let stuck: number[];
  let probes: number;
  let watchdog: FetchWatchdog;

  beforeEach(() => {
    clock = fakeClock();
    answers = true;
    stuck = [];
    probes = 0;
    watchdog = new FetchWatchdog({
      clock,
      timeoutMs: 10_000,
      probe: async () => {
        probes += 1;
        return answers;
      },
      onStuck: (silentMs) => stuck.push(silentMs),
    });
  });

  async function after(ms: number): Promise<void> {
    clock.advance(ms);
    await watchdog.check();
  }

  it('asks nothing in the first quarter of the timeout, and then as often', async () => {
    await after(2_499);
    expect(probes).toBe(0);
    await after(1);
    expect(probes).toBe(1);
    await after(2_499);
    expect(probes).toBe(1);
    await after(1);
    expect(probes).toBe(2);
  });

  it('is quiet before the timeout, and reports the silence from it on', async () => {
    await after(9_000);
    await after(999);
    expect(stuck).toEqual([]);
    await after(1);
    expect(stuck).toEqual([10_000]);
  });

  it('counts from the last movement, and allows longer work where it is announced', async () => {
    await after(9_000);
    watchdog.progress();
    await after(9_999);
    expect(stuck).toEqual([]);
    watchdog.progress(60_000);
    await after(58_000);
    await after(1_999);
    expect(stuck).toEqual([]);
    await after(1);
    expect(stuck).toEqual([60_000]);
  });

  it('waits for a server that is away, and gives the loop the whole timeout once it answers', async () => {
    answers = false;
    await after(10_000);
    await after(300_000);
    expect(stuck).toEqual([]);
    answers = true;
    await after(2_500);
    await after(9_999);
    expect(stuck).toEqual([]);
    await after(1);
    expect(stuck).toEqual([322_500]);
  });

  it('does not blame the loop for a server that was away and is back before the timeout', async () => {
    await after(2_500);
    answers = false;
    await after(2_500);
    answers = true;
    await after(2_500);
    await after(9_999);
    expect(stuck).toEqual([]);
    await after(1);
    expect(stuck).toEqual([17_500]);
  });

  it('never shortens the time that longer work was given', async () => {
    watchdog.progress(60_000);
    answers = false;
    await after(2_500);
    answers = true;
    await after(2_500);
    await after(54_999);
    expect(stuck).toEqual([]);
    await after(1);
    expect(stuck).toEqual([60_000]);
  });

  it('forgets that the server was away when the loop moves', async () => {
    answers = false;
    await after(10_000);
    watchdog.progress();
    answers = true;
    await after(10_000);
    expect(stuck).toEqual([10_000]);
  });

  it('asks once at a time, and believes a movement that came while it asked', async () => {
    let answer: (value: boolean) => void = () => undefined;
    const slow = new FetchWatchdog({
      clock,
      timeoutMs: 100,
      probe: () => {
        probes += 1;
        return new Promise((resolve) => (answer = resolve));
      },
      onStuck: (silentMs) => stuck.push(silentMs),
    });
    clock.advance(100);
    const first = slow.check();
    await slow.check();
    expect(probes).toBe(1);
    clock.advance(1);
    slow.progress();
    answer(true);
    await first;
    expect(stuck).toEqual([]);
    clock.advance(100);
    const second = slow.check();
    answer(true);
    await second;
    expect(stuck).toEqual([100]);
  });

  it('looks by itself between start and stop', async () => {
    jest.useFakeTimers();
    watchdog.start();
    clock.advance(10_000);
    await jest.advanceTimersByTimeAsync(499);
    expect(stuck).toEqual([]);
    await jest.advanceTimersByTimeAsync(1);
    expect(stuck).toEqual([10_000]);
    expect(jest.getTimerCount()).toBe(0);
    watchdog.start(500);
    watchdog.stop();
    expect(jest.getTimerCount()).toBe(0);
    jest.useRealTimers();
  });

  it('does not keep a process alive by itself', () => {
    const timers = jest.spyOn(globalThis, 'setInterval');
    watchdog.start(1_000_000);
    expect((timers.mock.results[0]?.value as NodeJS.Timeout).hasRef()).toBe(false);
    watchdog.stop();
    timers.mockRestore();
  });

  it('begins to count when it is started', async () => {
    clock.advance(50_000);
    watchdog.start(1_000_000);
    await after(9_999);
    expect(stuck).toEqual([]);
    watchdog.stop();
  });
});
