import { demoArguments, DemoRefused } from './demo-arguments';

describe('the command line of the demo', () => {
  it('imports ego-Facebook with 20 keys and no limit of depth unless told otherwise', () => {
    expect(demoArguments([])).toEqual({ graphFile: undefined, keys: 20, depth: undefined });
  });

  it('takes a graph, a number of keys and a depth', () => {
    expect(demoArguments(['--graph', 'g.txt', '--keys', '2', '--depth=32'])).toEqual({
      graphFile: 'g.txt',
      keys: 2,
      depth: 32,
    });
  });

  it.each([
    [['--keys', '0'], '--keys takes a whole number from 1 to 1000, not "0".'],
    [['--keys', '1001'], '--keys takes a whole number from 1 to 1000, not "1001".'],
    [['--keys', '2.5'], '--keys takes a whole number from 1 to 1000, not "2.5".'],
    [['--depth', '33'], '--depth takes a whole number from 1 to 32, not "33".'],
    [['--depth', 'deep'], '--depth takes a whole number from 1 to 32, not "deep".'],
  ])('refuses %j', (argv, sentence) => {
    expect(() => demoArguments(argv)).toThrow(new DemoRefused(sentence));
  });

  it('refuses an option that it does not know, and shows the usage', () => {
    expect(() => demoArguments(['--nodes', '3'])).toThrow(/Unknown option '--nodes'[^]*--graph FILE/);
  });
});
