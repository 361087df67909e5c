import { planOf, readOptions, secondsOf } from './arguments';
import { ROWS } from './rows';
import { SYSTEMS } from './systems';

const read = (...argv: string[]) => {
  const options = readOptions(argv);
  if (options === undefined) throw new Error('help');
  return options;
};

describe('the command line', () => {
  it('measures everything for 120 s in three rounds unless told', () => {
    expect(read()).toMatchObject({
      keys: 20,
      workers: 2,
      seconds: 120,
      peerSeconds: 30,
      rounds: 3,
      seed: 1,
      repeats: 3,
      check: false,
      json: undefined,
      stacks: ['test'],
    });
    expect(read().rows).toEqual(ROWS);
    expect(read().systems).toEqual(SYSTEMS);
  });

  it('is quick with one word, and what else is said still holds', () => {
    const quick = read('--quick', '--rounds', '2', '--json', 'x.json');
    expect(quick).toMatchObject({ seconds: 20, peerSeconds: 20, rounds: 2, json: 'x.json' });
    expect(quick.rows.map(({ name }) => name)).toEqual(['jitter-20']);
    expect(quick.systems).toEqual(['ours', 'bottleneck', 'rate-limiter-flexible', 'bullmq']);
  });

  it('helps when asked', () => {
    expect(readOptions(['-h'])).toBeUndefined();
    expect(readOptions(['--help'])).toBeUndefined();
  });

  it.each([
    [['--keys', '0'], '--keys must be a whole number from 1 to 1000.'],
    [['--keys', '1001'], '--keys must be a whole number from 1 to 1000.'],
    [['--seconds', '4'], '--seconds must be a whole number from 5 to 3600.'],
    [['--workers', '1.5'], '--workers must be a whole number from 1 to 64.'],
    [['--rows', 'jitter-3'], '--rows: there is no "jitter-3"; known are all, sliding'],
    [['--systems', 'p-limit'], '--systems: there is no "p-limit"; known are all, peers, tuned, ours'],
    [['--fast'], "Unknown option '--fast'"],
  ])('%j is refused by name', (argv, message) => {
    expect(() => read(...argv)).toThrow(message);
  });
});

describe('the plan', () => {
  it('goes row by row, in a row system by system, in a system round by round', () => {
    const plan = planOf(read('--rows', 'jitter-0,jitter-5', '--systems', 'bullmq,ours', '--rounds', '2'));
    expect(plan.map(({ row, system, round, seconds }) => [row.name, system, round, seconds])).toEqual([
      ['jitter-0', 'ours', 1, 120],
      ['jitter-0', 'ours', 2, 120],
      ['jitter-0', 'bullmq', 1, 30],
      ['jitter-0', 'bullmq', 2, 30],
      ['jitter-5', 'ours', 1, 120],
      ['jitter-5', 'ours', 2, 120],
      ['jitter-5', 'bullmq', 1, 30],
      ['jitter-5', 'bullmq', 2, 30],
    ]);
  });

  it('leaves out systems that a row has no place for, and takes workers and seconds from the row', () => {
    const plan = planOf(read('--rows', 'workers,shift', '--rounds', '1', '--workers', '3'));
    expect(plan.map(({ row, system, workers, seconds }) => [row.name, system, workers, seconds])).toEqual([
      ['workers-1', 'ours', 1, 120],
      ['workers-2', 'ours', 2, 120],
      ['workers-4', 'ours', 4, 120],
      ['workers-8', 'ours', 8, 120],
      ['shift', 'ours', 3, 210],
    ]);
  });

  it('says how long it takes: measuring, the first seconds, starting and ending', () => {
    const plan = planOf(read('--rows', 'jitter-0', '--systems', 'ours,bullmq', '--rounds', '1'));
    expect(secondsOf(plan)).toBe(5 + 120 + 1 + 9 + (5 + 30 + 1 + 4));
  });

  it('takes less than half a day as a whole', () => {
    expect(secondsOf(planOf(read()))).toBeLessThan(6 * 3600);
  });
});
