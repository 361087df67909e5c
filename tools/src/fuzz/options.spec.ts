import { OptionFault, readOptions } from './options';

describe('the options of a fuzz run', () => {
  it('are those of the bar unless told', () => {
    expect(readOptions([])).toEqual({
      ...{ requests: 20_000, seed: 1, stack: 'fuzz', portBase: undefined, keep: false, service: undefined },
    });
    const given = ['--requests', '300', '--seed', '0', '--stack', 'mine', '--port-base', '31000', '--keep'];
    expect(readOptions([...given, '--service', 'key-service'])).toEqual({
      ...{ requests: 300, seed: 0, stack: 'mine', portBase: 31_000, keep: true, service: 'key-service' },
    });
  });

  it.each([
    [['--request', '1'], '--request is no option.'],
    [['--seed'], '--seed needs a value.'],
    [['--requests', '0'], '--requests must be a whole number from 1 to 10000000.'],
    [['--requests', '1.5'], '--requests must be a whole number from 1 to 10000000.'],
    [['--port-base', '80'], '--port-base must be a whole number from 1024 to 65235.'],
    [['--stack', '../x'], '--stack must be small letters, digits and hyphens.'],
  ])('are refused by name: %p', (argv, sentence) => {
    expect(() => readOptions(argv)).toThrow(OptionFault);
    expect(() => readOptions(argv)).toThrow(sentence);
  });
});
