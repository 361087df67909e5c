import { missesOfBeside } from './beside-run';

describe('ten items beside a thousand', () => {
  it('may take twice as long as alone, by the medians', () => {
    const took = (...seconds: number[]) => seconds.map((completed) => ({ fetched: 0.5, completed }));
    expect(missesOfBeside(took(1, 1, 9), took(2, 2, 30))).toEqual([]);
    expect(missesOfBeside(took(1, 1, 1), took(2.1, 2.1, 1))).toEqual([
      'the ten took 2.10 times as long beside a thousand as alone',
    ]);
  });
});
