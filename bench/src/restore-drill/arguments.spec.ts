import { ArgumentFault } from '../fleet/drill-arguments';
import { readArguments } from './arguments';

describe('the command line of the restore drill', () => {
  it('has a usual value for everything', () => {
    expect(readArguments([])).toEqual({
      graph: undefined,
      people: 12_000,
      friendships: 48_000,
      keys: 1,
      backupAt: 0.1,
      goOnMs: 5000,
      portBase: 32_000,
      json: undefined,
    });
  });

  it('takes what it is given', () => {
    const words = [
      '--graph',
      'g.txt',
      '--people',
      '50',
      '--friendships',
      '70',
      '--keys',
      '3',
      '--backup-at',
      '0.5',
      '--go-on',
      '0.5',
      '--json',
      'f',
    ];
    expect(readArguments(words)).toEqual({
      graph: 'g.txt',
      people: 50,
      friendships: 70,
      keys: 3,
      backupAt: 0.5,
      goOnMs: 500,
      portBase: 32_000,
      json: 'f',
    });
  });

  it.each([
    [['--people', '9'], '--people must be a number from 10 to 1000000, not "9"'],
    [
      ['--people', '20', '--friendships', '19'],
      '--friendships must be a number from 20 to 10000000, not "19"',
    ],
    [['--keys', '0'], '--keys must be a number from 1 to 1000, not "0"'],
    [['--backup-at', '0.91'], '--backup-at must be a number from 0 to 0.9, not "0.91"'],
    [['--go-on', 'long'], '--go-on must be a number from 0 to 3600, not "long"'],
    [['--port-base', '80'], '--port-base must be a number from 1024 to 65235, not "80"'],
  ])('refuses %j', (words, sentence) => {
    expect(() => readArguments(words)).toThrow(new ArgumentFault(sentence));
  });

  it('shows what it knows when it is given something else', () => {
    expect(() => readArguments(['--kill'])).toThrow(/Unknown option '--kill'[^]*npm run drill:restore/);
  });
});
