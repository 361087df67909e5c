import { readSettings } from './settings';

describe('settings', () => {
  it('come from flags, then from the environment, and name their faults', () => {
    const settings = readSettings(
      ['--graph', 'g', '--keys', '7', '--private', '0.1', '--budget', 'a.b=1', '--budget', 'c.d=2'],
      {
        VK_SIMULATOR_KEYS: '9',
        VK_SIMULATOR_JITTER: '20',
        VK_SIMULATOR_DELAY: '50-300',
      },
    );
    expect(settings).toMatchObject({
      keys: { user: 7 },
      jitterMs: 20,
      delayMs: [50, 300],
      window: 'sliding',
      port: 47023,
    });
    expect([...settings.budgets]).toEqual([
      ['a.b', 1],
      ['c.d', 2],
    ]);
    expect(settings.world.shares.private).toBe(0.1);
    for (const [flags, message] of [
      [[], '--graph FILE is missing.'],
      [['--graph', 'g', '--window', 'x'], '--window must be one of sliding, fixed-clock, fixed-first-call.'],
      [['--graph', 'g', '--delay', '9-2'], '--delay must be milliseconds: 80 or 50-300.'],
      [['--graph', 'g', '--keys', 'many'], '--keys must be a number of at least 0.'],
      [['--graph', 'g', '--private', 'x'], '--private must be a share from 0 to 1.0, or ids.'],
      [['--graph', 'g', '--budget', 'x'], '--budget must be like friends.get=5000, not x.'],
    ] as const) {
      expect(() => readSettings([...flags], {})).toThrow(message);
    }
  });
});
