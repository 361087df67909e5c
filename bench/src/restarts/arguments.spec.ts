import { ArgumentFault } from '../fleet/drill-arguments';
import { readArguments } from './arguments';

describe('the arguments of drill:restarts', () => {
  it('are fifty restarts at half of the capacity unless told', () => {
    expect(readArguments([])).toEqual({
      restarts: 50,
      people: 10_000,
      keys: 20,
      seed: 1,
      share: 0.5,
      measureSeconds: 20,
      portBase: undefined,
      keep: false,
      json: undefined,
    });
    expect(readArguments(['--restarts', '3', '--share', '1', '--keep'])).toMatchObject({
      restarts: 3,
      share: 1,
      keep: true,
    });
  });

  it.each([
    [['--share', '0'], '--share must be more than 0 and at most 1'],
    [['--share', '1.1'], '--share must be more than 0 and at most 1'],
    [['--restarts', '0'], '--restarts must be a whole number from 1'],
    [['--keys', '1'], '--keys must be a whole number from 2'],
  ])('%j are refused by name', (argv, sentence) => {
    expect(() => readArguments(argv)).toThrow(new ArgumentFault(sentence));
  });
});
