import { ArgumentFault } from '../fleet/drill-arguments';
import { readArguments } from './arguments';

describe('the arguments of drill:erasure', () => {
  it('are sixty people unless told', () => {
    expect(readArguments([])).toEqual({
      people: 60,
      seed: 1,
      portBase: undefined,
      keep: false,
      json: undefined,
    });
    expect(readArguments(['--people', '20', '--seed', '0', '--keep', '--json', 'f'])).toEqual({
      people: 20,
      seed: 0,
      portBase: undefined,
      keep: true,
      json: 'f',
    });
  });

  it.each([
    [['--people', '19'], '--people must be a whole number from 20 to 2000'],
    [['--people', '2001'], '--people must be a whole number from 20 to 2000'],
    [['--seed', '0.5'], '--seed must be a whole number from 0'],
    [['--port-base', '80'], '--port-base must be a number from 1024 to 65235'],
  ])('%j are refused by name', (argv, sentence) => {
    expect(() => readArguments(argv)).toThrow(new ArgumentFault(sentence));
  });
});
