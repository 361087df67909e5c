import { SlotTimer } from './slot-timer';

function setUp() {
  const offset = { ms: 1_000 };
  const now = () => performance.now() + offset.ms;
  const log: string[] = [];
  const timer = new SlotTimer(now);
  const fired = (name: string, at: number): Promise<number> =>
    new Promise((resolve) =>
      timer.at(at, {
        ready: () => log.push(`ready ${name}`),
        fire: () => (log.push(name), resolve(now() - at)),
      }),
    );
  return { offset, now, log, fired };
}

describe('the timer of slots', () => {
  it('fires in the order of the moments, none before its own', async () => {
    const { now, log, fired } = setUp();
    const at = now();
    const late = await Promise.all([
      fired('c', at + 45),
      fired('a', at + 20),
      fired('b', at + 20),
      fired('d', at + 120),
    ]);
    expect(log.filter((line) => !line.startsWith('ready'))).toEqual(['a', 'b', 'c', 'd']);
    expect(log.filter((line) => line.startsWith('ready'))).toHaveLength(4);
    expect(log.indexOf('ready a')).toBeLessThan(log.indexOf('a'));
    expect(Math.min(...late)).toBeGreaterThanOrEqual(0);
  });

  it('makes ready and fires at once what is due, and everything while the clock is not mapped', async () => {
    const { now, log, fired, offset } = setUp();
    void fired('due', now() - 1);
    expect(log).toEqual(['ready due', 'due']);
    offset.ms = NaN;
    void fired('unmapped', 5_000);
    expect(log.slice(2)).toEqual(['ready unmapped', 'unmapped']);
  });

  it('follows a clock whose mapping moves', async () => {
    const { now, fired, offset } = setUp();
    const started = performance.now();
    const firing = fired('a', now() + 10_000);
    setTimeout(() => (offset.ms += 9_900), 10);
    expect(await firing).toBeGreaterThanOrEqual(0);
    expect(performance.now() - started).toBeLessThan(2_000);
  });
});
