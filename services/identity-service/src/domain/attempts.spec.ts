import { Attempts } from './attempts';

describe('attempts', () => {
  it('are allowed up to the limit, then told how long to wait', () => {
    const attempts = new Attempts({ most: 2, withinMs: 1000 });
    expect(attempts.take('a', 0)).toBe(0);
    expect(attempts.take('a', 400)).toBe(0);
    expect(attempts.take('a', 500)).toBe(500);
    expect(attempts.take('a', 999)).toBe(1);
    expect(attempts.take('a', 1000)).toBe(0);
    expect(attempts.take('a', 1001)).toBe(399);
  });

  it('are counted by name', () => {
    const attempts = new Attempts({ most: 1, withinMs: 1000 });
    expect(attempts.take('a', 0)).toBe(0);
    expect(attempts.take('b', 0)).toBe(0);
    expect(attempts.take('a', 0)).toBe(1000);
  });
});
