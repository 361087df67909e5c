import { ArgumentFault, leaseBenchArguments } from './arguments';

describe('arguments of bench:lease', () => {
  it('has figures of its own', () => {
    expect(leaseBenchArguments([])).toEqual({
      keys: 1000,
      seconds: 10,
      rate: 1000,
      concurrency: [8, 32, 64, 128],
      serviceCore: 0,
      clientCore: 1,
      redisCore: undefined,
      json: undefined,
      profile: undefined,
      check: false,
    });
  });

  it('takes others', () => {
    const given = [
      '--',
      '--keys',
      '5',
      '--concurrency',
      '1,2',
      '--redis-core',
      '0',
      '--json',
      'f',
      '--check',
    ];
    expect(leaseBenchArguments(given)).toMatchObject({
      keys: 5,
      concurrency: [1, 2],
      redisCore: 0,
      json: 'f',
      check: true,
    });
  });

  it.each([
    ['--keys', '0'],
    ['--keys', 'x'],
    ['--keys'],
    ['--seconds', '1.5'],
    ['--concurrency', '1,0'],
    ['--what'],
    ['--help'],
  ])('refuses %s %s', (...argv) => {
    expect(() => leaseBenchArguments(argv)).toThrow(ArgumentFault);
  });
});
