import { ArgumentFault } from '../fleet/drill-arguments';
import { readArguments } from './arguments';

describe('the arguments of soak', () => {
  it('are half an hour at four fifths of the rate, after five minutes, unless told', () => {
    expect(readArguments([])).toEqual({
      minutes: 30,
      warmUpMinutes: 5,
      measureSeconds: 30,
      share: 0.8,
      people: 5_000,
      keys: 20,
      seed: 1,
      portBase: undefined,
      keep: false,
      json: undefined,
    });
    expect(readArguments(['--minutes', '0.5', '--warm-up', '0.1'])).toMatchObject({
      minutes: 0.5,
      warmUpMinutes: 0.1,
    });
  });

  it.each([
    [['--minutes', '0.4'], '--minutes must be a number from 0.5'],
    [['--share', '1.01'], '--share must be more than 0 and at most 1'],
    [['--people', 'many'], '--people must be a whole number from 10'],
  ])('%j are refused by name', (argv, sentence) => {
    expect(() => readArguments(argv)).toThrow(new ArgumentFault(sentence));
  });
});
