import { ArgumentFault } from '../fleet/drill-arguments';
import { readArguments } from './arguments';

describe('the command line of the upgrade drill', () => {
  it('has a usual value for everything', () => {
    expect(readArguments([])).toEqual({
      from: undefined,
      people: 2_000,
      friendships: 6_000,
      keys: 4,
      perSecond: 20,
      restMs: 3_000,
      portBase: undefined,
      json: undefined,
    });
  });

  it('takes what it is given', () => {
    const people = ['--people', '50', '--friendships', '50', '--keys', '2'];
    const rest = ['--from', 'v1', '--rate', '0.5', '--rest=1', '--port-base', '32000', '--json', 'f'];
    expect(readArguments(['--', ...people, ...rest])).toEqual({
      from: 'v1',
      people: 50,
      friendships: 50,
      keys: 2,
      perSecond: 0.5,
      restMs: 1_000,
      portBase: 32_000,
      json: 'f',
    });
  });

  it.each([
    [['--people', '9'], '--people must be a whole number from 10'],
    [['--people', '20', '--friendships', '19'], '--friendships must be a whole number from 20'],
    [['--keys', '1.5'], '--keys must be a whole number from 1'],
    [['--rate', '0'], '--rate must be more than 0'],
    [['--rest', 'long'], '--rest must be more than 0'],
    [['--port-base', '1'], '--port-base must be a number from 1024 to 65235'],
  ])('refuses %j', (words, sentence) => {
    expect(() => readArguments(words)).toThrow(new ArgumentFault(sentence));
  });
});
