import { backoffMs, pause, settledWithin, within } from './backoff';

describe('backoffMs', () => {
  it('doubles from the first wait and stops growing at the longest', () => {
    expect([1, 2, 3, 6, 7, 50].map((attempt) => backoffMs(attempt))).toEqual([
      100, 200, 400, 3200, 5000, 5000,
    ]);
    expect([1, 2, 3, 4].map((attempt) => backoffMs(attempt, 200, 1_000))).toEqual([200, 400, 800, 1000]);
  });
});

describe('pause', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  it('ends after its time and not before', async () => {
    let ended = false;
    void pause(100).then(() => (ended = true));
    await jest.advanceTimersByTimeAsync(99);
    expect(ended).toBe(false);
    await jest.advanceTimersByTimeAsync(1);
    expect(ended).toBe(true);
  });

  it('ends at once when its signal aborts, before or meanwhile, and leaves no timer', async () => {
    const abort = new AbortController();
    let ended = 0;
    void pause(100_000, abort.signal).then(() => (ended += 1));
    await jest.advanceTimersByTimeAsync(10);
    expect(ended).toBe(0);
    abort.abort();
    void pause(100_000, abort.signal).then(() => (ended += 1));
    await jest.advanceTimersByTimeAsync(0);
    expect(ended).toBe(2);
    expect(jest.getTimerCount()).toBe(0);
  });
});

describe('settledWithin', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  it('ends with the work, also where that fails, and leaves no timer', async () => {
    await expect(settledWithin(Promise.resolve(7), 3_500)).resolves.toBeUndefined();
    expect(jest.getTimerCount()).toBe(0);
    await expect(settledWithin(Promise.reject(new Error('own')), 3_500)).rejects.toThrow('own');
    expect(jest.getTimerCount()).toBe(0);
  });

  it('ends after its time where the work does not, and not before', async () => {
    let ended = false;
    void settledWithin(new Promise(() => undefined), 100).then(() => (ended = true));
    await jest.advanceTimersByTimeAsync(99);
    expect(ended).toBe(false);
    await jest.advanceTimersByTimeAsync(1);
    expect([ended, jest.getTimerCount()]).toEqual([true, 0]);
  });
});

describe('within', () => {
  const late = (): Error => new Error('late');

  it('passes on a value or a failure that comes in time, and leaves no timer', async () => {
    jest.useFakeTimers();
    await expect(within(Promise.resolve(7), 10, late)).resolves.toBe(7);
    await expect(within(Promise.reject(new Error('own')), 10, late)).rejects.toThrow('own');
    expect(jest.getTimerCount()).toBe(0);
    jest.useRealTimers();
  });

  it('throws what it is given when the time is over', async () => {
    await expect(within(new Promise(() => undefined), 5, late)).rejects.toThrow('late');
  });
});
