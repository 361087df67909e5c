import { CommandLineError, numberOption, parseCommandLine } from './command-line';

describe('parseCommandLine', () => {
  it('tells the command, its words, options with a value and flags apart', () => {
    const line = parseCommandLine([
      'up',
      '--stack',
      'test',
      '--servers-only',
      'restart',
      '--port-base=30000',
      'kafka',
    ]);
    expect(line.command).toBe('up');
    expect(line.words).toEqual(['restart', 'kafka']);
    expect(line.values).toEqual({ stack: 'test', 'port-base': '30000' });
    expect([...line.flags]).toEqual(['servers-only']);
  });

  it('knows -f as --follow, and takes a bare -- for nothing', () => {
    const line = parseCommandLine(['logs', '--', 'kafka', '-f', '-n', '7']);
    expect([...line.flags]).toEqual(['follow']);
    expect(line.values).toEqual({ lines: '7' });
    expect(line.words).toEqual(['kafka']);
  });

  it('shows the help when there is no command', () => {
    expect(parseCommandLine([]).command).toBe('help');
  });

  it.each([
    [['up', '--colour'], 'Unknown option --colour'],
    [['up', '--stack'], '--stack needs a value'],
    [['up', '--purge=yes'], 'Unknown option --purge=yes'],
  ])('refuses %j by name', (argv, message) => {
    expect(() => parseCommandLine(argv)).toThrow(new CommandLineError(message));
  });
});

describe('numberOption', () => {
  it('accepts its bounds and nothing beyond them', () => {
    const scale = (text: string): number | undefined =>
      numberOption(parseCommandLine(['up', '--scale', text]), 'scale', 1, 10);
    expect([scale('1'), scale('10')]).toEqual([1, 10]);
    for (const wrong of ['0', '11', '1.5', 'two', '']) {
      expect(() => scale(wrong)).toThrow(`--scale must be a number from 1 to 10, not "${wrong}"`);
    }
  });

  it('is undefined when the option was not given', () => {
    expect(numberOption(parseCommandLine(['up']), 'scale', 1, 10)).toBeUndefined();
  });
});
