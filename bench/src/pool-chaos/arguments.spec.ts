import { readArguments } from './arguments';

describe('arguments of chaos:pool', () => {
  it('are those of the bar unless told', () => {
    expect(readArguments([])).toEqual({
      mode: 'faults',
      keys: 200,
      calls: 100_000,
      workers: 4,
      keyServices: 2,
      seed: 1,
      minutes: 10,
      freezes: 220,
      longestFreezeMs: 60_000,
      jitterMs: 20,
      json: undefined,
    });
    expect(readArguments(['--budget'])).toMatchObject({ mode: 'budget', keys: 4, workers: 2 });
    expect(readArguments(['--dead-key', '--keys', '30'])).toMatchObject({ mode: 'dead-key', keys: 30 });
  });

  it.each([
    [['--keys', '0'], '--keys must be a number from 1 to 2000, not "0"'],
    [['--minutes', 'long'], '--minutes must be a number from 0.1 to 600, not "long"'],
    [['--budget', '--dead-key'], '--budget and --dead-key are runs of their own'],
    [['--nothing'], "Unknown option '--nothing'"],
  ])('refuses %s', (argv, sentence) => {
    expect(() => readArguments(argv)).toThrow(sentence);
  });
});
